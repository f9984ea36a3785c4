"""How fast a model really is: the same job several times, each figure with its middle and its spread."""

from __future__ import annotations

import statistics
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple

from weigh.core.engine import Running
from weigh.core.errors import BadReference, EngineError
from weigh.core.fit import Fit, Interval
from weigh.core.value import Value
from weigh.core.work import (
    Chat,
    Classify,
    Complete,
    Delta,
    Depth,
    Detect,
    Done,
    Embed,
    Event,
    Fault,
    Job,
    MakeImage,
    MakeSound,
    MakeVideo,
    Media,
    Message,
    Piece,
    Rerank,
    Sampling,
    Speak,
    Transcribe,
    Work,
)

WORDS = ("scales", "tell", "how", "heavy", "a", "model", "is", "before", "it", "runs")
BATCH = 32  # texts that are embedded or ranked together
SECONDS = 5.0  # of the sound that is transcribed
HALVINGS = 10
_RATE = 16_000
_KINDS = ("image", "text", "audio")  # what may be classified

Clock = Callable[[], float]


class Size(Value, frozen=True, kw_only=True):
    """How much is asked for: words of a prompt, tokens of an answer, steps and size of a picture; runs after one."""

    runs: int = 5
    prompt: int = 256
    tokens: int = 64
    steps: int | None = None
    width: int | None = None
    height: int | None = None


class Figure(Value, frozen=True, kw_only=True):
    """One speed: each run's, the middle, the least and the most; what `fit` says of it, and how far that is off."""

    name: str
    runs: tuple[float, ...]
    median: float
    low: float
    high: float
    predicted: Interval | None = None
    ratio: float | None = None


class Tick(NamedTuple):
    """An event, and when it came."""

    at: float
    event: Event


class Trial(NamedTuple):
    """One run: when it began, and what came."""

    began: float
    ticks: Sequence[Tick]

    @property
    def seconds(self) -> float:
        """From the question to the end."""
        return max(self.ticks[-1].at - self.began, 1e-9)


async def bench(
    model: Running, work: Work, size: Size, clock: Clock, tell: Callable[[int, int], None]
) -> tuple[Figure, ...]:
    """The first run is not counted. Raises EngineError where the model cannot do it, BadReference without a job."""
    if work not in _JOBS and work != "classify":
        raise BadReference("bench.not_measured", work=work)
    words, kind = await _tried(model, work, size, clock)
    trials = []
    for run in range(size.runs):
        tell(run, size.runs)
        trial = await _trial(model, _job(work, size, words, run, kind), clock)
        if isinstance(fault := trial.ticks[-1].event, Fault):
            raise EngineError("index.fault", detail=fault.detail)
        trials.append(trial)
    tell(size.runs, size.runs)
    return tuple(_figures([dict(_measured(work, trial)) for trial in trials]))


