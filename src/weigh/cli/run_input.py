"""What a user gives to `weigh run`: options, texts, files, standard input."""

from __future__ import annotations

import os
import sys
from typing import TextIO
from urllib.parse import urlsplit

import click
import msgspec

from weigh.app.ask import Given, kind_of
from weigh.cli.fetched import fetched, is_address
from weigh.core.errors import BadReference, SourceError
from weigh.core.finding import Severity
from weigh.core.value import Value
from weigh.core.work import Array, Piece, Sampling, Work

MOST_FILE = 512 << 20
MOST_LINES = 100_000
TOP = 5
_LOOKED_AT = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".bmp",
    ".wav",
    ".mp3",
    ".flac",
    ".ogg",
    ".opus",
    ".m4a",
    ".npz",
)


class Options(Value, frozen=True, kw_only=True):
    """Each option of the command, as given."""

    work: Work | None
    out: str | None
    system: str | None
    schema: str | None
    suffix: str | None
    thinking: bool | None
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    seed: int | None
    stop: tuple[str, ...]
    image: str | None
    mask: str | None
    audio: str | None
    documents: tuple[str, ...]
    documents_file: str | None
    labels: tuple[str, ...]
    threshold: float
    top: int | None
    dimensions: int | None
    language: str | None
    translate: bool
    srt: bool
    voice: str | None
    speed: float | None
    negative: str | None
    size: str | None
    steps: int | None
    guidance: float | None
    strength: float | None
    count: int
    seconds: float | None
    frames: int | None
    fps: int | None
    engine: str | None
    device: str | None
    context: int | None
    n_gpu_layers: int | None
    kv: str | None
    threads: int | None
    projector: str | None
    address: str | None
    name: str | None
    allow_pickle: bool | None
    trust_remote_code: bool | None
    fail_on: Severity
    policy: str | None
    anyway: bool
    index: str | None
    index_file: str | None
    query: str | None
    rerank: str | None


def given_of(text: str | None, options: Options, *, offline: bool) -> Given:
    """INPUT may be a text, a file of text, a picture, a sound or arrays, an address of one, or `-`.

    Raises SourceError, BadReference.
    """
    found = input_of(text, offline=offline)
    width, height = size_of(options.size)
    asked = Given(
        system=_text(options.system),
        suffix=_text(options.suffix),
        schema=_schema(options.schema),
        thinking=options.thinking,
        sampling=_sampling(options),
        documents=(*options.documents, *_lines(options.documents_file)),
        labels=options.labels,
        threshold=options.threshold,
        top=options.top or TOP,
        dimensions=options.dimensions,
        language=options.language,
        translate=options.translate,
        voice=options.voice,
        speed=options.speed,
        negative=options.negative,
        width=width,
        height=height,
        steps=options.steps,
        guidance=options.guidance,
        seed=options.seed,
        count=options.count,
        strength=options.strength,
        seconds=options.seconds,
        frames=options.frames,
        fps=options.fps,
        image=_file(options.image, offline=offline),
        audio=_file(options.audio, offline=offline),
        mask=_file(options.mask, offline=offline),
    )
    return msgspec.structs.replace(asked, **found)


def question_of(text: str | None, *, offline: bool) -> Piece | None:
    """What is searched by: a text, a picture, or a file of either. Raises SourceError, BadReference."""
    found = input_of(text, offline=offline)
    match found.get("image"), found.get("text"):
        case bytes(image), _:
            return Piece(image=image)
        case _, str(said) if said.strip():
            return Piece(text=said)
        case _, str():
            raise BadReference("index.no_query")
    if found:
        raise BadReference("index.query_kind")
    return None


def next_line(stream: TextIO, *, quiet: bool = False) -> str | None:
    """What is typed next; None at the end."""
    if stream.isatty() and not quiet:
        click.echo("> ", nl=False, err=True)
    line = stream.readline()
    return line.rstrip("\n") if line else None


def input_of(text: str | None, *, offline: bool) -> dict[str, str | bytes | tuple[Array, ...]]:
    if text is None:
        return {}
    if text == "-":
        data = sys.stdin.buffer.read(MOST_FILE)
    elif _is_file(text):
        data = _read(text)
    elif is_address(text) and urlsplit(text).path.lower().endswith(_LOOKED_AT):
        data = fetched(text, MOST_FILE, offline=offline)
    elif text.lower().endswith(_LOOKED_AT) and len(text.split()) == 1:
        data = _read(text)  # a file that is not there, and no words
    else:
        return {"text": text}
    kind = kind_of(data)
    if kind == "arrays":
        from weigh.engines.arrays import arrays_from

        return {"arrays": arrays_from(data, text)}
    return {kind: data} if kind != "text" else {"text": data.decode("utf-8", "replace")}


def _is_file(text: str) -> bool:
    return len(text) < 4096 and "\0" not in text and os.path.isfile(text)


def _text(said: str | None) -> str | None:
    """As said, or what a file of this name holds."""
    return said if said is None or not _is_file(said) else _read(said).decode("utf-8", "replace")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_FILE + 1)
    except OSError as error:
        raise SourceError("cannot_read", path=path, reason=error.strerror or str(error)) from error
    if len(data) > MOST_FILE:
        raise SourceError("run.too_long", path=path, most=MOST_FILE)
    return data


def _file(path: str | None, *, offline: bool) -> bytes | None:
    if path is None:
        return None
    return fetched(path, MOST_FILE, offline=offline) if is_address(path) else _read(path)


def _lines(path: str | None) -> list[str]:
    if path is None:
        return []
    data = sys.stdin.buffer.read(MOST_FILE) if path == "-" else _read(path)
    return [line for line in data.decode("utf-8", "replace").splitlines()[:MOST_LINES] if line.strip()]


def _schema(given: str | None) -> str | None:
    """JSON, or a file of it. Raises BadReference for neither."""
    if given is None:
        return None
    text = given if given.lstrip().startswith("{") else _read(given).decode("utf-8", "replace")
    try:
        msgspec.json.decode(text, type=dict)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadReference("run.schema", problem=str(error)) from error
    return text


def size_of(text: str | None) -> tuple[int | None, int | None]:
    """Across and down, of `WxH`. Raises BadReference."""
    if text is None:
        return None, None
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and 0 < int(width) <= 1 << 14 and 0 < int(height) <= 1 << 14):
        raise BadReference("run.size", size=text)
    return int(width), int(height)


def _sampling(options: Options) -> Sampling:
    return Sampling(
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        top_p=options.top_p,
        seed=options.seed,
        stop=options.stop,
    )
