"""What a model answers, on the screen, as JSON and into files."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from weigh.core.errors import SourceError
from weigh.core.schema import SCHEMA
from weigh.core.value import Value
from weigh.core.work import (
    Delta,
    Done,
    Event,
    Fault,
    Job,
    Labels,
    Media,
    Progress,
    Rerank,
    Scores,
    Segment,
    Tensors,
    Vectors,
)
from weigh.text import Language, safe, say
from weigh.text.answers import array_line, label_line, npy, ranking, rows, srt

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_SUFFIXES = {"image/png": "png", "audio/wav": "wav", "video/mp4": "mp4"}


class Output(Value, frozen=True, kw_only=True):
    """How it is wanted. `name` is the model's, for files that nobody named."""

    language: Language
    name: str
    as_json: bool
    quiet: bool
    is_srt: bool
    out: str | None


class Told:
    """Takes events as they come, shows what can be shown at once, and the rest at the end."""

    def __init__(self, output: Output, job: Job) -> None:
        self.text = ""
        self._output = output
        self._job = job
        self._json: dict[str, Any] = {"schema": SCHEMA}
        self._segments: list[Segment] = []
        self._files = 0
        self._bar: Bar | None = None
        self._takers: dict[type, Callable[[Any], None]] = {
            Delta: self._delta,
            Done: self._done,
            Labels: self._labels,
            Media: self._media,
            Progress: self._step,
            Scores: self._scores,
            Segment: self._segment,
            Tensors: self._tensors,
            Vectors: self._vectors,
        }

    def take(self, event: Event) -> None:
        """One event. Raises SourceError for a file that cannot be written."""
        if (taker := self._takers.get(type(event))) is not None:
            taker(event)

    def fail(self, fault: Fault) -> None:
        """It broke off: what came until then stays."""
        self._json["error"] = {"kind": fault.kind, "message": safe(fault.detail)}

    def end(self) -> None:
        """What can be said only now."""
        if self._bar is not None:
            self._bar.stop()
        if self._output.is_srt and not self._output.as_json:
            click.echo(srt(self._segments), nl=False)
        if self._segments:
            self._json["segments"] = [{"text": one.text, "start": one.start, "end": one.end} for one in self._segments]
            self._json["text"] = " ".join(one.text.strip() for one in self._segments)
        if self._output.as_json:
            from weigh.text.document import to_json

            click.echo(to_json(self._json, self._output.language))
        elif self.text and not self.text.endswith("\n"):
            click.echo()

    def _delta(self, event: Delta) -> None:
        self.text += event.text
        self._json["text"] = self.text
        if event.reasoning:
            self._json["reasoning"] = self._json.get("reasoning", "") + event.reasoning
        if not self._output.as_json:
            sys.stdout.write(event.text)
            sys.stdout.flush()

    def _segment(self, event: Segment) -> None:
        self._segments.append(event)
        if not self._output.as_json and not self._output.is_srt:
            click.echo(event.text.strip())

    def _done(self, event: Done) -> None:
        self._json |= {"finish_reason": event.finish_reason, "usage": _usage(event)}

    def _media(self, event: Media) -> None:
        self._files += 1
        path = self._place(_SUFFIXES[event.mime])
        _write(path, event.data)
        self._json.setdefault("files", []).append({"path": path, "mime": event.mime, "seed": event.seed})
        if not self._output.as_json:
            click.echo(path)

    def _place(self, suffix: str) -> str:
        """As named; a number before the suffix from the second file on."""
        named = self._output.out or f"{self._output.name.rpartition('/')[2]}.{suffix}"
        if self._files == 1:
            return named
        stem, dot, end = named.rpartition(".")
        return f"{stem}-{self._files}.{end}" if dot else f"{named}-{self._files}"

    def _vectors(self, event: Vectors) -> None:
        out = self._output.out
        if out is not None and out.endswith(".npy"):
            _write(out, npy(event))
            self._json["files"] = [{"path": out}]
            return
        vectors = rows(event)
        self._json["embeddings"] = vectors
        from weigh.text.document import to_json

        if out is not None:
            _write(out, to_json(vectors, self._output.language, indent=0).encode())
        elif not self._output.as_json:
            for vector in vectors:
                click.echo(to_json(vector, self._output.language, indent=0))

    def _tensors(self, event: Tensors) -> None:
        from weigh.engines.arrays import npz

        self._files += 1
        path = self._place("npz")
        _write(path, npz(event.arrays))
        told = [{"name": one.name, "dtype": one.dtype, "shape": one.shape} for one in event.arrays]
        self._json |= {"files": [{"path": path}], "outputs": told}
        if not self._output.as_json:
            for line in map(array_line, event.arrays):
                click.echo(line)
            click.echo(path)

    def _scores(self, event: Scores) -> None:
        assert isinstance(self._job, Rerank)
        ranked = ranking(event.scores, self._job.documents)
        self._json["results"] = [{"index": at, "score": score, "document": text} for at, score, text in ranked]
        if not self._output.as_json:
            for at, score, text in ranked:
                click.echo(say("run.ranked", self._output.language, score=f"{score:.4f}", index=at, text=text))

    def _labels(self, event: Labels) -> None:
        self._json["labels"] = [
            {"label": one.label, "score": one.score, **({"box": one.box} if one.box else {})} for one in event.labels
        ]
        if not self._output.as_json:
            for one in event.labels:
                click.echo(label_line(one))
        self._draw(event)

    def _draw(self, event: Labels) -> None:
        image = getattr(self._job, "image", None)
        if self._output.out is None or not isinstance(image, bytes):
            return
        from weigh.engines.boxes import drawn

        _write(self._output.out, drawn(image, event.labels))

    def _step(self, event: Progress) -> None:
        if self._output.quiet or not sys.stderr.isatty():
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._bar.add_task("", total=event.number)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=event.done, total=event.number)


def _usage(event: Done) -> dict[str, int]:
    return {"prompt_tokens": event.usage.prompt_tokens, "completion_tokens": event.usage.completion_tokens}


def _write(path: str, data: bytes) -> None:
    """Whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".weigh-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        raise SourceError("run.cannot_write", path=path, reason=error.strerror or str(error)) from error
