"""Measures: detection, calibration, heat maps, explanations, speed."""
