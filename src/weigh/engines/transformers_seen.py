"""What a picture, a text or a sound is, where in a picture things are, and how far: by pipelines of transformers."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

from weigh.core.engine import Failed, Launch, Ready
from weigh.core.work import (
    Classify,
    Depth,
    Detect,
    Done,
    Embed,
    Event,
    Fault,
    Job,
    Label,
    Labels,
    Vectors,
    Work,
    work_of,
)
from weigh.engines.media import made_by, picture_of, png, samples_of

_PAIRED = ("CLIPModel", "ChineseCLIPModel", "AltCLIPModel", "SiglipModel", "Siglip2Model", "AlignModel")
_HEARS = (
    "ForAudioClassification",
    "Wav2Vec2ForSequenceClassification",
    "HubertForSequenceClassification",
    "WavLMForSequenceClassification",
    "ASTForAudioClassification",
    "ClapModel",
)


def load(launch: Launch) -> Seer:
    """In the child. Raises Failed for a class that no pipeline takes."""
    import transformers

    if launch.threads:
        import torch

        torch.set_num_threads(launch.threads)
    task = _task(launch)
    pipe = transformers.pipeline(
        task,
        model=launch.path,
        device=launch.device or "cpu",
        trust_remote_code=bool(launch.trust_remote_code),
        model_kwargs={} if launch.allow_pickle else {"use_safetensors": True},
    )
    return Seer(pipe, task, launch)


def _task(launch: Launch) -> str:
    name, work = launch.architecture or "", launch.works[0]
    if work == "depth":
        return "depth-estimation"
    if work == "detect":
        return "zero-shot-object-detection" if "ZeroShot" in name or name.startswith("Owl") else "object-detection"
    if name == "ClapModel":
        return "zero-shot-audio-classification"
    if name in _PAIRED:
        return "zero-shot-image-classification"
    if name.endswith(_HEARS):
        return "audio-classification"
    return "image-classification" if name.endswith("ForImageClassification") else "text-classification"


class Seer:
    """One job at a time."""

    def __init__(self, pipe: Any, task: str, launch: Launch) -> None:
        self._pipe = pipe
        self._task = task
        self._launch = launch
        works: tuple[Work, ...] = launch.works[:1]
        longest = None
        if launch.architecture in _PAIRED:
            works, longest = ("classify", "embed"), _longest(pipe)
        self.ready = Ready(works=works, parallel=1, context_length=longest)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Labels, a picture, or vectors."""
        match job:
            case Classify():
                yield Labels(labels=tuple(self._classified(job)))
            case Detect():
                yield Labels(labels=tuple(self._detected(job)))
            case Depth():
                told = self._pipe(picture_of(job.image))
                yield png(
                    _as_16_bits(told["predicted_depth"], picture_of(job.image).size), made_by(self._launch, job, None)
                )
            case Embed() if self._launch.architecture in _PAIRED:
                yield self._paired(job)
            case _:
                yield Fault(kind="unsupported", detail=f"this model does not {work_of(job)}")
                return
        yield Done()

    def _classified(self, job: Classify) -> list[Label]:
        options: dict[str, Any] = {"top_k": job.top}
        if self._task.startswith("zero-shot"):
            if not job.labels:
                raise Failed(Fault(kind="bad_input", detail="name the labels to try: it has none of its own"))
            options = {"candidate_labels": list(job.labels)}
        told = self._pipe(self._content(job), **options)
        found = told[0] if told and isinstance(told[0], list) else told
        return [Label(label=str(one["label"]), score=float(one["score"])) for one in found[: job.top]]

    def _content(self, job: Classify) -> Any:
        piece = job.piece
        if "image" in self._task and piece.image is not None:
            return picture_of(piece.image)
        if "audio" in self._task and piece.audio is not None:
            rate = self._pipe.feature_extractor.sampling_rate
            return samples_of(piece.audio, rate)
        if self._task == "text-classification" and piece.text is not None:
            return piece.text
        wanted = self._task.split("-")[-2]
        raise Failed(Fault(kind="bad_input", detail=f"it classifies {wanted}: give it one"))

    def _detected(self, job: Detect) -> list[Label]:
        options: dict[str, Any] = {"threshold": job.threshold}
        if self._task.startswith("zero-shot"):
            if not job.labels:
                raise Failed(Fault(kind="bad_input", detail="name what to look for: it has no classes of its own"))
            options["candidate_labels"] = list(job.labels)
        found = self._pipe(picture_of(job.image), **options)
        labels = [Label(label=str(one["label"]), score=float(one["score"]), box=_box(one["box"])) for one in found]
        return sorted(labels, key=lambda label: -label.score)

    def _paired(self, job: Embed) -> Vectors:
        """Texts and pictures into one space, each of unit length."""
        import torch

        rows = [self._row(piece) for piece in job.pieces]
        with torch.inference_mode():
            together = torch.nn.functional.normalize(torch.cat(rows).float(), dim=-1)
        return Vectors(dimensions=int(together.shape[1]), data=together.cpu().numpy().astype("<f4").tobytes())

    def _row(self, piece: Any) -> Any:
        import torch

        model, device = self._pipe.model, self._pipe.model.device
        with torch.inference_mode():
            if piece.image is not None:
                read = self._pipe.image_processor(images=picture_of(piece.image), return_tensors="pt").to(device)
                return _pooled(model.get_image_features(**read))
            if piece.text is None:
                raise Failed(Fault(kind="unsupported", detail="it embeds texts and pictures alone"))
            read = self._pipe.tokenizer([piece.text], return_tensors="pt", truncation=True).to(device)
            return _pooled(model.get_text_features(**read))


def _longest(pipe: Any) -> int | None:
    """Tokens of a text that are read; tokenizers that know no limit say a number without end."""
    most = getattr(pipe.tokenizer, "model_max_length", None)
    return most if isinstance(most, int) and most < 1 << 24 else None


def _pooled(told: Any) -> Any:
    """A tensor, or what transformers 5 wraps it in."""
    return getattr(told, "pooler_output", told)


def _box(box: dict[str, Any]) -> tuple[float, float, float, float]:
    return float(box["xmin"]), float(box["ymin"]), float(box["xmax"]), float(box["ymax"])


def _as_16_bits(depth: Any, size: tuple[int, int]) -> Any:
    """Near is bright; stretched over the whole range, at the picture's own size."""
    import numpy
    from PIL import Image

    level = numpy.squeeze(depth.detach().float().cpu().numpy())
    low, high = float(level.min()), float(level.max())
    scaled = (level - low) / (high - low) if high > low else level * 0
    return Image.fromarray((scaled * 65535).astype("uint16")).resize(size)
