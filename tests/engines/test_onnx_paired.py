"""CLIP by ONNX, in one graph or in two, and what stands around a graph of texts."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

import numpy
import pytest

from tests.engines.asking import labels, picture, rows, run
from tests.tiny import made
from tools.tiny import embedders, onnx_files, onnx_pairs, seen, text
from weigh.core.engine import Failed
from weigh.core.work import Classify, Embed, Fault, Job, Piece, Rerank, Scores

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = made(tmp_path_factory, "seen", seen.write)
    return made(tmp_path_factory, "onnx_pairs", functools.partial(onnx_pairs.write, seen=source))


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    makers = {"embedders": embedders.write, "seen": seen.write, "text": text.write}
    places = {name: made(tmp_path_factory, name, write) for name, write in makers.items()}
    return made(tmp_path_factory, "onnx", functools.partial(onnx_files.write, **places))


def test_two_graphs_embed_as_the_one_does(pairs: Path) -> None:
    job = Embed(pieces=(Piece(text="cat"), Piece(image=picture()), Piece(text="a longer text of scales")))
    whole, apart = (rows(run(pairs / name, job)) for name in ("whole", "apart"))
    assert whole.shape == (3, 16) and numpy.allclose(whole, apart, atol=1e-6)


def test_fewer_labels_may_be_wanted_and_vectors_may_be_shorter(pairs: Path) -> None:
    found = labels(run(pairs / "whole", Classify(piece=Piece(image=picture()), labels=("cat", "dog", "scales"), top=2)))
    assert len(found) == 2 and found[0].score >= found[1].score
    short = rows(run(pairs / "apart", Embed(pieces=(Piece(text="cat"),), dimensions=4)))
    assert short.shape == (1, 4) and numpy.isclose((short**2).sum(), 1)


@pytest.mark.parametrize(
    ("place", "job", "kind", "said_of_it"),
    [
        ("apart", Classify(piece=Piece(image=picture()), labels=("cat",)), "unsupported", "model.onnx"),
        ("whole", Classify(piece=Piece(image=picture())), "bad_input", "name the labels"),
        ("whole", Classify(piece=Piece(text="cat"), labels=("cat",)), "bad_input", "image"),
        ("whole", Embed(pieces=(Piece(audio=b"x"),)), "unsupported", "texts and pictures"),
    ],
)
def test_what_it_cannot_take_is_said(pairs: Path, place: str, job: Job, kind: str, said_of_it: str) -> None:
    last = run(pairs / place, job)[-1]
    assert isinstance(last, Fault) and last.kind == kind and said_of_it in last.detail


def test_a_text_is_cut_where_the_repository_says_as_the_library_cuts_it(
    texts: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import sentence_transformers

    source = made(tmp_path_factory, "embedders", embedders.write) / "embedder"
    job = Embed(pieces=(Piece(text="the cat sat on the mat " * 9),))
    for name, at in (("own", source), ("onnx", texts / "embedder")):
        shutil.copytree(at, tmp_path / name)
        (tmp_path / name / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 16}))
    own = sentence_transformers.SentenceTransformer(str(tmp_path / "own"), device="cpu")
    own.max_seq_length = 16
    assert numpy.allclose(rows(run(tmp_path / "onnx", job)), own.encode([job.pieces[0].text]), atol=1e-5)


def test_what_comes_after_the_graph_and_is_not_done_here_is_told(texts: Path, tmp_path: Path) -> None:
    shutil.copytree(texts / "embedder", tmp_path / "dense")
    modules = json.loads((tmp_path / "dense" / "modules.json").read_text())
    modules.insert(2, {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    (tmp_path / "dense" / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(Failed) as caught:
        run(tmp_path / "dense", Embed(pieces=(Piece(text="cat"),)))
    assert "Dense" in caught.value.fault.detail


def test_scores_are_logits_where_the_repository_says_so(texts: Path, tmp_path: Path) -> None:
    job = Rerank(query="the cat", documents=("a dog ran", "the cat sat on the mat"))
    found = {}
    for last in ("Sigmoid", "Identity"):
        shutil.copytree(texts / "reranker", tmp_path / last)
        says = tmp_path / last / "config.json"
        named = {"sentence_transformers": {"activation_fn": f"torch.nn.modules.x.{last}"}}
        says.write_text(json.dumps(json.loads(says.read_text()) | named))
        events = run(tmp_path / last, job)
        found[last] = numpy.array(next(one for one in events if isinstance(one, Scores)).scores)
    assert numpy.allclose(found["Sigmoid"], 1 / (1 + numpy.exp(-found["Identity"])), atol=1e-6)
    assert not numpy.allclose(found["Sigmoid"], found["Identity"], atol=0.01)
