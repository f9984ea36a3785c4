"""What a private hub has from another one: brought once, renewed, filled ahead, and never lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.hubs.server import hub
from tests.loopback import Asked, Content, Loopback, Reply, serving
from tests.serve.hub import Mirror, mirroring, plain
from tests.serve.test_mirror_hostile import got

TINY = "acme/tiny"
FILE = f"/{TINY}/resolve/main/"
SOON = "0.0003"  # hours
LAYOUTS = pytest.mark.parametrize("flags", [(), ("--cache",)], ids=["folder", "cache"])


class Far:
    """Another hub whose files change, or that does not answer."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, Content] = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        self.files["old.txt"] = b"old\n"
        self.said: dict[str, Content] | None = None  # what its bytes are, where they are not what it lists
        self.is_dead = False

    def answer(self, asked: Asked) -> Reply:
        if self.is_dead:
            return Reply(status=500, headers={}, body=b"")
        files = self.said if self.said is not None and "/resolve/" in asked.path else self.files
        return hub(files, id=TINY, commit=commit_of(self.files))(asked)


def commit_of(files: dict[str, Content]) -> str:
    from hashlib import sha1

    return sha1(repr(sorted(files.items())).encode(), usedforsecurity=False).hexdigest()


class Pair(NamedTuple):
    far: Far
    server: Loopback
    near: Mirror
    folder: Path


@contextmanager
def pair(samples: Path, tmp_path: Path, *flags: str) -> Iterator[Pair]:
    far = Far(samples / "tiny-llama-chat")
    (tmp_path / "edge").mkdir()
    with (
        serving(far.answer) as server,
        mirroring(tmp_path / "edge", tmp_path / "h", "--upstream", server.url, *flags) as near,
    ):
        yield Pair(far, server, near, tmp_path / "edge")


def config(near: Mirror, revision: str = "main") -> bytes:
    status, _, body = got(near, f"/{TINY}/resolve/{revision}/config.json")
    assert status == 200, body
    return body


def newer(far: Far) -> bytes:
    old = far.files["config.json"]
    assert isinstance(old, bytes)
    far.files = far.files | {"config.json": old + b"\n", "more.txt": b"more\n"}
    del far.files["old.txt"]
    return old + b"\n"


def becomes(near: Mirror, wanted: bytes, *others: bytes) -> None:
    """Asked again and again; nothing else is ever answered."""
    for _ in range(600):
        body = config(near)
        if body == wanted:
            return
        assert body in others
        time.sleep(0.1)
    pytest.fail("it never came")


@LAYOUTS
def test_what_came_from_another_hub_is_renewed_while_the_old_one_is_served(
    flags: tuple[str, ...], samples: Path, tmp_path: Path
) -> None:
    with pair(samples, tmp_path, "--renew-hours", SOON, *flags) as one:
        old = config(one.near)
        before = got(one.near, FILE + "config.json")[1]["x-repo-commit"]
        becomes(one.near, newer(one.far), old)
        assert got(one.near, FILE + "more.txt")[2] == b"more\n"
        assert got(one.near, FILE + "old.txt")[0] == 404
        assert config(one.near, before) == old  # who is fetching it can go on
        weights = [asked for asked in one.server.asked if asked.path.endswith(".safetensors")]
        assert len(weights) == 1  # what did not change is not fetched again


@LAYOUTS
def test_a_dead_upstream_takes_nothing_away(flags: tuple[str, ...], samples: Path, tmp_path: Path) -> None:
    with pair(samples, tmp_path, "--renew-hours", SOON, *flags) as one:
        old = config(one.near)
        one.far.is_dead = True
        for _ in range(30):
            assert config(one.near) == old
            time.sleep(0.1)
        one.far.is_dead = False
        becomes(one.near, newer(one.far), old)


def test_a_newer_revision_with_a_wrong_byte_or_that_is_held_does_not_come(samples: Path, tmp_path: Path) -> None:
    with pair(samples, tmp_path, "--renew-hours", SOON) as one:
        old = config(one.near)
        good = one.far.files
        one.far.files = good | {"config.json": old + b" "}
        one.far.said = good
        stays(one.near, old)
        one.far.said, one.far.files = None, good | {"pytorch_model.bin": (samples / "hostile.bin").read_bytes()}
        stays(one.near, old)
        assert got(one.near, FILE + "pytorch_model.bin")[0] == 404


def stays(near: Mirror, old: bytes, looks: int = 60) -> None:
    for _ in range(looks):
        assert config(near) == old
        time.sleep(0.1)


