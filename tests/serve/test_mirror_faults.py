"""What the private hub does where a client leaves in the middle, or looks for another way to the bytes."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.serve.hub import Mirror, mirroring

SIZE = 64 << 20
ID = "acme/large"
FILE = f"/{ID}/resolve/main/model.safetensors"


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    """Over one model of zeros, most of which are holes of the file."""
    head = json.dumps({"w": {"dtype": "U8", "shape": [SIZE], "data_offsets": [0, SIZE]}}).encode()
    (tmp_path / "hub" / ID).mkdir(parents=True)
    with (tmp_path / "hub" / ID / "model.safetensors").open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.truncate(8 + len(head) + SIZE)
    with mirroring(tmp_path / "hub", tmp_path / "mirror") as mirror:
        yield mirror


def test_a_client_that_leaves_in_the_middle_is_a_line_of_the_log_and_no_error(
    mirror: Mirror, capfd: pytest.CaptureFixture[str]
) -> None:
    parts = urlsplit(mirror.url)
    with socket.create_connection((parts.hostname, parts.port)) as client:
        client.sendall(f"GET {FILE} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 200"
    until = time.monotonic() + 30
    while not (told := mirror.log.read_text("utf-8") if mirror.log.exists() else "") and time.monotonic() < until:
        time.sleep(0.02)
    line = json.loads(told)
    assert (line["status"], line["bytes"]) == (499, 0)
    assert "Traceback" not in capfd.readouterr().err


def test_nothing_that_is_answered_leads_to_another_store(mirror: Mirror) -> None:
    """No xet, no redirect: a client with another way to the bytes would take it and hang where there is none."""
    for path in (f"/api/models/{ID}?blobs=true", f"/api/models/{ID}/tree/main", FILE):
        request = urllib.request.Request(mirror.url + path, headers={"Range": "bytes=0-99"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = str(answer.headers).lower() + (answer.read().decode("latin-1").lower() if "/api/" in path else "")
        assert "xet" not in told and "location" not in told
