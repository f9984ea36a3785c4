"""What each kind of model is asked in these tests: as a job, and as arguments of `weigh run`."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy
import pytest
from PIL import Image

from tests.engines.asking import picture, tone
from tests.tiny import made
from tools.tiny import (
    drawn,
    embedders,
    embedders_gguf,
    heard,
    onnx_files,
    pictured,
    pictured_gguf,
    plain_files,
    seen,
    seq2seq,
    text,
)
from tools.tiny.kinds import Kind
from weigh.core.work import (
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
)
from weigh.engines.arrays import array_of

SIDE = 112  # of a picture that no model here changes
PICTURE, TONE = picture(SIDE), tone()
CONTEXT = 256
SAMPLING = Sampling(max_tokens=12, temperature=0)
SPOKEN, TEXTS, DOCUMENTS = "hello scales", ("the cat sat", "过 秤"), ("a dog ran", "the cat sat on the mat")
X = numpy.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
B = numpy.array([10, 20], "float32")
_TEXTUAL = ("--max-tokens", "12", "--temperature", "0")
_DRAWN = ("--seed", "7", "--steps", "2")


class Case(NamedTuple):
    """`arguments` follow the model's path; `picture.png` and `tone.wav` lie where they are run."""

    job: Job
    arguments: tuple[str, ...]


def chat(*pieces: Piece) -> Chat:
    """One turn of a user."""
    return Chat(messages=(Message(role="user", pieces=pieces),), sampling=SAMPLING)


CASES: Mapping[str, Case] = {
    "chat": Case(chat(Piece(text="weigh")), ("weigh", *_TEXTUAL)),
    "picture": Case(chat(Piece(image=PICTURE), Piece(text="weigh")), ("weigh", "--image", "picture.png", *_TEXTUAL)),
    "complete": Case(Complete(prompt=text.PROMPT, sampling=SAMPLING), (text.PROMPT, "--work", "complete", *_TEXTUAL)),
    "embed": Case(
        Embed(pieces=tuple(Piece(text=one) for one in TEXTS)), (TEXTS[0], "--document", TEXTS[1], "--work", "embed")
    ),
    "rerank": Case(
        Rerank(query="the cat", documents=DOCUMENTS),
        ("the cat", "--document", DOCUMENTS[0], "--document", DOCUMENTS[1]),
    ),
    "classify": Case(Classify(piece=Piece(image=PICTURE)), ("picture.png", "--work", "classify")),
    "tried": Case(
        Classify(piece=Piece(image=PICTURE), labels=("cat", "scales")), ("picture.png", "--label", "cat", "--label", "scales")
    ),
    "sound": Case(Classify(piece=Piece(audio=TONE)), ("tone.wav",)),
    "detect": Case(Detect(image=PICTURE, threshold=0.0), ("picture.png", "--threshold", "0")),
    "depth": Case(Depth(image=PICTURE), ("picture.png", "--out", "out.png")),
    "transcribe": Case(Transcribe(audio=TONE, language="en"), ("tone.wav", "--language", "en")),
    "speak": Case(Speak(text=SPOKEN, seed=7), (SPOKEN, "--seed", "7", "--out", "out.wav")),
    "music": Case(MakeSound(prompt="abc", seconds=0.5, seed=7), ("abc", "--seconds", "0.5", "--seed", "7")),
    "noise": Case(MakeSound(prompt="abc", seconds=0.1, steps=2, seed=7), ("abc", "--seconds", "0.1", *_DRAWN)),
    "image": Case(
        MakeImage(prompt="cat", width=32, height=40, steps=2, seed=7), ("cat", "--size", "32x40", *_DRAWN)
    ),
    "edit": Case(
        MakeImage(prompt="cat", width=64, height=64, steps=4, seed=7, image=PICTURE, mask=PICTURE, strength=0.5),
        tuple(
            "cat --image picture.png --mask picture.png --size 64x64 --seed 7 --steps 4 --strength 0.5".split()
        ),
    ),
    "video": Case(
        MakeVideo(prompt="cat", width=32, height=48, frames=5, fps=8, steps=2, seed=7),
        ("cat", "--size", "32x48", "--frames", "5", "--fps", "8", *_DRAWN),
    ),
    "add": Case(Compute(arrays=(array_of("x", X), array_of("b", B))), ("add.npz", "--out", "out.npz")),
    "scale": Case(
        Compute(arrays=(array_of("x", X), array_of("scale", numpy.float32(2)))), ("scale.npz", "--out", "out.npz")
    ),
    "compute": Case(Compute(arrays=(array_of("x", X),)), ("compute.npz", "--out", "out.npz")),
}  # fmt: skip
# What is asked of a kind, where it is not what its work is called.
_NAMED = {
    "audio-classification": "sound",
    "clip-zero-shot": "tried",
    "gguf-vlm": "picture",
    "image-to-image": "edit",
    "llava": "picture",
    "musicgen": "music",
    "onnx-plain": "add",
    "qwen2-vl": "picture",
    "stable-audio": "noise",
    "torchscript": "scale",
}


def case_of(kind: Kind) -> Case:
    """What is asked of it; more flags where it does not run without them."""
    found = CASES[_NAMED.get(kind.id, kind.work)]
    if (context := context_of(kind)) is not None:
        return found._replace(arguments=(*found.arguments, "--context", str(context)))
    return found._replace(arguments=(*found.arguments, "--allow-pickle")) if kind.id == "torchscript" else found


def context_of(kind: Kind) -> int | None:
    """Of what writes by llama.cpp; embedders have a short one of their own."""
    return CONTEXT if kind.engine == "llama.cpp" and kind.work != "embed" else None


def write_inputs(folder: Path) -> None:
    """What the arguments name."""
    (folder / "picture.png").write_bytes(PICTURE)
    (folder / "tone.wav").write_bytes(TONE)
    numpy.savez(folder / "add.npz", x=X, b=B)
    numpy.savez(folder / "scale.npz", x=X, scale=numpy.float32(2))
    numpy.savez(folder / "compute.npz", x=X)


def place_of(factory: pytest.TempPathFactory, kind: Kind) -> Path:
    """Where its model lies, made if it is the first to ask."""
    family, _, name = kind.place.partition("/")
    return made(factory, _FAMILIES.get(family, family), _writer(factory, family)) / name


def _writer(factory: pytest.TempPathFactory, family: str) -> Callable[[Path], None]:
    if family in _MADE_OF:
        write, sources = _MADE_OF[family]
        return functools.partial(write, **{one: made(factory, one, _WRITERS[one]) for one in sources})
    return _WRITERS[family]


def _plain(folder: Path) -> None:
    plain_files.torchscript(folder / "plain.pt", X)


_WRITERS: Mapping[str, Callable[[Path], None]] = {
    "ctranslate2": heard.write_ctranslate2,
    "drawn": drawn.write,
    "embedders": embedders.write,
    "heard": heard.write,
    "pictured": pictured.write,
    "pictured_gguf": pictured_gguf.write,
    "plain": _plain,
    "seen": seen.write,
    "seq2seq": seq2seq.write,
    "text": text.write,
}
_MADE_OF: Mapping[str, tuple[Callable[..., None], tuple[str, ...]]] = {
    "embedders_gguf": (embedders_gguf.write, ("embedders",)),
    "onnx": (onnx_files.write, ("embedders", "seen", "text")),
}
_FAMILIES = {"pictured_gguf": "pictured-gguf"}  # as other tests call it: all share one


def pixels(data: bytes) -> Image.Image:
    """A picture, decoded."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image
