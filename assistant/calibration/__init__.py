"""From a detector's logit to a probability with an interval and a verdict."""

from assistant.calibration.curve import CurveCalibrator, load_calibrator

__all__ = ["CurveCalibrator", "load_calibrator"]
