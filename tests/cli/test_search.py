"""`weigh search`: both hubs in one table, in the shapes in which they answer, and whatever else they answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from tests.hubs.server import COMMIT, as_json
from tests.loopback import Asked, Loopback, Reply, serving
from weigh.cli.main import weigh as command
from weigh.sources.client import HttpxClient

HF: list[dict[str, Any]] = [
    {
        "_id": "680da2c7",
        "id": "Qwen/Qwen3-8B",
        "likes": 900,
        "downloads": 5_000,
        "gated": False,
        "private": False,
        "createdAt": "2025-04-27T03:42:21.000Z",
        "lastModified": "2025-07-26T03:49:13.000Z",
        "pipeline_tag": "text-generation",
        "safetensors": {"parameters": {"BF16": 8_190_735_360}, "total": 8_190_735_360},
        "tags": ["transformers", "safetensors", "qwen3", "license:apache-2.0", "region:us"],
    },
    {
        "id": "somebody/Zither-9B-GGUF",
        "likes": 1,
        "downloads": 70,
        "gated": "auto",
        "gguf": {"total": 9_000_000_000, "architecture": "zither", "context_length": 4096},
        "tags": ["gguf", "license:other"],
    },
    {
        "id": "somebody/Zither-Tiny",
        "downloads": 60,
        "tags": ["license:mit", "safetensors"],
        "safetensors": {"parameters": {"F16": 1000}, "total": 1000},
    },
]
MS: list[dict[str, Any]] = [
    {
        "id": "Qwen/Qwen3-8B",
        "display_name": "Qwen3-8B",
        "license": "Apache License 2.0",
        "downloads": 9_000,
        "likes": 20,
        "private": False,
        "gated": False,
        "created_at": "2025-04-27T08:00:00Z",
        "last_modified": "2025-07-26T08:00:00Z",
        "tags": ["safetensors"],
        "tasks": ["text-generation"],
        "file_size": 16_397_461_266,
    },
    {"id": "other/Zither-Tiny", "downloads": 10, "likes": 0, "tasks": None, "tags": None, "file_size": 2000},
]


def hubs(hf: object = HF, ms: object = MS, more: Mapping[str, Reply] | None = None) -> Callable[[Asked], Reply]:
    """Both searches on one server; `more` are other paths."""

    def answer(asked: Asked) -> Reply:
        path = urlsplit(asked.path).path
        if more is not None and path in more:
            return more[path]
        match path:
            case "/api/models":
                return hf if isinstance(hf, Reply) else as_json(hf)
            case "/openapi/v1/models":
                said = {
                    "success": True,
                    "request_id": "1",
                    "data": {"models": ms, "total_count": None, "page_number": 1},
                }
                return ms if isinstance(ms, Reply) else as_json(said)
        return as_json({"error": "not here"}, 404)

    return answer


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpxClient, "wait", lambda self, seconds: None)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795564800")


def search(server: Loopback, *arguments: str) -> Result:
    at = {
        "HF_ENDPOINT": server.url,
        "MODELSCOPE_ENDPOINT": server.url,
        "HF_TOKEN": "hf_a",
        "MODELSCOPE_API_TOKEN": "ms-b",
    }
    return CliRunner(env=at).invoke(command, ["search", "--lang", "en", *arguments], standalone_mode=False)


def found(answer: Callable[[Asked], Reply], *arguments: str, status: int = 0) -> dict[str, Any]:
    with serving(answer) as server:
        done = search(server, *arguments, "--json")
    assert done.exception is None and done.return_value == status, done.output
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def references(said: dict[str, Any]) -> list[list[str]]:
    return [[one["reference"] for one in row["on"]] for row in said["results"]]


def test_the_same_weights_are_one_row_where_the_catalogue_knows_it() -> None:
    said = found(hubs(), "qwen")
    first = said["results"][0]
    assert [one["reference"] for one in first["on"]] == ["hf:Qwen/Qwen3-8B", "ms:Qwen/Qwen3-8B"]
    assert (first["same_by"], first["parameters"], first["nbytes"]) == ("catalogue", 8_190_735_360, 16_381_470_720)
    assert first["catalog"]["vendor"]["id"] == "alibaba" and first["fit"]["verdict"] in (
        "fits",
        "tight",
        "offload",
        "no",
    )
    assert references(said)[1:] == [
        ["hf:somebody/Zither-9B-GGUF"],
        ["hf:somebody/Zither-Tiny"],
        ["ms:other/Zither-Tiny"],
    ]


def test_what_the_catalogue_knows_on_the_other_hub_is_said() -> None:
    assert found(hubs(), "qwen", "--hub", "hf")["results"][0]["also_on"] == ["ms:Qwen/Qwen3-8B"]


def test_each_hub_is_asked_in_its_own_words_and_sees_its_own_token() -> None:
    with serving(hubs()) as server:
        search(
            server,
            "qwen",
            "3",
            "--task",
            "text-generation",
            "--licence",
            "apache-2.0",
            "--format",
            "gguf",
            "--sort",
            "likes",
        )
    asked = {urlsplit(one.path).path: (parse_qs(urlsplit(one.path).query), one.headers) for one in server.asked}
    query, headers = asked["/api/models"]
    assert (query["search"], query["pipeline_tag"], query["filter"], query["sort"]) == (
        ["qwen 3"],
        ["text-generation"],
        ["gguf", "license:apache-2.0"],
        ["likes"],
    )
    assert headers["authorization"] == "Bearer hf_a" and "safetensors" in query["expand"]
    query, headers = asked["/openapi/v1/models"]
    assert (query["search"], query["filter.task"], query["page_number"]) == (["qwen 3"], ["text-generation"], ["1"])
    assert headers["authorization"] == "Bearer ms-b"


@pytest.mark.parametrize(
    ("options", "names"),
    [(["--format", "gguf"], ["Zither-9B-GGUF"]),
     (["--max-size", "8.5B"], ["Qwen3-8B", "Zither-Tiny"]),
     (["--max-size", "3KB"], ["Zither-Tiny", "Zither-Tiny"]),
     (["--licence", "commercial"], ["Qwen3-8B", "Zither-Tiny"]),
     (["--licence", "mit"], ["Zither-Tiny"]),
     (["--limit", "1"], ["Qwen3-8B"]),
     (["--hub", "ms"], ["Qwen3-8B", "Zither-Tiny"]),
     (["--sort", "created", "--limit", "1"], ["Qwen3-8B"])],
    ids=str,
)  # fmt: skip
def test_wishes_narrow_the_answer(options: list[str], names: list[str]) -> None:
    said = found(hubs(), "q", *options)
    assert [row["on"][0]["name"] for row in said["results"]] == names


def test_what_is_called_the_same_is_joined_only_where_its_hashes_are() -> None:
    def listed(hash: str) -> dict[str, Reply]:
        tree = [
            {
                "type": "file",
                "path": "model.safetensors",
                "oid": "1" * 40,
                "size": 2000,
                "lfs": {"oid": "a" * 64, "size": 2000, "pointerSize": 134},
            }
        ]
        files = [
            {"Path": "model.safetensors", "Type": "blob", "Size": 2000, "Sha256": hash},
            {"Path": "README.md", "Type": "blob", "Size": 3},
        ]
        return {
            "/api/models/somebody/Zither-Tiny/revision/main": as_json({"id": "somebody/Zither-Tiny", "sha": COMMIT}),
            f"/api/models/somebody/Zither-Tiny/tree/{COMMIT}": as_json(tree),
            "/api/v1/models/other/Zither-Tiny/repo/files": as_json(
                {"Code": 200, "Success": True, "Data": {"Files": files}}
            ),
        }

    row = next(row for row in found(hubs(more=listed("a" * 64)), "zither")["results"] if row.get("same_by") == "hashes")
    assert [one["reference"] for one in row["on"]] == ["hf:somebody/Zither-Tiny", "ms:other/Zither-Tiny"]
    assert not any(
        row.get("same_by") == "hashes" for row in found(hubs(more=listed("b" * 64)), "zither", "--hashes")["results"]
    )
    for reply, option in ((hubs(), "--hashes"), (hubs(more=listed("a" * 64)), "--no-hashes")):
        assert not any(row.get("same_by") == "hashes" for row in found(reply, "zither", option)["results"])


def test_pages_are_followed_as_far_as_is_asked_and_no_further() -> None:
    def answer(asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.path).query)
        start = int(query.get("cursor", ["0"])[0])
        rows = [{"id": f"org/model-{number}", "downloads": 1000 - number} for number in range(start, start + 10)]
        return as_json(rows, link=f'<http://elsewhere.example/api/models?search=m&cursor={start + 10}>; rel="next"')

    with serving(answer) as server:
        done = search(server, "m", "--hub", "hf", "--limit", "25", "--json")
    assert len(json.loads(done.stdout)["results"]) == 25 and len(server.asked) == 3


def test_a_hub_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(asked: Asked) -> Reply:
        rows = [{"id": "org/model"}] * 10
        return as_json(rows, link=f'<http://x/api/models?cursor={len(asked.path)}{asked.path[-9:]}1>; rel="next"')

    with serving(answer) as server:
        done = search(server, "m", "--hub", "hf", "--limit", "200", "--json")
    assert done.return_value == 0 and len(server.asked) <= 10


@pytest.mark.parametrize(
    ("ruin", "ill"),
    [([{"id": 7}, "text", None, {"id": "org/x", "downloads": "many"}, {"id": "../etc/passwd"}, {"id": "org/\u202ex"}], 6),
     ([{"id": "org/x", "tags": ["t"] * 3000}], 1),
     ([{"id": "org/" + "x" * 5000}], 1),
     ([{"id": "org/x", "safetensors": {"parameters": {"MADE-UP": 5}, "total": -1}, "downloads": -5}], 0)],
    ids=["wrong types", "tags without end", "endless name", "odd figures"],
)  # fmt: skip
def test_a_bad_row_costs_no_other(ruin: list[object], ill: int) -> None:
    said = found(hubs(hf=[*ruin, *HF], ms=[]), "qwen")
    assert said["ill"] == ill and "hf:Qwen/Qwen3-8B" in [one for row in references(said) for one in row]


@pytest.mark.parametrize(
    "fault",
    [Reply(429, {"retry-after": "0"}), Reply(503), Reply(401), Reply(404), as_json({"error": "no"}, 400),
     Reply(200, {"content-type": "text/html"}, b"<!DOCTYPE html><title>portal</title>"),
     Reply(200, {}, json.dumps(HF).encode(), cut=50), Reply(200, {}, b"[" * 100_000), Reply(200, {}, b'{"models": 5}'),
     Reply(200, {}, b"[1" + b" " * (17 << 20) + b"]"), Reply(200, {}, b"\xff\xfe")],
    ids=["busy", "down", "refused", "missing", "bad request", "a web page", "cut", "deep", "wrong types", "huge", "not text"],
)  # fmt: skip
def test_a_hub_that_fails_is_said_and_the_other_is_shown(fault: Reply) -> None:
    with serving(hubs(hf=fault)) as server:
        done = search(server, "qwen", "--json")
    said = json.loads(done.stdout)
    assert done.exception is None and done.return_value == 2
    assert [one["hub"] for one in said["failures"]] == ["hf"] and len(done.stderr.splitlines()) == 1
    assert references(said)[0] == ["ms:Qwen/Qwen3-8B"]


def test_modelscope_that_says_no_is_quoted() -> None:
    said = found(hubs(ms=as_json({"success": False, "message": "quota exceeded"})), "qwen", status=2)
    assert "quota exceeded" in said["failures"][0]["message"]


@pytest.mark.usefixtures("socket_disabled")
def test_offline_opens_no_connection_and_says_so() -> None:
    done = CliRunner().invoke(command, ["search", "qwen", "--offline", "--json", "--lang", "en"], standalone_mode=False)
    assert done.return_value == 2 and "--offline" in json.loads(done.stdout)["error"]["message"]


@pytest.mark.parametrize("size", ["big", "8G", "-1B", "14BB", "1e9", ""])
def test_what_is_no_size_is_said(size: str) -> None:
    done = CliRunner().invoke(command, ["search", "q", "--max-size", size], standalone_mode=False)
    assert done.return_value == 2 and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("language", "words"), [("en", "superseded by"), ("zh", "下载量")])
def test_the_table_says_what_it_knows(language: str, words: str) -> None:
    old = {"id": "Qwen/Qwen2.5-7B-Instruct", "downloads": 3, "tags": []}
    with serving(hubs(hf=[*HF, old])) as server:
        done = search(server, "qwen", "--lang", language)
    assert done.return_value == 0 and words in done.stdout and "hf:Qwen/Qwen3-8B" in done.stdout
    assert {"en": "gated", "zh": "需授权"}[language] in done.stdout


def test_quiet_gives_references_alone() -> None:
    with serving(hubs(ms=[])) as server:
        done = search(server, "qwen", "--quiet", "--hub", "hf")
    assert done.stdout.splitlines() == ["hf:Qwen/Qwen3-8B", "hf:somebody/Zither-9B-GGUF", "hf:somebody/Zither-Tiny"]


def test_nothing_found_is_no_failure() -> None:
    with serving(hubs(hf=[], ms=[])) as server:
        done = search(server, "nothing-at-all")
    assert (done.return_value, done.stdout.strip()) == (0, "Nothing was found.")