async def _tried(model: Running, work: Work, size: Size, clock: Clock) -> tuple[int, str]:
    """How long a prompt it takes, and what it classifies; the last of each where nothing goes."""
    kind, words = "", size.prompt
    for kind in _KINDS if work == "classify" else ("",):
        words = size.prompt
        for _ in range(HALVINGS):
            fault = (await _trial(model, _job(work, size, words, -1, kind), clock)).ticks[-1].event
            if not (isinstance(fault, Fault) and fault.kind == "context_overflow"):
                break
            words = max(words // 2, 1)
        if not isinstance(fault, Fault):
            break
    return words, kind


def beside(figures: Sequence[Figure], fit: Fit | None) -> tuple[Figure, ...]:
    """With what `fit` predicts of each, where it does."""
    speed = fit.speed if fit is not None else None
    known = {"decode": speed.decode, "prefill": speed.prefill} if speed is not None else {}
    known["first_token"] = _first(figures, known.get("prefill"))
    return tuple(_beside(figure, known.get(figure.name)) for figure in figures)


def _first(figures: Sequence[Figure], prefill: Interval | None) -> Interval | None:
    """The time that the prompt takes: its tokens are those that were read in the time that was measured."""
    median = {figure.name: figure.median for figure in figures}
    if prefill is None or prefill.low <= 0 or not {"first_token", "prefill"} <= median.keys():
        return None
    tokens = median["first_token"] * median["prefill"]
    low, typical, high = (round(tokens / rate, 4) for rate in (prefill.high, prefill.typical, prefill.low))
    return Interval(low=low, typical=typical, high=high)


def _beside(figure: Figure, predicted: Interval | None) -> Figure:
    if predicted is None or not predicted.typical:
        return figure
    ratio = round(figure.median / predicted.typical, 4)
    return Figure(
        name=figure.name, runs=figure.runs, median=figure.median, low=figure.low, high=figure.high,
        predicted=predicted, ratio=ratio,
    )  # fmt: skip


async def _trial(model: Running, job: Job, clock: Clock) -> Trial:
    began = clock()
    ticks: list[Tick] = []
    async with aclosing(model.run(job)) as events:
        async for event in events:
            ticks.append(Tick(clock(), event))
    return Trial(began, ticks)


def _figures(runs: Sequence[Mapping[str, float]]) -> Iterator[Figure]:
    for name in dict.fromkeys(name for run in runs for name in run):
        values = tuple(round(run[name], 4) for run in runs if name in run)
        yield Figure(name=name, runs=values, median=statistics.median(values), low=min(values), high=max(values))


def _measured(work: Work, trial: Trial) -> Iterator[tuple[str, float]]:
    """Each speed of one run by its name."""
    match work:
        case "chat" | "complete":
            yield from _tokens(trial)
        case "embed":
            yield "embeddings", BATCH / trial.seconds
        case "rerank":
            yield "documents", BATCH / trial.seconds
        case "image":
            yield "images", 60 * _media(trial) / trial.seconds
        case "video":
            yield "videos", 60 * _media(trial) / trial.seconds
        case "speak" | "sound":
            yield "audio", sum(_sound_seconds(tick.event) for tick in trial.ticks) / trial.seconds
        case "transcribe":
            yield "audio", SECONDS / trial.seconds
        case _:
            yield "pictures", 1 / trial.seconds


def _tokens(trial: Trial) -> Iterator[tuple[str, float]]:
    """The prompt is read until the first token comes; the others come one by one."""
    said = [tick.at for tick in trial.ticks if isinstance(tick.event, Delta)]
    done = trial.ticks[-1].event
    if not said or not isinstance(done, Done):
        return
    first = max(said[0] - trial.began, 1e-9)
    yield "first_token", first
    if read := done.usage.prompt_tokens - done.usage.cached_tokens:
        yield "prefill", read / first
    if done.usage.completion_tokens > 1 and said[-1] > said[0]:
        yield "decode", (done.usage.completion_tokens - 1) / (said[-1] - said[0])


def _media(trial: Trial) -> int:
    return sum(isinstance(tick.event, Media) for tick in trial.ticks)


def _sound_seconds(event: Event) -> float:
    """By the head of a WAV: bytes of its samples over bytes a second."""
    if not isinstance(event, Media) or event.data[:4] != b"RIFF":
        return 0.0
    (rate,) = struct.unpack_from("<I", event.data, 28)
    return (len(event.data) - 44) / rate if rate else 0.0


def _job(work: Work, size: Size, words: int, run: int, kind: str) -> Job:
    """Each run has another beginning: what was kept of the one before is of no use to it."""
    if work == "classify":
        pieces = {
            "image": lambda: Piece(image=_picture()),
            "text": lambda: Piece(text=" ".join(WORDS)),
            "audio": lambda: Piece(audio=_sound()),
        }
        return Classify(piece=pieces[kind](), labels=WORDS[:2])
    text = " ".join((f"{run + 2}", *(WORDS[at % len(WORDS)] for at in range(words))))
    return _JOBS[work](text, size, run)


def _sampling(size: Size) -> Sampling:
    return Sampling(max_tokens=size.tokens, temperature=0.0, seed=1)


def _chat(text: str, size: Size, run: int) -> Job:
    return Chat(messages=(Message(role="user", pieces=(Piece(text=text),)),), sampling=_sampling(size))


def _texts(run: int) -> tuple[str, ...]:
    return tuple(" ".join((f"{run + 2}", str(at), *WORDS)) for at in range(BATCH))


def _picture() -> bytes:
    """A PNG of 256 by 256, each point of another grey. Source: https://www.w3.org/TR/png-3/"""
    rows = b"".join(b"\0" + bytes((x ^ y) & 255 for x in range(256)) for y in range(256))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    made = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


def _sound() -> bytes:
    """A WAV of SECONDS, sixteen bits, one channel: a saw of 100 Hz."""
    samples = b"".join(struct.pack("<h", (at % 160) * 100 - 8000) for at in range(int(SECONDS * _RATE)))
    kind = struct.pack("<HHIIHH", 1, 1, _RATE, 2 * _RATE, 2, 16)
    chunks = b"WAVE" + b"fmt " + struct.pack("<I", len(kind)) + kind + b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(chunks) + len(samples)) + chunks + samples


_JOBS: Mapping[Work, Callable[[str, Size, int], Job]] = {
    "chat": _chat,
    "complete": lambda text, size, run: Complete(prompt=text, sampling=_sampling(size)),
    "depth": lambda text, size, run: Depth(image=_picture()),
    "detect": lambda text, size, run: Detect(image=_picture(), labels=WORDS[:2]),
    "embed": lambda text, size, run: Embed(pieces=tuple(Piece(text=text) for text in _texts(run)), purpose="document"),
    "image": lambda text, size, run: MakeImage(
        prompt=" ".join(WORDS), steps=size.steps, width=size.width, height=size.height, seed=run + 2
    ),
    "rerank": lambda text, size, run: Rerank(query=text[:100], documents=_texts(run)),
    "sound": lambda text, size, run: MakeSound(prompt=" ".join(WORDS), steps=size.steps, seconds=SECONDS, seed=run + 2),
    "speak": lambda text, size, run: Speak(text=" ".join(WORDS), seed=run + 2),
    "transcribe": lambda text, size, run: Transcribe(audio=_sound()),
    "video": lambda text, size, run: MakeVideo(
        prompt=" ".join(WORDS), steps=size.steps, width=size.width, height=size.height, seed=run + 2
    ),
}
