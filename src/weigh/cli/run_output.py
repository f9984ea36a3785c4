"""What a model answers, on the screen, as JSON and into files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import msgspec

from weigh.cli.run_files import LISTS, STANDARD, Place, path_of, usual_place, write
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
    work_of,
)
from weigh.text import Language, safe, say
from weigh.text.answers import array_line, label_line, npy, ranking, rows, srt, vtt

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_TOLD_AS_TEXT = ("chat", "complete", "transcribe", "rerank", "classify", "detect")


class Output(Value, frozen=True, kw_only=True):
    """How it is wanted. `name` is the model's, for files that nobody named."""

    language: Language
    name: str
    as_json: bool
    quiet: bool
    is_srt: bool
    top: int | None = None
    place: Place | None = None


class Told:
    """Takes events as they come, shows what can be shown at once, and the rest at the end."""

    def __init__(self, output: Output, job: Job) -> None:
        self.text = ""
        self._output = output
        self._job = job
        self._lines: list[str] = []
        self._file = _text_file(output.place, job)
        self._is_whole = True
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
        self._is_whole = False
        self._json["error"] = {"kind": fault.kind, "message": safe(fault.detail)}

    def end(self) -> int:
        """What can be said only now. 2 where an answer does not satisfy the schema that was asked for, else 0."""
        if self._bar is not None:
            self._bar.stop()
        if self._output.is_srt and not self._output.as_json and self._file is None:
            click.echo(srt(self._segments), nl=False)
        self._sum_up()
        is_unmet = self._is_whole and self._is_unmet()
        if is_unmet:
            unmet = say("error.run.schema_unmet", self._output.language)
            self._json["error"] = {"message": unmet}
            click.echo(unmet, err=True)
        elif self._file is not None and self._is_whole:
            self._write_text(self._file)
        if self._output.as_json:
            from weigh.text.document import to_json

            click.echo(to_json(self._json, self._output.language))
        elif self._file is None and self.text and not self.text.endswith("\n"):
            click.echo()
        return 2 if is_unmet else 0

    def _sum_up(self) -> None:
        if self._segments:
            self._json["segments"] = [{"text": one.text, "start": one.start, "end": one.end} for one in self._segments]
            self._json["text"] = " ".join(one.text.strip() for one in self._segments)

    def _is_unmet(self) -> bool:
        """An answer that broke off is no JSON, and an engine may not know schemas at all."""
        if getattr(self._job, "schema", None) is None:
            return False
        try:
            msgspec.json.decode(self.text)
        except (msgspec.DecodeError, RecursionError):
            return True
        return False

    def _write_text(self, place: Place) -> None:
        from weigh.text.document import to_json

        match place.form:
            case "json":
                told = to_json(self._json, self._output.language) + "\n"
            case "vtt":
                told = vtt(self._segments)
            case _ if place.form == "srt" or self._output.is_srt:
                told = srt(self._segments)
            case _:
                told = self.text or "\n".join(self._lines)
                told += "" if told.endswith("\n") or not told else "\n"
        self._keep(place, told.encode("utf-8", "surrogatepass"))

    def _keep(self, place: Place, data: bytes, **about: object) -> None:
        """In a file; its path is said."""
        self._files += 1
        path = path_of(place, self._files)
        write(path, data)
        self._json.setdefault("files", []).append({"path": path, **about})
        if not self._output.as_json and path != STANDARD:
            click.echo(path)

    def _say(self, line: str) -> None:
        """To the screen, or into the file that was asked for."""
        if self._file is not None:
            self._lines.append(line)
        elif not self._output.as_json:
            click.echo(line)

    def _delta(self, event: Delta) -> None:
        self.text += event.text
        self._json["text"] = self.text
        if event.reasoning:
            self._json["reasoning"] = self._json.get("reasoning", "") + event.reasoning
        if not self._output.as_json and self._file is None:
            sys.stdout.write(event.text)
            sys.stdout.flush()

    def _segment(self, event: Segment) -> None:
        self._segments.append(event)
        if not self._output.is_srt:
            self._say(event.text.strip())

    def _done(self, event: Done) -> None:
        self._json |= {"finish_reason": event.finish_reason, "usage": _usage(event)}

    def _media(self, event: Media) -> None:
        from weigh.engines.forms import reformed

        place = self._place()
        self._keep(place, reformed(event, place.form), mime=event.mime, seed=event.seed)

    def _place(self) -> Place:
        return self._output.place or usual_place(work_of(self._job), self._output.name)

    def _vectors(self, event: Vectors) -> None:
        from weigh.text.document import to_json

        place = self._output.place
        if place is not None and place.form == "npy":
            self._keep(place, npy(event))
            return
        vectors = rows(event)
        self._json["embeddings"] = vectors
        if place is not None:
            self._keep(place, to_json(vectors, self._output.language, indent=0).encode())
        elif not self._output.as_json:
            for vector in vectors:
                click.echo(to_json(vector, self._output.language, indent=0))

    def _tensors(self, event: Tensors) -> None:
        from weigh.engines.arrays import npz

        self._json["outputs"] = [{"name": one.name, "dtype": one.dtype, "shape": one.shape} for one in event.arrays]
        place = self._place()
        if not self._output.as_json and not place.is_standard:
            for line in map(array_line, event.arrays):
                click.echo(line)
        self._keep(place, npz(event.arrays))

    def _scores(self, event: Scores) -> None:
        assert isinstance(self._job, Rerank)
        ranked = ranking(event.scores, self._job.documents)[: self._output.top]
        self._json["results"] = [{"index": at, "score": score, "document": text} for at, score, text in ranked]
        for at, score, text in ranked:
            self._say(say("run.ranked", self._output.language, score=f"{score:.4f}", index=at, text=text))

    def _labels(self, event: Labels) -> None:
        self._json["labels"] = [
            {"label": one.label, "score": one.score, **({"box": one.box} if one.box else {})} for one in event.labels
        ]
        place, image = self._output.place, getattr(self._job, "image", None)
        is_drawn = place is not None and place.form not in LISTS and isinstance(image, bytes)
        if not (is_drawn and place is not None and place.is_standard):
            for one in event.labels:
                self._say(label_line(one))
        if is_drawn and place is not None and isinstance(image, bytes):
            from weigh.engines.boxes import drawn
            from weigh.engines.forms import reformed

            picture = Media(mime="image/png", data=drawn(image, event.labels))
            self._keep(place, reformed(picture, place.form))

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


def _text_file(place: Place | None, job: Job) -> Place | None:
    """Where text goes that would else be shown: standard output needs no file."""
    if place is None or place.is_standard or work_of(job) not in _TOLD_AS_TEXT:
        return None
    return place if work_of(job) != "detect" or place.form in LISTS else None
