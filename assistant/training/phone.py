"""A convolutional detector as ONNX and in int8, for phones: sizes, and the EER of each on faces."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from assistant.detectors.cnn import CnnDetector
from assistant.detectors.frozen import to_pixels
from assistant.detectors.plugin import TrainedDetector
from assistant.errors import PluginError
from assistant.evaluation.detection_metrics import auroc, eer
from assistant.types import Image

__all__ = ["export_phone"]

_CALIBRATED_ON = 64


def export_phone(
    detector: TrainedDetector, crops: Sequence[Image], labels: NDArray[np.int64], folder: Path
) -> dict[str, Any]:
    """Write ``NAME.onnx`` and ``NAME-int8.onnx`` (B x 3 x 224 x 224 in [0, 1] to B logits).

    Args:
        detector: trained, convolutional.
        crops: faces to fit the int8 ranges on (the first 64) and to measure on.
        labels: of the crops, 1 = manipulated.
        folder: where the files go.

    Returns:
        Bytes, EER and AUROC of both, and the largest difference of a logit from the detector's own.

    Raises:
        PluginError: the detector is not convolutional.
    """
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    if not isinstance(detector, CnnDetector):
        raise PluginError(
            f"The detector {detector.name} is not for phones.",
            hint="Those are squeezenet, efficientnet-lite0 and the other convolutional ones.",
            code="not-for-phones",
        )
    folder.mkdir(parents=True, exist_ok=True)
    plain, small = folder / f"{detector.name}.onnx", folder / f"{detector.name}-int8.onnx"
    detector.network.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter without onnxscript is called legacy
        torch.onnx.export(
            detector.network,
            (to_pixels(crops[:1], detector.crop_spec.size),),
            str(plain),
            dynamo=False,
            opset_version=17,
            input_names=["pixels"],
            output_names=["logits"],
            dynamic_axes={"pixels": {0: "faces"}, "logits": {0: "faces"}},
        )

    class Faces(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left: Iterator[Image] = iter(crops[:_CALIBRATED_ON])

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            crop = next(self._left, None)
            if crop is None:
                return None
            return {"pixels": to_pixels([crop], detector.crop_spec.size).numpy()}

    quantize_static(str(plain), str(small), Faces(), weight_type=QuantType.QInt8, per_channel=True)
    own = detector.logits(crops)
    report: dict[str, Any] = {"detector": detector.name, "faces": len(crops)}
    for name, path in (("onnx", plain), ("int8", small)):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        found = np.concatenate(
            [
                session.run(None, {"pixels": to_pixels([c], detector.crop_spec.size).numpy()})[0]
                for c in crops
            ]
        ).astype(np.float64)
        report[name] = {
            "file": path.name,
            "bytes": path.stat().st_size,
            "eer": eer(labels, found),
            "auroc": auroc(labels, found),
            "largest_difference": float(np.abs(found - own).max()),
        }
    return report
