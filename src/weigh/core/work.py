"""What a running model is asked to do, and what it answers, piece by piece."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from weigh.core.value import Value

Work = Literal[
    "chat",
    "complete",
    "embed",
    "rerank",
    "classify",
    "detect",
    "depth",
    "transcribe",
    "speak",
    "sound",
    "image",
    "video",
    "compute",
]
WORKS: tuple[Work, ...] = get_args(Work)
FaultKind = Literal[
    "bad_input", "context_overflow", "unsupported", "out_of_memory", "timed_out", "engine_died", "cancelled", "failed"
]
FinishReason = Literal["stop", "length", "tool_calls", "cancelled"]


class Sampling(Value, frozen=True, kw_only=True):
    """How the next token is drawn. None leaves it to the model's own generation settings."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repeat_penalty: float | None = None
    top_logprobs: int | None = None


class Piece(Value, frozen=True, kw_only=True):
    """A stretch of text, a picture or a sound; exactly one of them. Pictures and sounds are whole files' bytes."""

    text: str | None = None
    image: bytes | None = None
    audio: bytes | None = None


class ToolCall(Value, frozen=True, kw_only=True):
    """`arguments` is JSON as the model wrote it; `index` tells calls of one answer apart."""

    index: int = 0
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class Message(Value, frozen=True, kw_only=True):
    """One turn. `name` and `tool_call_id` belong to the role `tool`."""

    role: str
    pieces: tuple[Piece, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None


class Tool(Value, frozen=True, kw_only=True):
    """`parameters` is a JSON Schema, as text."""

    name: str
    description: str | None = None
    parameters: str | None = None


class Chat(Value, frozen=True, kw_only=True, tag="chat", tag_field="work"):
    """`tool_choice`: auto, none, required or a tool's name. `schema` is the JSON Schema that the answer must satisfy.

    `thinking` asks a model that can for its reasoning, or for none; `count` for so many answers.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    schema: str | None = None
    thinking: bool | None = None
    sampling: Sampling = Sampling()


class Complete(Value, frozen=True, kw_only=True, tag="complete", tag_field="work"):
    """The text that follows `prompt`; with a `suffix`, the text between the two (fill in the middle)."""

    prompt: str
    suffix: str | None = None
    schema: str | None = None
    echo: bool | None = None
    sampling: Sampling = Sampling()


class Embed(Value, frozen=True, kw_only=True, tag="embed", tag_field="work"):
    """One vector a piece. `purpose` picks the model's own prompt: for a query, or for what is searched."""

    pieces: tuple[Piece, ...]
    purpose: Literal["query", "document"] | None = None
    dimensions: int | None = None


class Rerank(Value, frozen=True, kw_only=True, tag="rerank", tag_field="work"):
    """How well each document answers the query."""

    query: str
    documents: tuple[str, ...]


class Classify(Value, frozen=True, kw_only=True, tag="classify", tag_field="work"):
    """What a picture, a sound or a text is; `labels` are tried where the model has none of its own (zero-shot)."""

    piece: Piece
    labels: tuple[str, ...] = ()
    top: int = 5


class Detect(Value, frozen=True, kw_only=True, tag="detect", tag_field="work"):
    """Where in a picture things are. `threshold` is the least score, from 0 to 1."""

    image: bytes
    labels: tuple[str, ...] = ()
    threshold: float = 0.5


class Depth(Value, frozen=True, kw_only=True, tag="depth", tag_field="work"):
    """How far each point of a picture is, as a picture of 16 bits."""

    image: bytes


class Transcribe(Value, frozen=True, kw_only=True, tag="transcribe", tag_field="work"):
    """What is said in a sound; `translate` puts it into English. `language` is a code of ISO 639-1."""

    audio: bytes
    language: str | None = None
    prompt: str | None = None
    translate: bool = False


class Speak(Value, frozen=True, kw_only=True, tag="speak", tag_field="work"):
    """A text read aloud."""

    text: str
    voice: str | None = None
    speed: float | None = None
    seed: int | None = None


class MakeSound(Value, frozen=True, kw_only=True, tag="sound", tag_field="work"):
    """Music or a sound from words."""

    prompt: str
    negative: str | None = None
    seconds: float | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None


class MakeImage(Value, frozen=True, kw_only=True, tag="image", tag_field="work"):
    """A picture from words; from another (`image`, changed by `strength`); where a `mask` is white, redrawn."""

    prompt: str
    negative: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    count: int = 1
    image: bytes | None = None
    mask: bytes | None = None
    strength: float | None = None


class MakeVideo(Value, frozen=True, kw_only=True, tag="video", tag_field="work"):
    """A film from words, or from a first picture. `frames` in number, `fps` a second."""

    prompt: str
    negative: str | None = None
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    fps: int | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    image: bytes | None = None


class Array(Value, frozen=True, kw_only=True):
    """Elements row by row, little-endian; `dtype` is numpy's name. Without a name it goes by its place."""

    name: str = ""
    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Compute(Value, frozen=True, kw_only=True, tag="compute", tag_field="work"):
    """What a plain model makes of its inputs; those without a name are taken in its own order."""

    arrays: tuple[Array, ...]


Job = (
    Chat
    | Complete
    | Embed
    | Rerank
    | Classify
    | Detect
    | Depth
    | Transcribe
    | Speak
    | MakeSound
    | MakeImage
    | MakeVideo
    | Compute
)


class Delta(Value, frozen=True, kw_only=True, tag="delta", tag_field="event"):
    """What came next of a text. `logprobs` is JSON in OpenAI's form, where it was asked for."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: str | None = None


class Vectors(Value, frozen=True, kw_only=True, tag="vectors", tag_field="event"):
    """`data` holds rows of `dimensions` F32, little-endian, one row a piece, in order."""

    dimensions: int
    data: bytes


class Scores(Value, frozen=True, kw_only=True, tag="scores", tag_field="event"):
    """One score a document, in the order of the documents."""

    scores: tuple[float, ...]


class Label(Value, frozen=True, kw_only=True):
    """`box` is left, top, right, bottom in pixels."""

    label: str
    score: float
    box: tuple[float, float, float, float] | None = None


class Labels(Value, frozen=True, kw_only=True, tag="labels", tag_field="event"):
    """The likeliest first."""

    labels: tuple[Label, ...]


class Segment(Value, frozen=True, kw_only=True, tag="segment", tag_field="event"):
    """A stretch of speech, in seconds from the start; None where the model tells no times."""

    text: str
    start: float | None = None
    end: float | None = None
    language: str | None = None


class Media(Value, frozen=True, kw_only=True, tag="media", tag_field="event"):
    """A whole file: PNG, WAV or MP4. `seed` is what it was really made with."""

    mime: Literal["image/png", "audio/wav", "video/mp4"]
    data: bytes
    seed: int | None = None


class Tensors(Value, frozen=True, kw_only=True, tag="tensors", tag_field="event"):
    """Each output of a plain model under its name."""

    arrays: tuple[Array, ...]


class Progress(Value, frozen=True, kw_only=True, tag="progress", tag_field="event"):
    """Steps done, and their number."""

    done: int
    number: int


class Usage(Value, frozen=True, kw_only=True):
    """Tokens read, those of them that were kept from before, tokens written, and those of them that were reasoning."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0


class Done(Value, frozen=True, kw_only=True, tag="done", tag_field="event"):
    """The last event of a job that went well. `stopped_by` is the one of its `stop` that ended it."""

    finish_reason: FinishReason = "stop"
    usage: Usage = Usage()
    stopped_by: str | None = None


class Fault(Value, frozen=True, kw_only=True, tag="fault", tag_field="event"):
    """The last event of a job that did not. `detail` is the engine's own words, for people; it is cut to a line."""

    kind: FaultKind
    detail: str = ""


Event = Delta | Vectors | Scores | Labels | Segment | Media | Tensors | Progress | Done | Fault


def work_of(job: Job) -> Work:
    """The word for it.

    >>> work_of(Speak(text="hello"))
    'speak'
    """
    tag = job.__struct_config__.tag
    assert tag in WORKS
    return tag


def job_from(data: bytes) -> Job:
    """Raises msgspec.ValidationError or msgspec.DecodeError."""
    return _JOBS.decode(data)


_JOBS: msgspec.msgpack.Decoder[Job] = msgspec.msgpack.Decoder(Job)
