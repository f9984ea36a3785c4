"""A client or a worker dies in the middle of a file: what each client makes of it, and that the bytes are right."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.hub import HF0, HF2, MS140, Client, Mirror, at_hf, at_ms, mirroring
from tests.serve.test_mirror_load import workers

SIZE = 400 << 20
ENOUGH = 20 << 20  # bytes that are here when it breaks off
ID = "acme/large"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model of zeros, most of which are holes of the file."""
    root = tmp_path_factory.mktemp("hub")
    head = json.dumps({"w": {"dtype": "U8", "shape": [SIZE], "data_offsets": [0, SIZE]}}).encode()
    (root / ID).mkdir(parents=True)
    with (root / ID / "model.safetensors").open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.truncate(8 + len(head) + SIZE)
    return root


@pytest.fixture
def mirror(root: Path, tmp_path: Path) -> Iterator[Mirror]:
    with mirroring(root, tmp_path / "mirror", "--workers", "2") as mirror:
        yield mirror


def command(client: Client, mirror: Mirror, home: Path) -> tuple[list[str], dict[str, str]]:
    if client is MS140:
        return [str(client.bin / "ms-hub"), "download", ID], at_ms(mirror.url, home)
    return [str(client.bin / "hf"), "download", ID], at_hf(mirror.url, home)


def started(client: Client, mirror: Mirror, home: Path) -> subprocess.Popen[bytes]:
    line, environment = command(client, mirror, home)
    home.mkdir(exist_ok=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(line, env=environment, **quiet)  # type: ignore[call-overload, no-any-return]


def wait_for_some(process: subprocess.Popen[bytes], home: Path) -> None:
    """Until so many bytes came, or it is through already."""
    while process.poll() is None:
        sizes = []
        for path in home.rglob("*"):
            try:
                sizes.append(path.stat().st_size if path.is_file() else 0)
            except OSError:
                continue
        if sum(sizes) > ENOUGH:
            return
        time.sleep(0.01)


def is_whole(home: Path, root: Path) -> bool:
    def digest(path: Path) -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    found = [path for path in home.rglob("model.safetensors") if path.stat().st_size]
    return [digest(path) for path in found] == [digest(root / ID / "model.safetensors")]


CLIENTS = pytest.mark.parametrize("client", [HF2, HF0, MS140], ids=lambda one: f"{one.package}-{one.version}")


@CLIENTS
def test_a_client_survives_the_death_of_every_worker(
    client: Client, mirror: Mirror, root: Path, tmp_path: Path
) -> None:
    home = tmp_path / "client"
    with started(client, mirror, home) as process:
        wait_for_some(process, home)
        for worker in workers(mirror):
            os.kill(worker, signal.SIGKILL)
        ended = process.wait(120)
    if client is HF0 and ended:
        with started(client, mirror, home) as process:
            ended = process.wait(120)
    assert ended == 0
    assert is_whole(home, root)


@CLIENTS
def test_a_client_that_was_killed_is_through_the_second_time(
    client: Client, mirror: Mirror, root: Path, tmp_path: Path
) -> None:
    home = tmp_path / "client"
    with started(client, mirror, home) as process:
        wait_for_some(process, home)
        process.kill()
    with started(client, mirror, home) as process:
        assert process.wait(120) == 0
    assert is_whole(home, root)


def test_nothing_that_is_answered_leads_to_another_store(mirror: Mirror) -> None:
    """No xet, no redirect: a client with another way to the bytes would take it and hang where there is none."""
    import urllib.request

    for path in (
        f"/api/models/{ID}?blobs=true",
        f"/api/models/{ID}/tree/main",
        f"/{ID}/resolve/main/model.safetensors",
    ):
        request = urllib.request.Request(mirror.url + path, headers={"Range": "bytes=0-99"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = str(answer.headers).lower() + (answer.read().decode("latin-1").lower() if "/api/" in path else "")
        assert "xet" not in told and "location" not in told
