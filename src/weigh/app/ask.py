"""What a user hands to a model, as the Job for one of its works."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from weigh.core.errors import BadReference
from weigh.core.value import Value
from weigh.core.work import (
    Array,
    Chat,
    Classify,
    Complete,
    Compute,
    Depth,
    Detect,
    Embed,
    Job,
    MakeImage,
    MakeSound,
    MakeVideo,
    Message,
    Piece,
    Rerank,
    Sampling,
    Speak,
    Transcribe,
    Work,
)


class Given(Value, frozen=True, kw_only=True):
    """All that can be said about a job; each work takes what it needs. `turns` are those of a chat so far."""

    text: str | None = None
    image: bytes | None = None
    audio: bytes | None = None
    mask: bytes | None = None
    arrays: tuple[Array, ...] = ()
    system: str | None = None
    turns: tuple[Message, ...] = ()
    suffix: str | None = None
    schema: str | None = None
    thinking: bool | None = None
    sampling: Sampling = Sampling()
    documents: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    threshold: float = 0.5
    top: int = 5
    dimensions: int | None = None
    language: str | None = None
    translate: bool = False
    voice: str | None = None
    speed: float | None = None
    negative: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    count: int = 1
    strength: float | None = None
    seconds: float | None = None
    frames: int | None = None
    fps: int | None = None


def job_of(work: Work, given: Given) -> Job:
    """Raises BadReference where what the work needs was not given."""
    return _MAKERS[work](given)


def kind_of(data: bytes) -> str:
    """`image`, `audio`, `arrays` (NPY, NPZ) or `text`, by how it begins.

    >>> kind_of(b"\\x89PNG\\r\\n\\x1a\\n"), kind_of(b"RIFF....WAVEfmt "), kind_of("过秤".encode())
    ('image', 'audio', 'text')
    """
    if data.startswith((b"\x93NUMPY", b"PK\x03\x04")):
        return "arrays"
    if data.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")) or data[8:12] == b"WEBP":
        return "image"
    if data[8:12] == b"WAVE" or data.startswith((b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3")):
        return "audio"
    return "audio" if data[4:8] == b"ftyp" else "text"


def _chat(given: Given) -> Job:
    pieces = tuple(
        piece
        for piece in (
            Piece(image=given.image) if given.image is not None else None,
            Piece(audio=given.audio) if given.audio is not None else None,
            Piece(text=given.text) if given.text is not None and given.text.strip() else None,
        )
        if piece is not None
    )
    if not pieces:
        raise BadReference("run.no_input", work="chat")
    first = (Message(role="system", pieces=(Piece(text=given.system),)),) if given.system is not None else ()
    turns = (*first, *given.turns, Message(role="user", pieces=pieces))
    return Chat(messages=turns, schema=given.schema, thinking=given.thinking, sampling=_sampling(given))


def _complete(given: Given) -> Job:
    text = _text(given, "complete")
    return Complete(prompt=text, suffix=given.suffix, schema=given.schema, sampling=_sampling(given))


def _sampling(given: Given) -> Sampling:
    asked = given.sampling
    if given.seed is None:
        return asked
    return Sampling(
        max_tokens=asked.max_tokens,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        min_p=asked.min_p,
        seed=given.seed,
        stop=asked.stop,
    )


def _embed(given: Given) -> Job:
    texts = tuple(Piece(text=text) for text in ((given.text,) if given.text is not None else ()) + given.documents)
    images = (Piece(image=given.image),) if given.image is not None else ()
    if not texts and not images:
        raise BadReference("run.no_input", work="embed")
    return Embed(pieces=(*texts, *images), dimensions=given.dimensions)


def _rerank(given: Given) -> Job:
    if not given.documents:
        raise BadReference("run.no_documents")
    return Rerank(query=_text(given, "rerank"), documents=given.documents)


def _classify(given: Given) -> Job:
    if given.image is not None:
        piece = Piece(image=given.image)
    elif given.audio is not None:
        piece = Piece(audio=given.audio)
    else:
        piece = Piece(text=_text(given, "classify"))
    return Classify(piece=piece, labels=given.labels, top=given.top)


def _detect(given: Given) -> Job:
    return Detect(image=_image(given, "detect"), labels=given.labels, threshold=given.threshold)


def _depth(given: Given) -> Job:
    return Depth(image=_image(given, "depth"))


def _transcribe(given: Given) -> Job:
    if given.audio is None:
        raise BadReference("run.no_audio")
    return Transcribe(audio=given.audio, language=given.language, prompt=given.text, translate=given.translate)


def _speak(given: Given) -> Job:
    return Speak(text=_text(given, "speak"), voice=given.voice, speed=given.speed, seed=given.seed)


def _sound(given: Given) -> Job:
    return MakeSound(
        prompt=_text(given, "sound"),
        negative=given.negative,
        seconds=given.seconds,
        steps=given.steps,
        guidance=given.guidance,
        seed=given.seed,
    )


def _draw(given: Given) -> Job:
    if given.mask is not None and given.image is None:
        raise BadReference("run.mask_alone")
    return MakeImage(
        prompt=_text(given, "image"),
        negative=given.negative,
        width=given.width,
        height=given.height,
        steps=given.steps,
        guidance=given.guidance,
        seed=given.seed,
        count=given.count,
        image=given.image,
        mask=given.mask,
        strength=given.strength,
    )


def _film(given: Given) -> Job:
    return MakeVideo(
        prompt=_text(given, "video"),
        negative=given.negative,
        width=given.width,
        height=given.height,
        frames=given.frames,
        fps=given.fps,
        steps=given.steps,
        guidance=given.guidance,
        seed=given.seed,
        image=given.image,
    )


def _compute(given: Given) -> Job:
    if not given.arrays:
        raise BadReference("run.no_arrays")
    return Compute(arrays=given.arrays)


def _text(given: Given, work: str) -> str:
    if given.text is None or not given.text.strip():
        raise BadReference("run.no_input", work=work)
    return given.text


def _image(given: Given, work: str) -> bytes:
    if given.image is None:
        raise BadReference("run.no_image", work=work)
    return given.image


_MAKERS: Mapping[Work, Callable[[Given], Job]] = {
    "chat": _chat,
    "classify": _classify,
    "complete": _complete,
    "compute": _compute,
    "depth": _depth,
    "detect": _detect,
    "embed": _embed,
    "image": _draw,
    "rerank": _rerank,
    "sound": _sound,
    "speak": _speak,
    "transcribe": _transcribe,
    "video": _film,
}
