"""Answers of the private hub that clients and proxies rely on, and what its own log says of requests that are none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.serve.hub import MS140, Mirror, at_ms, mirroring, plain, ran
from tests.serve.test_mirror_hostile import asked, got

TINY = "acme/tiny"
WEIGHTS = f"/{TINY}/resolve/main/model.safetensors"
TOKEN = "hf_" + "t" * 34


@pytest.fixture(scope="module")
def root(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    shutil.copytree(samples / "tiny-llama-chat", root / TINY)
    (root / "acme" / "gguf").mkdir()
    shutil.copy(samples / "tiny-llama-Q4_K_M.gguf", root / "acme" / "gguf")
    (root / "acme" / "empty").mkdir()
    links = root / "acme" / "links"
    shutil.copytree(samples / "tiny-llama-chat", links)
    (links / "dangling").symlink_to("nowhere")
    (links / "circle").symlink_to("circle")
    os.mkfifo(links / "pipe")
    (Path(os.fsdecode(os.fsencode(links) + b"/latin-\xff.txt"))).write_text("x\n")
    (root / "datasets" / "acme" / "rows").mkdir(parents=True)
    (root / "datasets" / "acme" / "rows" / "data.jsonl").write_text('{"a":1}\n{"a":2}\n')
    return root


@pytest.fixture(scope="module")
def mirror(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with mirroring(root, tmp_path_factory.mktemp("home")) as mirror:
        yield mirror


def test_small_weights_are_told_by_their_sha256(mirror: Mirror, root: Path) -> None:
    true = sha256((root / TINY / "model.safetensors").read_bytes()).hexdigest()
    assert got(mirror, WEIGHTS, method="HEAD")[1]["etag"] == f'"{true}"'
    rows = {row["path"]: row for row in json.loads(got(mirror, f"/api/models/{TINY}/tree/main")[2])}
    assert rows["model.safetensors"]["lfs"]["oid"] == true and "lfs" not in rows["config.json"]


CONDITIONS = """
If-None-Match: ETAG              304
If-None-Match: "x", ETAG         304
If-None-Match: W/ETAG            304
If-None-Match: *                 304
If-None-Match: "x"               200
If-Match: ETAG                   200
If-Match: *                      200
If-Match: "x"                    412
If-Match: W/ETAG                 412
Range: bytes=99999999999999999999-   416
Range: bytes=0-99999999999999999999  206
"""


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("row", CONDITIONS.strip().splitlines())
def test_a_condition_is_answered_as_http_says(row: str, method: str, mirror: Mirror) -> None:
    field, _, status = row.rpartition(" ")
    etag = got(mirror, WEIGHTS, method="HEAD")[1]["etag"]
    found, fields, body = got(mirror, WEIGHTS, field.strip().replace("ETAG", etag), method=method)
    assert found == int(status) and fields["etag"] == etag
    assert not body or (method == "GET" and found in (200, 206))


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/gpt2",
        "/api/models/gpt2/revision/main",
        "/gpt2/resolve/main/config.json",
        "/api/spaces/acme/tiny",
        "/api/models/..%2F..",
        "/api/models/acme/empty",
    ],
)
def test_what_could_be_no_repository_here_is_told_as_one_that_is_not(path: str, mirror: Mirror) -> None:
    status, fields, _ = got(mirror, path)
    assert (status, fields["x-error-code"]) == (404, "RepoNotFound")


def test_a_branch_goes_by_its_long_name_too(mirror: Mirror) -> None:
    sha = json.loads(got(mirror, f"/api/models/{TINY}")[2])["sha"]
    assert json.loads(got(mirror, f"/api/models/{TINY}/revision/refs%2Fheads%2Fmain")[2])["sha"] == sha


def test_a_host_that_is_none_is_in_no_link(mirror: Mirror) -> None:
    head = b'GET /api/models?limit=1 HTTP/1.1\r\nHost: evil"><x\r\nConnection: close\r\n\r\n'
    assert asked(mirror, head)[0] == 400


def test_what_is_not_served_holds_nothing(mirror: Mirror) -> None:
    rows = json.loads(got(mirror, "/api/models/acme/links/tree/main")[2])
    assert {row["path"] for row in rows} >= {"config.json", "model.safetensors"}
    assert not {row["path"] for row in rows} & {"dangling", "circle", "pipe"}


def test_a_file_replaced_a_moment_ago_is_given_as_it_is_now(samples: Path, tmp_path: Path) -> None:
    model = tmp_path / "hub" / TINY
    shutil.copytree(samples / "tiny-llama-chat", model)
    with mirroring(tmp_path / "hub", tmp_path / "home") as mirror:
        before = got(mirror, f"/{TINY}/resolve/main/config.json")[1]["x-repo-commit"]
        (model / "new").write_bytes(b"{}")
        os.replace(model / "new", model / "config.json")
        status, fields, body = got(mirror, f"/{TINY}/resolve/main/config.json")
        assert (status, body) == (200, b"{}") and fields["x-repo-commit"] != before


def test_rows_of_eight_bytes_are_a_data_set_and_modelscope_takes_it(mirror: Mirror, root: Path, tmp_path: Path) -> None:
    command = [MS140.bin / "modelscope", "download", "--dataset", "acme/rows", "--local_dir", tmp_path / "out"]
    done = ran(command, at_ms(mirror.url, tmp_path / "home"))
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "out" / "data.jsonl").read_bytes() == (root / "datasets/acme/rows/data.jsonl").read_bytes()


def test_a_data_set_of_modelscope_comes_page_by_page(mirror: Mirror) -> None:
    path = "/api/v1/datasets/acme/rows/repo/tree?Revision=master&Recursive=True&PageSize=1&PageNumber="
    pages = [json.loads(got(mirror, f"{path}{number}")[2])["Data"]["Files"] for number in (1, 2)]
    assert [[row["Path"] for row in page] for page in pages] == [["data.jsonl"], []]


def test_modelscopes_newer_api_says_that_it_failed(mirror: Mirror) -> None:
    status, _, body = got(mirror, "/openapi/v1/models/acme/nothing")
    assert status == 404 and json.loads(body)["success"] is False and json.loads(body)["message"]


def test_every_blob_of_a_registry_goes_by_ranges(mirror: Mirror) -> None:
    manifest = json.loads(got(mirror, "/v2/acme/gguf/manifests/latest")[2])
    for layer in [manifest["config"], *manifest["layers"]]:
        path = f"/v2/acme/gguf/blobs/{layer['digest']}"
        assert got(mirror, path, method="HEAD")[1]["accept-ranges"] == "bytes"
        whole, part = got(mirror, path)[2], got(mirror, path, "Range: bytes=2-5")
        assert part[0] == 206 and part[2] == whole[2:6]


def test_who_sends_no_http_or_leaves_writes_no_page_and_no_token_to_the_log(root: Path, tmp_path: Path) -> None:
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "weigh", "mirror", str(root), "--port", "0", "--access-log", "-"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=plain(PYTHONPATH=paths, WEIGH_HOME=str(tmp_path)),
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        near = Mirror(process.stdout.readline().split()[-1], process, tmp_path)
        head = f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\x01\r\n\r\n"
        assert asked(near, head.encode())[0] == 400
        process.terminate()
        said = process.stderr.read()
        assert process.wait(30) == 0
    assert TOKEN not in said
    assert [json.loads(line)["status"] for line in said.splitlines()] == [400]


def test_a_log_that_was_moved_away_begins_anew(root: Path, tmp_path: Path) -> None:
    import time

    with mirroring(root, tmp_path) as mirror:
        got(mirror, "/one")
        mirror.log.rename(tmp_path / "old.log")
        time.sleep(1.1)
        got(mirror, "/two")
        assert "/two" in mirror.log.read_text("utf-8")
    assert "/two" not in (tmp_path / "old.log").read_text("utf-8")


def test_a_log_that_cannot_be_written_is_told_before_it_listens(root: Path, tmp_path: Path) -> None:
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "weigh", "mirror", str(root), "--access-log", str(tmp_path / "none" / "x")]
    done = ran([*command, "--port", "0"], plain(PYTHONPATH=paths, WEIGH_HOME=str(tmp_path)))
    assert done.returncode == 2 and len(done.stdout.splitlines()) == 1
