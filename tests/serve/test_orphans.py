"""Whatever ends the server, what it started ends too; what hangs is replaced; who is slow is given up."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.engines import fake_server
from tests.serve.server import Staged, process, staging
from tests.tiny import made
from tools.tiny import text

GONE = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def is_gone(child: psutil.Process) -> bool:
    try:
        return not child.is_running() or child.status() in GONE
    except psutil.NoSuchProcess:
        return True


def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def chat(staged: Staged, said: str, **more: object) -> httpx.Response:
    asked = {"messages": [{"role": "user", "content": said}], **more}
    return httpx.post(f"{staged.address}/v1/chat/completions", json=asked, timeout=60)


def children(staged: Staged) -> list[psutil.Process]:
    return psutil.Process(staged.server.pid).children(recursive=True)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("prompt", ["hello", "wait"])
def test_a_server_that_is_killed_leaves_no_child(tmp_path: Path, prompt: str) -> None:
    with staging(tmp_path) as staged, httpx.Client(timeout=60) as client:
        asked = {"messages": [{"role": "user", "content": prompt}], "stream": True}
        with client.stream("POST", f"{staged.address}/v1/chat/completions", json=asked) as answer:
            next(answer.iter_text())
            (child,) = children(staged)
            staged.server.kill()
            until(lambda: is_gone(child))


@pytest.mark.skipif(sys.platform != "linux", reason="a stopped child is ended by the kernel alone")
def test_a_child_that_is_stopped_ends_with_its_server(tmp_path: Path) -> None:
    with staging(tmp_path) as staged:
        chat(staged, "hello")
        (child,) = children(staged)
        child.suspend()
        staged.server.kill()
        until(lambda: is_gone(child))


@pytest.fixture
def far(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Staged, psutil.Process]]:
    """A server over a command of the user's, and that command's process."""
    gguf = made(tmp_path_factory, "text", text.write) / "model-F32.gguf"
    place = tmp_path / "bin" / "llama-server"
    place.parent.mkdir()
    place.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(fake_server.__file__)} "$@"\n')
    place.chmod(0o755)
    calls = tmp_path / "calls"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(place.parent), prepend=os.pathsep)
        patch.setenv("FAKE_CALLS", str(calls))
        settings = tmp_path / "serve.toml"
        settings.write_text(f'[models.far]\nreference = "{gguf}"\nengine = "llama-server"\n')
        with process(sys.executable, "-m", "weigh", "serve", "--config", str(settings), "--port", "0") as made_one:
            staged = Staged(*made_one)
            assert chat(staged, "hello").status_code == 200
            yield staged, psutil.Process(json.loads(calls.read_text())["pid"])


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_command_of_the_user_s_ends_with_a_server_that_is_killed(far: tuple[Staged, psutil.Process]) -> None:
    staged, command = far
    staged.server.kill()
    until(lambda: is_gone(command))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM")
def test_a_command_that_hears_no_sigterm_is_ended_still(far: tuple[Staged, psutil.Process]) -> None:
    staged, command = far
    command.suspend()
    staged.server.send_signal(signal.SIGTERM)
    until(lambda: is_gone(command))
    assert staged.server.wait(30) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP")
def test_an_engine_that_hangs_is_ended_with_its_job_and_comes_back(tmp_path: Path) -> None:
    with staging(tmp_path, job_seconds=2.0) as staged:
        assert chat(staged, "hello").status_code == 200
        (child,) = children(staged)
        child.suspend()
        assert chat(staged, "hello").json()["error"]["code"] == "timed_out"
        assert chat(staged, "again").json()["choices"][0]["message"]["content"] == "again"
        assert is_gone(child)


def test_a_job_that_obeys_when_its_time_is_over_costs_the_engine_nothing(tmp_path: Path) -> None:
    with staging(tmp_path, job_seconds=1.0) as staged:
        chat(staged, "hello")
        before = children(staged)
        assert chat(staged, "wait").json()["error"]["code"] == "timed_out"
        assert children(staged) == before


def test_a_request_that_comes_too_slowly_is_given_up(tmp_path: Path) -> None:
    with staging(tmp_path, stall_seconds=0.5) as staged:
        host, _, port = staged.address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            line.sendall(b"POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
            assert b" 408 " in line.recv(4096)


def test_a_client_that_goes_while_it_asks_leaves_no_error_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as file, staging(tmp_path, log=file) as staged:
        host, _, port = staged.address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            line.sendall(b"POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        until(lambda: log.read_text().endswith("\n"))
    (record,) = map(json.loads, log.read_text().splitlines())
    assert (record["status"], record["level"]) == (499, "info")
