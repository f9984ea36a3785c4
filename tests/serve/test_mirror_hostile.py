"""What the private hub gives away and what it does not, whatever is asked of it and however."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.serve.hub import Mirror, mirroring

READ = "hf_" + "r" * 34
ADMIN = "hf_" + "a" * 34
SECRET = b"the secret outside of the hub"


@pytest.fixture(scope="module")
def root(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    above = tmp_path_factory.mktemp("above")
    (above / "secret").write_bytes(SECRET)
    root = above / "hub"
    model = root / "acme" / "tiny"
    shutil.copytree(samples / "tiny-llama-chat", model)
    (model / "inside").symlink_to("config.json")
    (model / ".git").mkdir()
    (model / ".git" / "config").write_bytes(SECRET)
    (model / "half.safetensors.incomplete").write_bytes(SECRET)
    odd = root / "acme" / "odd"
    shutil.copytree(model, odd)
    (odd / "link").symlink_to(above / "secret")
    (odd / "folder").symlink_to(above)
    os.mkfifo(odd / "pipe")
    (root / "acme" / "elsewhere").symlink_to(above)
    (model / "config.json.gz").write_bytes(gzip.compress(b"not the configuration"))
    return root


@pytest.fixture(scope="module")
def mirror(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with mirroring(root, tmp_path_factory.mktemp("home"), "--quiet-seconds", "1.5") as mirror:
        yield mirror


def asked(mirror: Mirror, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """What comes back for exactly these bytes: status, head and body."""
    parts = urlsplit(mirror.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(request)
        data = b""
        while piece := connection.recv(1 << 16):
            data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): said.strip() for name, _, said in (line.partition(":") for line in lines)}
    return int(first.split()[1]), fields, body


def got(mirror: Mirror, path: str, *fields: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    head = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *fields))
    return asked(mirror, head.encode("utf-8", "surrogateescape") + b"\r\n\r\n")


FILE = "/acme/tiny/resolve/main/"
OUTSIDE = """
../../../secret
../../../../../../../../etc/passwd
%2e%2e/%2e%2e/%2e%2e/secret
..%2f..%2f..%2fsecret
%252e%252e/%252e%252e/secret
..%5c..%5csecret
..\\\\..\\\\secret
/etc/passwd
//etc/passwd
%2fetc%2fpasswd
config.json%00
%00
config.json/../../../../secret
./config.json
.git/config
half.safetensors.incomplete
%ff%fe
%
"""


@pytest.mark.parametrize("path", OUTSIDE.split("\n")[1:-1])
@pytest.mark.parametrize(
    "route",
    [
        "/acme/tiny/resolve/main/{}",
        "/api/models/acme/tiny/tree/main/{}",
        "/api/v1/models/acme/tiny/repo?Revision=master&FilePath={}",
        "/acme/tiny/resolve/{}/config.json",
        "/{}",
    ],
)
def test_a_file_outside_of_a_model_is_never_given(route: str, path: str, mirror: Mirror) -> None:
    status, _, body = got(mirror, route.format(path))
    assert SECRET not in body and b"root:" not in body
    assert status in (400, 404)


@pytest.mark.parametrize("path", ["link", "folder/secret", "pipe", "folder/hub/acme/odd/config.json"])
def test_what_a_link_or_a_pipe_leads_to_is_never_given(path: str, mirror: Mirror) -> None:
    for url in (f"/acme/odd/resolve/main/{path}", f"/api/v1/models/acme/odd/repo?FilePath={path}"):
        status, _, body = got(mirror, url)
        assert SECRET not in body
        assert status in (403, 404)


@pytest.mark.parametrize("id", ["acme/elsewhere", "../hub", "acme/..", "acme/tiny--x", "acme/.git", "api/models"])
def test_what_is_no_model_of_the_hub_is_not_there(id: str, mirror: Mirror) -> None:
    assert got(mirror, f"/api/models/{id}")[0] == 404
    assert got(mirror, f"/v2/{id}/manifests/latest")[0] == 404


def test_a_link_within_the_hub_is_a_file(mirror: Mirror, root: Path) -> None:
    assert got(mirror, FILE + "inside")[2] == (root / "acme/tiny/config.json").read_bytes()


def test_a_packed_twin_is_not_given_for_the_file(mirror: Mirror, root: Path) -> None:
    status, fields, body = got(mirror, FILE + "config.json", "Accept-Encoding: gzip, deflate, br")
    assert (status, body) == (200, (root / "acme/tiny/config.json").read_bytes())
    assert "content-encoding" not in fields


RANGES = """
bytes=0-0        206 0 1
bytes=5-         206 5 *
bytes=-7         206 -7 7
bytes=0-99999999 206 0 *
bytes=-99999999  206 0 *
bytes=400-2      200 0 *
bytes=0-1,4-5    200 0 *
bytes=a-b        200 0 *
bytes=-          200 0 *
items=0-1        200 0 *
bytes=99999999-  416 0 0
bytes=-0         416 0 0
"""


@pytest.mark.parametrize("row", RANGES.strip().splitlines())
def test_a_range_is_exact_and_a_head_is_that_of_the_whole(row: str, mirror: Mirror, root: Path) -> None:
    said, status, start, count = row.split()
    whole = (root / "acme/tiny/config.json").read_bytes()
    want = whole[int(start) :] if count == "*" else whole[int(start) :][: int(count)]
    answer = got(mirror, FILE + "config.json", f"Range: {said}")
    assert (answer[0], answer[2]) == (int(status), want)
    if status == "206":
        first = len(whole) + int(start) if start.startswith("-") else int(start)
        assert answer[1]["content-range"] == f"bytes {first}-{first + len(want) - 1}/{len(whole)}"
    head = got(mirror, FILE + "config.json", f"Range: {said}", method="HEAD")
    assert head[2] == b""
    assert {**head[1], "date": ""} == {**answer[1], "date": ""}


def test_a_range_of_what_it_was_before_is_answered_by_the_whole(mirror: Mirror) -> None:
    etag = got(mirror, FILE + "config.json")[1]["etag"]
    assert got(mirror, FILE + "config.json", "Range: bytes=1-2", f"If-Range: {etag}")[0] == 206
    assert got(mirror, FILE + "config.json", "Range: bytes=1-2", 'If-Range: "other"')[0] == 200
    assert got(mirror, FILE + "config.json", f"If-None-Match: {etag}")[0] == 304


@pytest.mark.parametrize(
    "fields",
    [["X-Long: " + "a" * 100_000], [f"X-{n}: a" for n in range(5000)], ["Cookie: m_session_id=" + "b" * 200_000]],
    ids=["long", "many", "cookie"],
)
def test_a_huge_head_is_refused(fields: list[str], mirror: Mirror) -> None:
    try:
        status, _, _ = got(mirror, FILE + "config.json", *fields)
    except ConnectionError:
        return
    assert status in (400, 413, 431)


def test_a_huge_body_is_refused(mirror: Mirror) -> None:
    head = b"POST /api/models/acme/tiny/paths-info/main HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n"
    try:
        status, _, _ = asked(mirror, head + b"paths=" + b"a" * 8_999_994)
    except ConnectionError:
        return
    assert status == 413


@pytest.mark.parametrize(
    "start", [b"", b"GET / HTTP/1.1\r\n", b"GET /acme/tiny/resolve/main/config.json HTTP/1.1\r\nX-A: "]
)
def test_who_asks_for_nothing_whole_is_cut_off(start: bytes, mirror: Mirror) -> None:
    parts = urlsplit(mirror.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(start)
        with pytest.raises(ConnectionError):
            for _ in range(300):
                connection.sendall(b"a")
                time.sleep(0.1)


def test_what_is_no_http_is_refused(mirror: Mirror) -> None:
    assert asked(mirror, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")[0] == 400


@pytest.mark.parametrize("query", ["limit=-1", "limit=1e9", "cursor=%00", "limit=99999999999999999999"])
def test_a_number_that_is_none_is_refused(query: str, mirror: Mirror) -> None:
    assert got(mirror, f"/api/models?{query}")[0] == 400


def test_a_line_of_the_log_is_one_line(mirror: Mirror) -> None:
    got(mirror, "/x%0a%0dy", "User-Agent: \x1b[31mred")
    for line in mirror.log.read_text("utf-8").splitlines():
        assert set(json.loads(line)) >= {"time", "path", "status", "bytes"}
        assert not re.search(r"[\x00-\x1f]", line)


def test_a_file_that_changes_has_another_commit_and_its_old_bytes_are_gone(samples: Path, tmp_path: Path) -> None:
    model = tmp_path / "hub" / "acme" / "tiny"
    shutil.copytree(samples / "tiny-llama-chat", model)
    with mirroring(tmp_path / "hub", tmp_path / "home") as mirror:
        before = json.loads(got(mirror, "/api/models/acme/tiny")[2])["sha"]
        (model / "new").write_bytes(b"{}")
        os.replace(model / "new", model / "config.json")
        answer = got(mirror, f"/acme/tiny/resolve/{before}/config.json")
        assert answer[0] in (404, 503)  # never the new bytes under the old commit
        time.sleep(1.1)
        after = json.loads(got(mirror, "/api/models/acme/tiny")[2])["sha"]
        assert after != before
        assert got(mirror, f"/acme/tiny/resolve/{before}/config.json")[0] == 404
        assert got(mirror, f"/acme/tiny/resolve/{after}/config.json")[2] == b"{}"


def test_an_admin_holds_and_releases_and_nobody_else_does(samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples / "tiny-llama-chat", tmp_path / "hub" / "acme" / "tiny")
    with mirroring(tmp_path / "hub", tmp_path / "home", "--token", READ, "--admin-token", ADMIN) as mirror:
        admin, reader = f"Authorization: Bearer {ADMIN}", f"Authorization: Bearer {READ}"
        hold, release = "/weigh/models/acme/tiny/hold", "/weigh/models/acme/tiny/release"
        assert got(mirror, hold, method="POST")[0] == 401
        assert got(mirror, hold, reader, method="POST")[0] == 403
        assert got(mirror, FILE + "config.json", reader)[0] == 200
        assert json.loads(got(mirror, hold, admin, method="POST")[2])["is_held"] is True
        assert got(mirror, FILE + "config.json", reader)[0] == 403
        assert b"operator" in got(mirror, "/weigh/models", admin)[2]
        assert got(mirror, release, admin, method="POST")[0] == 200
        assert got(mirror, FILE + "config.json", reader)[0] == 200


def test_a_policy_holds_what_it_does_not_allow(samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples / "tiny-llama-chat", tmp_path / "hub" / "acme" / "tiny")
    (tmp_path / "policy.toml").write_text('allowed_formats = ["gguf"]\n')
    with mirroring(tmp_path / "hub", tmp_path / "home", "--policy", str(tmp_path / "policy.toml")) as mirror:
        assert got(mirror, FILE + "config.json")[0] == 403


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_stops_cleanly(number: signal.Signals, workers: str, samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples / "tiny-llama-chat", tmp_path / "hub" / "acme" / "tiny")
    with mirroring(tmp_path / "hub", tmp_path / "home", "--workers", workers) as mirror:
        assert got(mirror, FILE + "config.json")[0] == 200
        mirror.process.send_signal(number)
        assert mirror.process.wait(20) == 0
