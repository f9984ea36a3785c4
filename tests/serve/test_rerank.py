"""Documents put in order through the server, in the shapes of Cohere and of Jina."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.serve.server import serving, staging
from tests.tiny import made
from tools.tiny import embedders


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with staging(tmp_path_factory.mktemp("stage")) as staged, httpx.Client(base_url=staged.address) as client:
        yield client


ASKED = {"model": "stage", "query": "which", "documents": ["four", "fourteen", "ten"]}


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank"])
def test_the_best_comes_first(client: httpx.Client, path: str) -> None:
    answer = client.post(path, json={**ASKED, "top_n": 2}).json()
    assert [(row["index"], row["relevance_score"]) for row in answer["results"]] == [(1, 8.0), (0, 4.0)]
    assert answer["usage"]["total_tokens"] == 5
    assert answer["meta"]["tokens"] == {"input_tokens": 5}


def test_documents_may_be_objects_and_come_back(client: httpx.Client) -> None:
    documents = [{"text": "one"}, {"text": "three"}]
    answer = client.post("/v1/rerank", json={**ASKED, "documents": documents, "return_documents": True}).json()
    assert [row["document"]["text"] for row in answer["results"]] == ["three", "one"]


@pytest.mark.parametrize("documents", [[], [{"title": "no text"}], ["x"] * 3000])
def test_what_cannot_be_ranked_is_refused(client: httpx.Client, documents: list[object]) -> None:
    assert client.post("/v1/rerank", json={**ASKED, "documents": documents}).status_code == 400


@pytest.mark.filterwarnings("ignore:Importing from:DeprecationWarning")
def test_a_cross_encoder_ranks_as_the_library_does(tmp_path_factory: pytest.TempPathFactory) -> None:
    tiny = made(tmp_path_factory, "embedders", embedders.write)
    documents = ["the cat sat", "a dog ran", "scales weigh heavy"]
    with serving(str(tiny / "reranker")) as address:
        asked = {"query": "query document", "documents": documents}
        results = httpx.post(f"{address}/v1/rerank", json=asked, timeout=120).json()["results"]
    from sentence_transformers import CrossEncoder

    expected = CrossEncoder(str(tiny / "reranker")).predict([("query document", document) for document in documents])
    assert {row["index"]: row["relevance_score"] for row in results} == pytest.approx(
        dict(enumerate(map(float, expected))), abs=1e-5
    )
