"""facexlib's RetinaFace as a face finder (Deng et al., arXiv 1905.00641).

The network class is built directly and filled from a local file: facexlib's own loader, which
downloads, is never reached. This is the one place where pictures are turned to BGR.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from assistant.compute import torch_device
from assistant.errors import InferenceError, OutOfMemory, WeightsError
from assistant.faces.upright import Find, find_upright
from assistant.types import Detection, Image

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["NETWORKS", "RetinaFaceFinder"]

#: Name in settings and manifest -> facexlib's name.
NETWORKS = {"mobilenet0.25": "mobile0.25", "resnet50": "resnet50"}
_SIDE, _FINE_SIDE = 640, 1280
_SMALL_SHARE = (
    1 / 16
)  # of the longest side: where all faces are smaller, smaller ones may be missed
_SHORTEST_SEARCH = 320  # smaller pictures are enlarged to this: the anchors begin at 16 pixels
_BORDER = 0.25


class RetinaFaceFinder:
    """Finds faces with RetinaFace. Safe to share between threads.

    Args:
        path: the state dict (``.pth``), with or without the ``module.`` prefix.
        network: ``mobilenet0.25`` or ``resnet50``.
        device: a torch device such as ``cpu`` or ``cuda``.
        threshold: confidence in [0, 1] under which a find is dropped.

    Raises:
        WeightsError: the file is missing, not a state dict, or not this network's.
    """

    name = "retinaface"

    def __init__(
        self,
        path: Path,
        *,
        network: str = "mobilenet0.25",
        device: str = "cpu",
        threshold: float = 0.8,
    ) -> None:
        if network not in NETWORKS:
            raise WeightsError(
                f"Unknown RetinaFace network {network!r}.",
                hint=f"Use one of: {', '.join(NETWORKS)}.",
            )
        self._network = network
        self._threshold = threshold
        self._lock = threading.Lock()  # facexlib keeps the last picture's scale on the network
        self._net, self._sha256 = _load(path, network, device)

    @classmethod
    def from_settings(cls, settings: Settings) -> RetinaFaceFinder:
        """With the fetched ResNet-50, on the device of the settings."""
        from assistant.weights import locate

        path = locate(
            "retinaface-resnet50",
            data_dir=settings.data_dir,
            accept_unpinned=settings.accept_unpinned,
        )
        return cls(path, network="resnet50", device=torch_device(settings.device))

    def find(self, image: Image) -> tuple[Detection, ...]:
        """All faces of ``image`` (RGB uint8 HWC), most confident first; empty where there is none.

        Raises:
            OutOfMemory: the device has too little memory.
            InferenceError: the network failed.
        """
        return tuple(find_upright(image, self._finds))

    def find_as_shown(self, image: Image) -> tuple[Detection, ...]:
        """As :meth:`find`, of a picture that is known to be upright: it is never turned."""
        return tuple(find.detection for find in self._finds(image))

    def provenance(self) -> Mapping[str, str]:
        """Network, model file's SHA-256."""
        return {"model": f"RetinaFace {self._network} (facexlib)", "sha256": self._sha256}

    def _finds(self, image: Image) -> list[Find]:
        """The faces of a picture as it is given, most confident first."""
        longest = max(image.shape[:2])
        found = self._search(image, _SIDE)
        if not found:  # a face that fills its picture has no anchor that fits
            found = self._search(image, _SIDE, border=int(_BORDER * longest))
        if longest > _SIDE and all(_side(d) < _SMALL_SHARE * longest for d in found):
            fine = self._search(image, _FINE_SIDE)
            found += [d for d in fine if not any(_inside(d, known) for known in found)]
        found.sort(key=lambda d: -d.confidence)
        return [Find(detection=d, certainty=d.confidence) for d in found]

    def _search(self, image: Image, side: int, *, border: int = 0) -> list[Detection]:
        import torch

        height, width = image.shape[:2]
        wide = cv2.copyMakeBorder(
            image, border, border, border, border, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        longest = max(wide.shape[:2])
        ratio = min(1.0, side / longest) * max(1.0, _SHORTEST_SEARCH / longest)
        size = tuple(max(32, round(s * ratio)) for s in wide.shape[1::-1])
        bgr = cv2.cvtColor(
            cv2.resize(wide, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR),
            cv2.COLOR_RGB2BGR,
        )
        try:
            with self._lock, torch.inference_mode():
                rows = self._net.detect_faces(bgr, self._threshold)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(
                f"Too little memory for RetinaFace on {width} x {height} pixels.",
                hint="Use device cpu, or the face finder centerface.",
            ) from error
        except RuntimeError as error:
            raise InferenceError(
                f"RetinaFace failed on a picture of {width} x {height} pixels.",
                hint="Use the face finder centerface.",
            ) from error
        scale = np.array([wide.shape[1] / size[0], wide.shape[0] / size[1]])
        return [
            detection
            for row in np.asarray(rows, np.float64)
            if (detection := _detection(row, scale, border, width, height)) is not None
        ]


def _load(path: Path, network: str, device: str) -> tuple[Any, str]:
    import torch
    from facexlib.detection.retinaface import RetinaFace

    hint = f"Run: whyfake weights fetch retinaface-{network}"
    try:
        data = path.read_bytes()
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (OSError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsError(
            f"The RetinaFace file {path.name!r} is missing or is not a plain state dict.", hint=hint
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise WeightsError(f"The RetinaFace file {path.name!r} holds no state dict.", hint=hint)
    with warnings.catch_warnings():  # facexlib still passes torchvision's old ``pretrained=False``
        warnings.simplefilter("ignore", UserWarning)
        net = RetinaFace(network_name=NETWORKS[network], device=torch.device(device))
    try:
        net.load_state_dict({k.removeprefix("module."): v for k, v in state.items()}, strict=True)
    except RuntimeError as error:
        raise WeightsError(
            f"The file {path.name!r} does not fit RetinaFace {network}.",
            hint=f"Name the network that the file was made for ({', '.join(NETWORKS)}). {hint}",
        ) from error
    return net.to(torch.device(device)).eval(), hashlib.sha256(data).hexdigest()


def _detection(
    row: np.ndarray, scale: np.ndarray, border: int, width: int, height: int
) -> Detection | None:
    """One facexlib row (x0 y0 x1 y1 score, five points) in pixels of the picture."""
    corners = row[:4].reshape(2, 2) * scale - border
    points = row[5:15].reshape(5, 2) * scale - border
    (x0, y0), (x1, y1) = np.clip(corners, 0, [width, height])
    if not np.isfinite(points).all() or x1 <= x0 or y1 <= y0:
        return None
    return Detection(
        box_xyxy=(float(x0), float(y0), float(x1), float(y1)),
        landmarks=points.astype(np.float32),
        confidence=float(min(1.0, row[4])),
    )


def _side(detection: Detection) -> float:
    x0, y0, x1, y1 = detection.box_xyxy
    return max(x1 - x0, y1 - y0)


def _inside(small: Detection, large: Detection) -> bool:
    """Whether the centre of ``small`` lies in ``large``."""
    x0, y0, x1, y1 = large.box_xyxy
    x, y = (small.box_xyxy[0] + small.box_xyxy[2]) / 2, (small.box_xyxy[1] + small.box_xyxy[3]) / 2
    return x0 <= x <= x1 and y0 <= y <= y1
