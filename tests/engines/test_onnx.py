"""ONNX by onnxruntime: what the library that was exported from says of the same input."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy
import pytest

from tests.engines.asking import labels, picture, rows, run, said
from tests.tiny import made
from tools.tiny import embedders, onnx_files, seen, text
from weigh.app.run import Asked
from weigh.core.work import (
    Array,
    Classify,
    Complete,
    Compute,
    Done,
    Embed,
    Fault,
    Job,
    Piece,
    Rerank,
    Sampling,
    Scores,
    Tensors,
)
from weigh.engines.arrays import array_of, numbers

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves
CLOSE = 1e-4
SOURCES = {"embedders": embedders.write, "seen": seen.write, "text": text.write}
X = numpy.arange(6, dtype="float32").reshape(2, 3)
B = numpy.array([10, 20], "float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    places = {name: made(tmp_path_factory, name, write) for name, write in SOURCES.items()}
    return made(tmp_path_factory, "onnx", functools.partial(onnx_files.write, **places))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "text", text.write).parent


def test_a_plain_graph_computes(folder: Path) -> None:
    events = run(folder / "plain.onnx", Compute(arrays=(array_of("x", X), array_of("b", B))))
    tensors = next(event for event in events if isinstance(event, Tensors)).arrays
    assert [(one.name, one.dtype, one.shape) for one in tensors] == [("y", "float32", (2, 2)), ("shape", "int64", (2,))]
    assert numpy.allclose(numbers(tensors[0]), X @ numpy.array([[1, 2], [3, 4], [5, 6]], "float32") + B)
    assert isinstance(events[-1], Done)


@pytest.mark.parametrize(
    ("arrays", "said_of_it"),
    [
        ((array_of("x", X),), "b wanting: it takes x float32 [?, 3], b float32 [2]"),
        ((array_of("x", X.T), array_of("b", B)), "x has shape [3, 2]"),
        ((array_of("z", X), array_of("b", B)), "no input is called z"),
        ((array_of("x", X.astype("complex64")), array_of("b", B)), "x is complex64"),
        ((Array(name="x", dtype="object", shape=(1,), data=b"x" * 8), array_of("b", B)), "no array of numbers"),
        ((Array(name="x", dtype="float32", shape=(9, 3), data=b"x" * 8), array_of("b", B)), "no array of numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_told(folder: Path, arrays: tuple[Array, ...], said_of_it: str) -> None:
    last = run(folder / "plain.onnx", Compute(arrays=arrays))[-1]
    assert isinstance(last, Fault) and last.kind == "bad_input" and said_of_it in last.detail


def test_arrays_without_names_go_by_their_place_and_integers_become_what_is_wanted(folder: Path) -> None:
    events = run(folder / "plain.onnx", Compute(arrays=(array_of("", X.astype("float64")), array_of("", B))))
    assert isinstance(events[-1], Done)


def test_vectors_are_those_of_the_model_that_was_exported(folder: Path, source: Path) -> None:
    import sentence_transformers

    texts = ["the cat sat", "过 秤", "a dog ran on the mat and ran"]
    own = sentence_transformers.SentenceTransformer(str(source / "embedders" / "embedder"), device="cpu")
    found = rows(run(folder / "embedder", Embed(pieces=tuple(Piece(text=one) for one in texts))))
    assert numpy.allclose(found, own.encode(texts), atol=CLOSE)
    query = rows(run(folder / "embedder", Embed(pieces=(Piece(text="cat"),), purpose="query", dimensions=8)))
    assert numpy.allclose(
        query, own.encode(["cat"], prompt_name="query", truncate_dim=8, normalize_embeddings=True), atol=CLOSE
    )


def test_ranks_are_those_of_the_model_that_was_exported(folder: Path, source: Path) -> None:
    import sentence_transformers

    documents = ("a dog ran", "the cat sat on the mat", "heavy scales")
    own = sentence_transformers.CrossEncoder(str(source / "embedders" / "reranker"), device="cpu")
    events = run(folder / "reranker", Rerank(query="the cat", documents=documents))
    found = next(event for event in events if isinstance(event, Scores)).scores
    assert numpy.allclose(found, own.predict([("the cat", one) for one in documents]), atol=CLOSE)


def test_a_picture_is_classified_as_by_the_model_that_was_exported(folder: Path, source: Path) -> None:
    import io

    import transformers
    from PIL import Image

    pipe = transformers.pipeline("image-classification", model=str(source / "seen" / "classifier"))
    own = pipe(Image.open(io.BytesIO(picture())))
    found = labels(run(folder / "classifier", Classify(piece=Piece(image=picture()), top=3)))
    assert [one.label for one in found] == [one["label"] for one in own]
    assert numpy.allclose([one.score for one in found], [one["score"] for one in own], atol=CLOSE)


@pytest.mark.parametrize("sampling", [Sampling(temperature=0), Sampling(temperature=0.1, top_p=0.9, top_k=5, seed=1)])
def test_a_text_that_was_learnt_is_said_again(folder: Path, sampling: Sampling) -> None:
    events = run(folder / "writer", Complete(prompt=text.PROMPT, sampling=sampling))
    assert text.PROMPT + said(events) == text.TEXT
    assert isinstance(events[-1], Done) and events[-1].finish_reason == "stop"


def test_a_text_ends_where_it_is_stopped(folder: Path) -> None:
    sampling = Sampling(temperature=0, stop=("weigh",))
    assert said(run(folder / "writer", Complete(prompt=text.PROMPT, sampling=sampling))) == " Libra "


@pytest.mark.parametrize(
    ("place", "job", "kind"),
    [
        ("writer", Complete(prompt="weigh " * 400), "context_overflow"),
        ("writer", Complete(prompt="weigh", suffix="x"), "unsupported"),
        ("classifier", Classify(piece=Piece(text="x")), "bad_input"),
        ("embedder", Embed(pieces=(Piece(image=b"x"),)), "bad_input"),
    ],
)
def test_what_it_cannot_take_is_said(folder: Path, place: str, job: Job, kind: str) -> None:
    last = run(folder / place, job)[-1]
    assert isinstance(last, Fault) and last.kind == kind


def test_every_repository_computes_too(folder: Path) -> None:
    ids = numpy.array([[2, 4, 3]])
    given = tuple(array_of(name, value) for name, value in (("input_ids", ids), ("attention_mask", ids * 0 + 1)))
    events = run(folder / "writer", Compute(arrays=given), Asked(engine="onnxruntime"))
    assert isinstance(events[-1], Done)


def test_which_of_two_texts_a_token_is_of_counts_where_the_tokenizer_tells(folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(folder / "reranker", tmp_path / "reranker")
    says = tmp_path / "reranker" / "tokenizer_config.json"
    says.write_text(json.dumps(json.loads(says.read_text()) | {"tokenizer_class": "BertTokenizerFast"}))
    job = Rerank(query="the cat", documents=("a dog ran",))
    one, two = (
        next(event for event in run(path, job) if isinstance(event, Scores)).scores
        for path in (folder / "reranker", tmp_path / "reranker")
    )
    assert not numpy.allclose(one, two, atol=1e-3)
