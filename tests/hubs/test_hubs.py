"""Models on hubs: listed, read by their headers alone, and nothing a hub says is taken on trust."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pytest

from tests.hubs.server import COMMIT, as_json, hub, item, missing, sha256
from tests.loopback import Asked, Content, Hasty, Loopback, Reply, Sparse, serving
from tests.sources.test_http import safetensors
from weigh import hubs
from weigh.app.network import Network
from weigh.app.remote import MOST_FILES
from weigh.app.weigh import weigh
from weigh.core.report import Report
from weigh.hubs import HUBS, locate
from weigh.hubs.hub import Site
from weigh.hubs.repository import Repository
from weigh.names.reference import parse
from weigh.sources.http import FIRST
from weigh.sources.refusals import NotFetched


@pytest.fixture
def client() -> Iterator[Hasty]:
    hasty = Hasty()
    yield hasty
    hasty.close()


@pytest.fixture
def folder(samples: Path) -> dict[str, Content]:
    """A small model and what lies beside it on a hub."""
    root = samples / "tiny-llama-chat"
    files: dict[str, Content] = {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
    return files | {"README.md": b"---\nlicense: apache-2.0\n---\n# Tiny\n", "onnx/notes.txt": b"nothing here\n"}


def on(server: Loopback, client: Hasty, token: str | None = None) -> Network:
    return Network(client=client, sites={one.id: Site(endpoint=server.url, token=token) for one in HUBS})


def weighed(answer: Callable[[Asked], Reply], client: Hasty, reference: str) -> Report:
    with serving(answer) as server:
        return weigh(reference.replace("URL", server.url), on(server, client))


def listed(answer: Callable[[Asked], Reply], client: Hasty, reference: str = "hf:org/name") -> Repository:
    with serving(answer) as server:
        place = locate(parse(reference, exists=lambda _: False), on(server, client).sites)
        assert place is not None and place.hub.list is not None
        return place.hub.list(place.reference, place.site, client)


def key_of(report: Report) -> str:
    assert report.error is not None
    return report.error.message.key.removeprefix("error.")


@pytest.mark.parametrize(
    "reference", ["hf:org/name", "hf:org/name@main", "ms:org/name", "ms:org/name@main", "ms:org/name@master"]
)
def test_a_model_on_a_hub_weighs_as_it_does_here(
    folder: dict[str, Content], client: Hasty, tmp_path: Path, reference: str
) -> None:
    for name, content in folder.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content[0 : len(content)])
    here, there = weigh(str(tmp_path)), weighed(hub(folder), client, reference)
    assert there.error is None
    assert there.model == here.model
    assert (there.verdict, there.format, there.files, there.findings, there.skips) == (
        here.verdict, here.format, here.files, here.findings, here.skips,
    )  # fmt: skip


def test_what_an_archive_on_a_hub_contains_is_looked_at(client: Hasty) -> None:
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as written:
        member = tarfile.TarInfo("weights.pkl")
        member.size = len(payload := b"cposix\nsystem\n(S'id'\ntR.")
        written.addfile(member, BytesIO(payload))
    for reference in ("hf:org/name", "ms:org/name:model.tar.gz"):
        assert weighed(hub({"model.tar.gz": archive.getvalue()}), client, reference).verdict == "malicious"


def test_shards_cost_three_requests_each_and_their_headers(client: Hasty) -> None:
    head, size = safetensors(2000)
    files: dict[str, Content] = {f"model-{at:05}-of-00012.safetensors": Sparse(head, size) for at in range(12)}
    answer = hub(files)
    with serving(lambda asked: flat(asked, answer)) as server:
        report = weigh("hf:org/name", on(server, client))
    assert report.model is not None and report.model.num_tensors is not None
    assert len(report.files) == 12 and report.verdict == "clean"
    assert len(server.asked) <= 2 + 3 * 12
    assert server.sent < 2 * 12 * len(head) + 12 * FIRST


def flat(asked: Asked, answer: Callable[[Asked], Reply]) -> Reply:
    """A listing and entity tags without hashing what would be gigabytes."""
    if "/tree/" in asked.path:
        _, size = safetensors(2000)
        return as_json(
            [
                {"type": "file", "oid": "1", "size": size, "path": f"model-{at:05}-of-00012.safetensors"}
                for at in range(12)
            ]
        )
    if "/resolve/" in asked.path:
        from tests.loopback import ranged

        return ranged(asked, Sparse(*safetensors(2000)))
    return answer(asked)


@pytest.mark.parametrize(
    "reference",
    [
        "hf:org/name:model.safetensors",
        "hf:org/name@main:model.safetensors",
        "ms:org/name:model.safetensors",
        "URL/org/name/resolve/main/model.safetensors",
        "URL/org/name/blob/main/model.safetensors",
        "URL/models/org/name/resolve/master/model.safetensors",
        "URL/models/org/name/file/view/master/model.safetensors?status=2",
    ],
)
def test_one_file_is_weighed_without_asking_for_a_list(
    folder: dict[str, Content], client: Hasty, reference: str
) -> None:
    with serving(hub(folder)) as server:
        report = weigh(reference.replace("URL", server.url), on(server, client))
    assert [file.path for file in report.files] == ["model.safetensors"]
    assert len(server.asked) <= 3


def test_a_listing_keeps_the_hashes_that_the_hub_has(client: Hasty) -> None:
    weights = Sparse(b"GGUF", 50_000)
    for reference in ("hf:org/name", "ms:org/name"):
        files = listed(hub({"model.gguf": weights, "config.json": b"{}"}), client, reference).files
        assert files["model.gguf"].sha256 == sha256(weights)


def test_every_hub_is_listed() -> None:
    modules = [importlib.import_module(f"weigh.hubs.{one.name}") for one in pkgutil.iter_modules(hubs.__path__)]
    own = [module.HUB for module in modules if hasattr(module, "HUB")]
    assert {hub.id for hub in own if hub.list is not None} == {hub.id for hub in HUBS}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://huggingface.co/org/name", "hf:org/name"),
        ("https://huggingface.co/org/name/", "hf:org/name"),
        ("https://hf.co/org/name/tree/main/sub", "hf:org/name@main"),
        ("https://huggingface.co/org/name/tree/refs%2Fpr%2F1", "hf:org/name@refs/pr/1"),
        ("https://huggingface.co/org/name/blob/main/a/b.gguf", "hf:org/name@main:a/b.gguf"),
        ("https://huggingface.co/org/name/resolve/main/a%20b.gguf?download=true", "hf:org/name@main:a b.gguf"),
        ("https://hf-mirror.com/org/name", "hf:org/name"),
        ("https://www.modelscope.cn/models/org/name/summary", "ms:org/name"),
        ("https://modelscope.cn/models/org/name/resolve/master/a.bin", "ms:org/name@master:a.bin"),
        ("https://huggingface.co/datasets/org/name", "https://huggingface.co/datasets/org/name"),
        ("https://example.org/org/name", "https://example.org/org/name"),
    ],
)
def test_a_page_of_a_hub_is_read_as_a_reference(url: str, found: str) -> None:
    place = locate(parse(url, exists=lambda _: False), {})
    assert place is not None
    assert str(place.reference) == found


def test_a_mirror_sees_no_token() -> None:
    sites = {"hf": Site(endpoint="https://huggingface.co", token="secret")}
    for url, token in (("https://huggingface.co/a/b", "secret"), ("https://hf-mirror.com/a/b", None)):
        place = locate(parse(url, exists=lambda _: False), sites)
        assert place is not None and place.site.token == token


def test_the_token_is_shown_to_the_hub(folder: dict[str, Content], client: Hasty) -> None:
    with serving(hub(folder)) as server:
        weigh("hf:org/name:config.json", on(server, client, token="hf_x"))
        weigh("ms:org/name:config.json", on(server, client, token="ms_x"))
    assert server.asked[0].headers["authorization"] == "Bearer hf_x"
    assert server.asked[-1].headers["cookie"] == "m_session_id=ms_x"


# Hubs that fail or lie


@pytest.mark.parametrize(
    "url", ["https://", "http://:80/x", "http://[::1", "http://host:port/x", "http://a b/c", "https:///x"]
)
def test_what_can_be_no_address_is_not_asked_for(client: Hasty, url: str) -> None:
    assert key_of(weigh(url, Network(client=client))) == "hub.address"
    assert client.traffic.requests == 0


def test_pages_are_followed_to_the_last(client: Hasty) -> None:
    files: Mapping[str, Content] = {f"part-{at:05}.bin": b"" for at in range(2500)}
    assert len(listed(hub(files, page=1000), client).entries) == 2500


def test_the_next_page_is_asked_of_the_same_hub_whatever_it_says(client: Hasty) -> None:
    def elsewhere(asked: Asked) -> Reply:
        reply = hub({"a": b"", "b": b""}, page=1)(asked)
        links = {name: said.replace("http://127", "http://203") for name, said in reply.headers.items()}
        return reply._replace(headers=links)

    assert [entry.path for entry in listed(elsewhere, client).entries] == ["a", "b"]


def test_pages_in_a_circle_end(client: Hasty) -> None:
    def circle(asked: Asked) -> Reply:
        if "/tree/" not in asked.path:
            return hub({})(asked)
        return as_json(
            [], link=f'<{asked.path.partition("?")[0]}?cursor={"b" if "=a" in asked.path else "a"}>; rel="next"'
        )

    report = weighed(circle, client, "hf:org/name")
    assert key_of(report) == "hub.pages"


PATHS = ["../x", "a/../../x", "/etc/passwd", "a\0b", "a\\b", "C:/x", "a//b", "./x", "..", "", "a/", "a\nb", "x" * 5000]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("reference", ["hf:org/name", "ms:org/name"])
def test_a_hub_that_names_a_file_outside_is_not_listened_to(client: Hasty, path: str, reference: str) -> None:
    def hostile(asked: Asked) -> Reply:
        if "/tree/" in asked.path:
            return as_json([item("config.json", b"{}"), {"type": "file", "path": path, "size": 3}])
        if "repo/files" in asked.path:
            return as_json({"Success": True, "Data": {"Files": [{"Path": path, "Type": "blob", "Size": 3}]}})
        return hub({})(asked)

    with pytest.raises(NotFetched) as raised:
        listed(hostile, client, reference)
    assert raised.value.saying.key == "error.hub.path"


@pytest.mark.parametrize("file", ["../../x", "/etc/passwd", "a//b"])
def test_a_reference_to_a_file_outside_is_refused(client: Hasty, file: str) -> None:
    for prefix in ("hf", "ms"):
        assert key_of(weighed(hub({}), client, f"{prefix}:org/name:{file}")) == "hub.path"


@pytest.mark.parametrize(
    "id", ["org/na--me", "org/..x", "-org/name", "org/name.git", "org/name?x=1", "org/na%2Fme", "组织/名称"]
)
def test_what_can_be_no_id_is_not_asked_for(client: Hasty, id: str) -> None:
    with serving(hub({})) as server:
        assert key_of(weigh(f"hf:{id}", on(server, client))) == "hub.id"
    assert server.asked == []


@pytest.mark.parametrize("revision", ["..", "a..b", "../../x", "-x", "a b", "a?b=1", "x/", "a\x00b", "r" * 300])
@pytest.mark.parametrize("file", ["", ":config.json"])
def test_what_can_be_no_revision_is_not_asked_for(client: Hasty, revision: str, file: str) -> None:
    with serving(hub({})) as server:
        for prefix in ("hf", "ms"):
            assert key_of(weigh(f"{prefix}:org/name@{revision}{file}", on(server, client))) == "hub.revision"
    assert server.asked == []


ANSWERS = {
    "hub.page": Reply(200, {"content-type": "text/html"}, b"<!doctype html><title>Log in</title>"),
    "hub.answer": Reply(200, {}, b'{"sha": "main"}'),
    "http.busy": Reply(503, {"retry-after": "900"}, b""),
    "http.missing": missing(),
    "http.gated": as_json({"error": "Access is restricted"}, 403, **{"x-error-code": "GatedRepo"}),
    "http.unseen": as_json({"error": "Repository not found"}, 401, **{"x-error-code": "RepoNotFound"}),
}


@pytest.mark.parametrize("key", list(ANSWERS))
def test_a_hub_that_gives_no_list_is_one_clear_error(client: Hasty, key: str) -> None:
    report = weighed(lambda asked: ANSWERS[key], client, "hf:org/name")
    assert (key_of(report), report.verdict) == (key, "incomplete")


@pytest.mark.parametrize(
    "answer", [b"[]", b"null", b"{}", b'{"sha": 7}', b"\xff", b"[" * 100_000, b'{"sha": "' + b"x" * 40 + b'"}']
)
def test_an_answer_of_another_shape_is_refused(client: Hasty, answer: bytes) -> None:
    for reference, key in (("hf:org/name", {"hub.answer"}), ("ms:org/name", {"hub.answer", "hub.says"})):
        assert key_of(weighed(lambda asked: Reply(200, {}, answer), client, reference)) in key


def test_what_the_hub_says_of_a_refusal_is_passed_on(client: Hasty) -> None:
    report = weighed(lambda asked: as_json({"Success": False, "Message": "no such model"}), client, "ms:org/name")
    assert report.error is not None and report.error.message.values["reason"] == "no such model"


def test_a_size_that_cannot_be_is_refused(client: Hasty) -> None:
    for size in (-1, 1 << 62):
        with pytest.raises(NotFetched) as raised:
            listed(
                lambda asked, size=size: (
                    as_json([{"type": "file", "path": "a", "size": size}]) if "/tree/" in asked.path else hub({})(asked)
                ),
                client,
            )  # type: ignore[misc]
        assert raised.value.saying.key == "error.hub.listing"


def test_a_licence_that_is_not_accepted_is_one_error_and_not_one_a_file(
    folder: dict[str, Content], client: Hasty
) -> None:
    def gated(asked: Asked) -> Reply:
        if "/resolve/" in asked.path and "README" not in asked.path:
            return as_json({"error": "gated"}, 401, **{"x-error-code": "GatedRepo"})
        return hub(folder)(asked)

    report = weighed(gated, client, "hf:org/name")
    assert (key_of(report), report.verdict, report.files) == ("http.gated", "incomplete", ())


def test_one_file_that_is_not_given_leaves_the_rest_weighed(folder: dict[str, Content], client: Hasty) -> None:
    def partial(asked: Asked) -> Reply:
        return missing() if "notes.txt" in asked.path and "/resolve/" in asked.path else hub(folder)(asked)

    report = weighed(partial, client, "hf:org/name")
    assert report.verdict == "incomplete" and report.model is not None
    assert [(skip.path, skip.reason) for skip in report.skips] == [("onnx/notes.txt", "not-fetched")]


def test_a_hub_that_breaks_down_is_left_alone(client: Hasty) -> None:
    files: Mapping[str, Content] = {f"{at:03}.bin": b"x" * 100 for at in range(200)}

    def broken(asked: Asked) -> Reply:
        return Reply(503, {"retry-after": "600"}) if "/resolve/" in asked.path else hub(files)(asked)

    with serving(broken) as server:
        report = weigh("hf:org/name", on(server, client))
    assert report.verdict == "incomplete" and len(report.skips) == 200
    assert len(server.asked) < 30


def test_of_a_hundred_thousand_files_those_nearest_the_root_are_read(client: Hasty) -> None:
    names = [f"data/{at:06}.bin" for at in range(100_000)]
    listing = json.dumps([{"type": "file", "path": name, "size": 2} for name in [*names, "config.json"]]).encode()

    def vast(asked: Asked) -> Reply:
        if "/tree/" in asked.path:
            return Reply(200, {}, listing)
        return Reply(200, {}, b"{}") if "/resolve/" in asked.path else hub({})(asked)

    with serving(vast) as server:
        report = weigh("hf:org/name", on(server, client))
    assert len(report.files) == MOST_FILES and "config.json" in {file.path for file in report.files}
    assert [skip.path for skip in report.skips if skip.reason == "not-fetched"] == ["."]
    assert report.verdict == "incomplete"


def test_a_listing_that_is_cut_off_is_walked_folder_by_folder(client: Hasty) -> None:
    files: Mapping[str, Content] = {f"{at % 7}/{at % 3}/{at}.bin": b"" for at in range(4000)}
    assert len(listed(hub(files), client, "ms:org/name").entries) == 4000


def test_a_model_without_an_organisation_is_no_model_of_modelscope(client: Hasty) -> None:
    assert key_of(weighed(hub({}), client, "ms:name")) == "hub.id"


# The stock client is the judge of the server these tests stand on


@pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed")
def test_the_stock_client_lists_and_fetches_from_this_server(folder: dict[str, Content], tmp_path: Path) -> None:
    code = """
