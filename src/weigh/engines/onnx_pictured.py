"""What a picture shows, by an ONNX repository: the picture goes in as preprocessor_config.json says."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

from weigh.core.engine import Failed, Launch, Ready
from weigh.core.work import Classify, Done, Event, Fault, Job, Labels, work_of
from weigh.engines.media import picture_of
from weigh.engines.repository import labels_of, table

_BILINEAR = 2  # PIL's number, and the library's default
_SQUEEZED = 384
_SHORTEST = ("CLIP", "ChineseCLIP", "ConvNext", "LeViT", "Bit")  # for these a size of one number is the shorter side's


class Pictured:
    """One job at a time."""

    def __init__(self, session: Any, launch: Launch) -> None:
        self._session = session
        self._config = table(launch.path, "config.json")
        self._says = preparation_of(launch.path)
        self.ready = Ready(works=("classify",), parallel=1)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Labels."""
        if not isinstance(job, Classify):
            yield Fault(kind="unsupported", detail=f"this model does not {work_of(job)}")
            return
        if job.piece.image is None:
            yield Fault(kind="bad_input", detail="it classifies pictures: give it one")
            return
        given = pixels_of(picture_of(job.piece.image), self._says)
        logits = self._session.run(["logits"], {"pixel_values": given})[0][0]
        yield Labels(labels=labels_of(self._config, logits, job.top))
        yield Done()


def preparation_of(folder: str) -> dict[str, Any]:
    """How a picture is made ready: its own file says it, or that of the whole processor. Raises Failed."""
    says = table(folder, "preprocessor_config.json") or table(folder, "processor_config.json").get("image_processor")
    if not says:
        raise Failed(Fault(kind="unsupported", detail="it has no preprocessor_config.json: use --work compute"))
    return dict(says)


def pixels_of(picture: Any, says: dict[str, Any]) -> Any:
    """F32 of shape (1, 3, height, width)."""
    import numpy

    resample = says.get("resample", _BILINEAR)
    if says.get("crop_pct") and says.get("do_resize", True):
        picture = _larger(picture, says, resample)
    elif says.get("do_resize", True) and says.get("size"):
        picture = picture.resize(_size(picture.size, says), resample)
    if says.get("do_center_crop") and says.get("crop_size"):
        picture = _cropped(picture, says["crop_size"])
    level = numpy.asarray(picture, dtype="float32")
    if says.get("do_rescale", True):
        level = level * numpy.float32(says.get("rescale_factor", 1 / 255))
    if says.get("do_normalize", True) and says.get("image_mean"):
        mean, spread = (numpy.array(says[key], dtype="float32") for key in ("image_mean", "image_std"))
        level = (level - mean) / spread
    return level.transpose(2, 0, 1)[None].astype("float32")


def _size(own: tuple[int, int], says: dict[str, Any]) -> tuple[int, int]:
    """Width and height: as said, or so that the shorter side is as said."""
    wanted = says["size"]
    if isinstance(wanted, int):
        kind = str(says.get("image_processor_type") or says.get("feature_extractor_type") or "")
        return _scaled(own, wanted) if kind.startswith(_SHORTEST) else (wanted, wanted)
    if "shortest_edge" in wanted:
        return _scaled(own, wanted["shortest_edge"])
    return wanted["width"], wanted["height"]


def _larger(picture: Any, says: dict[str, Any], resample: int) -> Any:
    """As ConvNeXt does: made larger than wanted and cut; from its own size on only squeezed into a square."""
    wanted = says["size"]
    side = wanted if isinstance(wanted, int) else wanted["shortest_edge"]
    if side >= _SQUEEZED:
        return picture.resize((side, side), resample)
    return _cropped(picture.resize(_scaled(picture.size, int(side / says["crop_pct"])), resample), side)


def _scaled(own: tuple[int, int], shortest: int) -> tuple[int, int]:
    width, height = own
    return (shortest, int(shortest * height / width)) if width <= height else (int(shortest * width / height), shortest)


def _cropped(picture: Any, wanted: Any) -> Any:
    width, height = (wanted, wanted) if isinstance(wanted, int) else (wanted["width"], wanted["height"])
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))