def test_with_0_hours_nothing_is_renewed(samples: Path, tmp_path: Path) -> None:
    with pair(samples, tmp_path, "--renew-hours", "0") as one:
        old = config(one.near)
        newer(one.far)
        asked = len(one.server.asked)
        stays(one.near, old, 20)
        assert len(one.server.asked) == asked


def test_what_did_not_come_from_there_is_not_asked_for(samples: Path, tmp_path: Path) -> None:
    with pair(samples, tmp_path, "--renew-hours", SOON) as one:
        shutil.copytree(samples / "tiny-llama-chat", one.folder / "acme" / "tiny")
        stays(one.near, (samples / "tiny-llama-chat" / "config.json").read_bytes(), 20)
        assert one.server.asked == []


def test_two_workers_bring_a_model_once(samples: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with pair(samples, tmp_path, "--workers", "2") as one, ThreadPoolExecutor(12) as many:
        wanted = (samples / "tiny-llama-chat" / "config.json").read_bytes()
        assert set(many.map(lambda _: config(one.near), range(12))) == {wanted}
        assert len([asked for asked in one.server.asked if asked.path.endswith(".safetensors")]) == 1


def test_what_the_other_hub_lacks_is_told_apart_from_one_that_is_dead(samples: Path, tmp_path: Path) -> None:
    with pair(samples, tmp_path) as one:
        status, fields, _ = got(one.near, "/api/models/acme/nothing")
        assert (status, fields["x-error-code"]) == (404, "RepoNotFound")
        one.far.is_dead = True
        assert got(one.near, "/api/models/acme/tiny")[0] == 502


def test_nothing_lies_beside_the_files_that_came(samples: Path, tmp_path: Path) -> None:
    with pair(samples, tmp_path) as one:
        config(one.near)
        assert {path.name for path in (one.folder / "acme" / "tiny").iterdir()} == set(one.far.files)


def filled(folder: Path, home: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, "-m", "weigh", "mirror", str(folder), "--fetch-only", *flags],
        env=plain(PYTHONPATH=paths, WEIGH_HOME=str(home)),
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_hub_is_filled_ahead_and_serves_without_the_other(samples: Path, tmp_path: Path) -> None:
    far = Far(samples / "tiny-llama-chat")
    edge = tmp_path / "edge"
    edge.mkdir()
    (tmp_path / "list").write_text(f"# what we need\nhf:{TINY}  # the small one\n\n")
    with serving(far.answer) as server:
        flags = ("--upstream", server.url, "--fetch-list", str(tmp_path / "list"))
        done = filled(edge, tmp_path / "h", *flags)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr.splitlines() == [f"hf:{TINY}: being fetched (1 of 1)", f"{TINY}: here", "1 of 1 are here"]
        newer(far)
        assert filled(edge, tmp_path / "h", *flags).returncode == 0
        wanted = (edge / "acme" / "tiny" / "config.json").read_bytes()
        assert wanted == far.files["config.json"]
    with mirroring(edge, tmp_path / "h") as alone:
        assert config(alone) == wanted


def test_what_is_held_or_not_there_is_told_by_the_exit_status(samples: Path, tmp_path: Path) -> None:
    far = Far(samples / "tiny-llama-chat")
    far.files["pytorch_model.bin"] = (samples / "hostile.bin").read_bytes()
    edge = tmp_path / "edge"
    edge.mkdir()
    with serving(far.answer) as server:
        held = filled(edge, tmp_path / "h", "--upstream", server.url, "--fetch", f"hf:{TINY}")
        assert held.returncode == 1 and f"{TINY}: held: " in held.stderr
        lacking = filled(edge, tmp_path / "h", "--upstream", server.url, "--fetch", "hf:acme/nothing")
        assert lacking.returncode == 2 and "acme/nothing: could not be fetched: " in lacking.stderr
    assert not (edge / "acme").exists()


@pytest.mark.parametrize(
    "flags", ["--fetch acme/tiny", "--fetch /etc", "--fetch hf:a/b --offline", "--upstream ftp://x"]
)
def test_what_cannot_be_fetched_ahead_is_one_line(flags: str, tmp_path: Path) -> None:
    done = filled(tmp_path, tmp_path / "h", *flags.split())
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1


def test_a_hub_is_filled_while_it_serves(samples: Path, tmp_path: Path) -> None:
    far = Far(samples / "tiny-llama-chat")
    edge = tmp_path / "edge"
    edge.mkdir()
    with (
        serving(far.answer) as server,
        mirroring(edge, tmp_path / "h", "--upstream", server.url, "--fetch", f"hf:{TINY}", "--workers", "2"),
    ):
        for _ in range(600):
            if (edge / "acme" / "tiny").exists():
                break
            time.sleep(0.1)
    assert (edge / "acme" / "tiny" / "config.json").read_bytes() == far.files["config.json"]