import sys
from huggingface_hub import HfApi, hf_hub_download
print(*sorted(f"{one.path} {one.size}" for one in HfApi().list_repo_tree("org/name", recursive=True) if hasattr(one, "size")), sep="\\n")
print(open(hf_hub_download("org/name", "config.json", cache_dir=sys.argv[1]), "rb").read().hex())
"""
    with serving(hub(folder, page=3)) as server:
        environment = os.environ | {"HF_ENDPOINT": server.url, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, env=environment, timeout=60
        )
    assert done.returncode == 0, done.stderr
    *lines, config = done.stdout.splitlines()
    assert lines == sorted(f"{name} {len(content)}" for name, content in folder.items())
    assert bytes.fromhex(config) == folder["config.json"][0:100_000]
    assert COMMIT in {path.name for path in tmp_path.rglob("snapshots/*")}


@pytest.mark.skipif(find_spec("modelscope") is None, reason="modelscope is not installed")
def test_modelscopes_own_client_fetches_from_this_server(folder: dict[str, Content], tmp_path: Path) -> None:
    code = "import sys; from modelscope import snapshot_download; print(snapshot_download('org/name', cache_dir=sys.argv[1]))"
    with serving(hub(folder)) as server:
        environment = os.environ | {"MODELSCOPE_ENDPOINT": server.url, "MODELSCOPE_CACHE": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, env=environment, timeout=60
        )
    assert done.returncode == 0, done.stderr
    there = Path(done.stdout.splitlines()[-1])
    assert {name: (there / name).read_bytes() for name in folder} == dict(folder)


def test_one_quantisation_of_a_repository_is_weighed_alone(samples: Path, client: Hasty) -> None:
    content = min(samples.rglob("*.gguf"), key=lambda path: path.stat().st_size).read_bytes()
    names = ("m-Q4_K_M-00001-of-00002.gguf", "m-Q4_K_M-00002-of-00002.gguf", "m-Q8_0.gguf", "b/c.txt")
    answer = hub(dict.fromkeys(names, content))
    for asked, found in (("Q4_K_M", names[:2]), ("q8_0", names[2:3]), ("b", names[3:]), ("*Q8*", names[2:3])):
        report = weighed(answer, client, f"hf:org/name:{asked}")
        assert report.error is None and {file.path for file in report.files if file.path != "."} == set(found)
    assert key_of(weighed(answer, client, "hf:org/name:Q5_K_M")) == "store.no_quant"
