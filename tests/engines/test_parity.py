"""What each engine answers is what its library says, called directly on the same input: within what the page states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import numpy
import pytest

from tests.engines.parity import made as made_by
from tests.engines.parity import read, written
from tests.engines.test_page import candidates
from tests.tiny import made
from tools.make_parity import ROWS, Row
from tools.tiny import drawn, embedders, heard, onnx_decoders, onnx_files, onnx_pairs, plain_files, rankers, seen, text
from weigh.app.run import Asked, is_here
from weigh.core.work import Work
from weigh.engines import engines

# The libraries warn of themselves and of each other; what they compute is what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore")

Of = Callable[[str], Path]
X = numpy.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


@pytest.fixture(scope="module")
def of(tmp_path_factory: pytest.TempPathFactory) -> Of:
    """The folder of a family of models, made when it is asked for."""
    makers: dict[str, Callable[[Path], None]] = {
        "text": text.write,
        "seen": seen.write,
        "heard": heard.write,
        "drawn": drawn.write,
        "embedders": embedders.write,
        "rankers": rankers.write,
        "ctranslate2": heard.write_ctranslate2,
        "onnx_decoders": lambda to: onnx_decoders.write(to, text=of("text")),
        "onnx_pairs": lambda to: onnx_pairs.write(to, seen=of("seen")),
        "onnx": lambda to: onnx_files.write(to, embedders=of("embedders"), seen=of("seen"), text=of("text")),
    }

    def of(family: str) -> Path:
        return made(tmp_path_factory, family, makers[family])

    return of


def checks(of: Of) -> dict[tuple[str, str], Callable[[], float]]:
    """How far an engine is from its library, at the most, for each row of the page."""
    return {
        ("llama.cpp", "chat"): lambda: written.chat(of("text"), of("text") / "model-F32.gguf"),
        ("llama.cpp", "complete"): lambda: written.likelihoods(of("text"), of("text") / "model-F32.gguf"),
        ("llama.cpp", "embed"): lambda: written.vectors(of("text")),
        ("llama.cpp", "rerank"): lambda: read.judged(of("rankers") / "ranker-F32.gguf", of("rankers") / "network"),
        ("sentence-transformers", "embed"): lambda: both(read.embedded, of("embedders") / "embedder"),
        ("sentence-transformers", "rerank"): lambda: both(read.ranked, of("embedders") / "reranker"),
        ("diffusers", "image"): lambda: made_by.drawn(of("drawn") / "image"),
        ("diffusers", "video"): lambda: made_by.filmed(of("drawn") / "video"),
        ("diffusers", "sound"): lambda: made_by.played(of("drawn") / "sound"),
        ("faster-whisper", "transcribe"): lambda: made_by.heard_by_ctranslate2(of("ctranslate2") / "kept"),
        ("transformers", "chat"): lambda: written.chat(of("text"), of("text") / "repository"),
        ("transformers", "complete"): lambda: written.likelihoods(of("text"), of("text") / "repository"),
        ("transformers", "embed"): lambda: both(read.paired, of("seen") / "clip"),
        ("transformers", "classify"): lambda: max(
            both(read.classified, of("seen") / "classifier"), both(read.tried, of("seen") / "clip")
        ),
        ("transformers", "detect"): lambda: read.detected(of("seen") / "detector"),
        ("transformers", "depth"): lambda: read.measured(of("seen") / "depth"),
        ("transformers", "transcribe"): lambda: max(
            made_by.heard(of("heard") / "wav2vec2"), made_by.written_down(of("heard") / "whisper")
        ),
        ("transformers", "speak"): lambda: made_by.spoken(of("heard") / "vits"),
        ("transformers", "sound"): lambda: made_by.sung(of("heard") / "musicgen"),
        ("onnxruntime", "chat"): lambda: max(
            written.chat(of("text"), of("onnx_decoders") / name) for name in ("uncached", "cached", "split", "merged")
        ),
        ("onnxruntime", "complete"): lambda: max(
            written.likelihoods(of("text"), of("onnx_decoders") / name)
            for name in ("uncached", "cached", "split", "merged")
        ),
        ("onnxruntime", "embed"): lambda: max(
            read.embedded(of("onnx") / "embedder", of("embedders") / "embedder"),
            *(read.paired(of("onnx_pairs") / name, of("seen") / "clip") for name in ("whole", "apart")),
        ),
        ("onnxruntime", "rerank"): lambda: read.ranked(of("onnx") / "reranker", of("embedders") / "reranker"),
        ("onnxruntime", "classify"): lambda: max(
            read.classified(of("onnx") / "classifier", of("seen") / "classifier"),
            read.tried(of("onnx_pairs") / "whole", of("seen") / "clip"),
        ),
        ("onnxruntime", "compute"): lambda: onnx(of("onnx") / "plain.onnx"),
        ("torchscript", "compute"): lambda: torchscript(of("ctranslate2").parent / "plain.pt"),
    }


def both(check: Callable[[Path, Path], float], folder: Path) -> float:
    """The engine and the library on one folder."""
    return check(folder, folder)


def onnx(path: Path) -> float:
    import onnxruntime

    given = {"x": X, "b": numpy.array([10, 20], "float32")}
    return read.computed(path, given, onnxruntime.InferenceSession(path).run(None, given), Asked())


def torchscript(path: Path) -> float:
    own = plain_files.torchscript(path, X)
    found = {"x": X, "scale": numpy.float32(2)}
    return read.computed(path, found, [own * 2, None], Asked(allow_pickle=True))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.engine}-{row.work}")
def test_an_answer_is_the_library_s_own(of: Of, row: Row) -> None:
    assert checks(of)[row.engine, row.work]() <= row.most


def test_every_work_of_every_engine_that_is_here_has_a_row() -> None:
    assert {(row.engine, row.work) for row in ROWS} == set(works_here())


def works_here() -> Iterator[tuple[str, Work]]:
    for engine in engines():
        if engine.reach == "child" and is_here(engine):
            found = {work for candidate in candidates() for work in engine.works(candidate)}
            yield from ((engine.name, work) for work in get_args(Work) if work in found)
