"""Texts and pictures by an ONNX repository of CLIP's kind: one graph, or one for each of the two."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from typing import Any

from weigh.core.engine import Failed, Launch, Ready
from weigh.core.work import Classify, Done, Embed, Event, Fault, Job, Label, Labels, Piece, Vectors, work_of
from weigh.engines.media import picture_of
from weigh.engines.onnx_pictured import pixels_of, preparation_of
from weigh.engines.repository import longest_of, table, tokenizer_of

_PROMPT = "This is a photo of {}."  # as the library asks about a label


class Paired:
    """One job at a time. `looks` and `reads` may be one session."""

    def __init__(self, looks: Any, reads: Any, launch: Launch) -> None:
        self._looks, self._reads = looks, reads
        self._config = table(launch.path, "config.json")
        self._says = preparation_of(launch.path)
        longest = table(launch.path, "tokenizer_config.json").get("model_max_length") or longest_of(launch.path)
        self._tokenizer = tokenizer_of(launch.path, longest)
        self._fill(launch.path, longest)
        self.ready = Ready(works=("classify", "embed"), parallel=1, context_length=longest)

    def _fill(self, path: str, longest: int) -> None:
        """Texts of a batch are as long as the longest; SigLIP wants each as long as can be."""
        pad = table(path, "tokenizer_config.json").get("pad_token")
        pad = pad.get("content") if isinstance(pad, dict) else pad
        number = self._tokenizer.token_to_id(pad) if isinstance(pad, str) else None
        length = longest if self._is_siglip() else None
        self._tokenizer.enable_padding(pad_id=number or 0, pad_token=pad or "", length=length)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Labels, or vectors of unit length."""
        match job:
            case Classify():
                yield Labels(labels=self._labels(job))
            case Embed():
                yield self._embedded(job)
            case _:
                yield Fault(kind="unsupported", detail=f"this model does not {work_of(job)}")
                return
        yield Done()

    def _labels(self, job: Classify) -> tuple[Label, ...]:
        import numpy

        if job.piece.image is None:
            raise Failed(Fault(kind="bad_input", detail="it classifies image: give it one"))
        if not job.labels:
            raise Failed(Fault(kind="bad_input", detail="name the labels to try: it has none of its own"))
        fed = {**self._text([_PROMPT.format(one) for one in job.labels]), **self._picture(job.piece.image)}
        if self._looks is not self._reads or "logits_per_image" not in _outputs(self._looks):
            detail = "labels are tried with model.onnx, the whole graph: these only embed"
            raise Failed(Fault(kind="unsupported", detail=detail))
        logits = _told(self._looks, fed, "logits_per_image")[0].astype("float64")
        raised = numpy.exp(logits - logits.max())
        shares = 1 / (1 + numpy.exp(-logits)) if self._is_siglip() else raised / raised.sum()
        order = numpy.argsort(-shares, kind="stable")[: job.top]
        return tuple(Label(label=job.labels[at], score=float(shares[at])) for at in order)

    def _embedded(self, job: Embed) -> Vectors:
        import numpy

        rows = numpy.concatenate([self._row(piece) for piece in job.pieces])
        rows = rows[:, : job.dimensions]
        rows = rows / ((rows**2).sum(axis=1, keepdims=True) ** 0.5).clip(1e-12)
        return Vectors(dimensions=int(rows.shape[1]), data=rows.astype("<f4").tobytes())

    def _row(self, piece: Piece) -> Any:
        if piece.image is not None:
            return self._of(self._looks, self._picture(piece.image), ("image_embeds", "pooler_output"))
        if piece.text is None:
            raise Failed(Fault(kind="unsupported", detail="it embeds texts and pictures alone"))
        return self._of(self._reads, self._text([piece.text]), ("text_embeds", "pooler_output"))

    def _of(self, session: Any, fed: dict[str, Any], wanted: Sequence[str]) -> Any:
        """One graph for both wants both: what is not asked about is empty."""
        output = next((name for name in wanted if name in _outputs(session)), None)
        if output is None:
            raise Failed(Fault(kind="unsupported", detail=f"its graph gives no {wanted[0]}"))
        if self._looks is self._reads:
            fed = {**self._text([""]), **self._blank(), **fed}
        return _told(session, fed, output)

    def _text(self, texts: list[str]) -> dict[str, Any]:
        import numpy

        read = self._tokenizer.encode_batch(texts)
        ids = numpy.array([one.ids for one in read], dtype="int64")
        return {"input_ids": ids, "attention_mask": numpy.array([one.attention_mask for one in read], dtype="int64")}

    def _picture(self, image: bytes) -> dict[str, Any]:
        return {"pixel_values": pixels_of(picture_of(image), self._says)}

    def _blank(self) -> dict[str, Any]:
        from PIL import Image

        return {"pixel_values": pixels_of(Image.new("RGB", (8, 8)), self._says)}

    def _is_siglip(self) -> bool:
        return str(self._config.get("model_type", "")).startswith("siglip")


def _outputs(session: Any) -> list[str]:
    return [one.name for one in session.get_outputs()]


def _told(session: Any, fed: dict[str, Any], output: str) -> Any:
    inputs = {one.name for one in session.get_inputs()}
    return session.run([output], {name: value for name, value in fed.items() if name in inputs})[0]
