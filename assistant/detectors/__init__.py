"""Detectors: an aligned face crop in, a raw score out."""
