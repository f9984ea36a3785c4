"""With `--offline` no command opens a connection: in this process, and in whatever processes it starts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from weigh.cli.main import COMMANDS
from weigh.cli.main import weigh as command

# Every command on what lies far away and on what lies here. SAMPLE is a repository on this machine, FILE its weights.
CASES = """
report hf:org/name ms:org/name https://127.0.0.1:9/x.gguf ollama:qwen3 Qwen/Qwen3-8B SAMPLE
name hf:org/name Qwen3-8B-Q4_K_M.gguf
inspect hf:org/name SAMPLE --tensors
check hf:org/name http://127.0.0.1:9/x SAMPLE
fit hf:org/name Qwen3-8B SAMPLE --on cpu
choose code on a laptop
explain gguf
catalog qwen
catalog sync
search qwen
search qwen --hub ms --hashes
pull hf:org/name --yes
pull ms:org/name --to OUT --yes
pull https://127.0.0.1:9/x.gguf --yes
verify hf:org/name
verify SAMPLE --sbom OUT/bom.json
run echo: hello
run hf:org/name hello
run SAMPLE hello
list
mirror DIR
export SAMPLE OUT/model.tar
import OUT/model.tar --to OUT
serve hf:org/name
bench hf:org/name
bench echo:
schema
"""
LINES = [line for line in CASES.splitlines() if line]

# Written before the program starts, in each process that it starts too.
GUARD = """
import os, socket, sys
EVENTS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}
def guard(event, arguments):
    is_far = event in EVENTS and getattr(arguments[0], "family", None) != socket.AF_UNIX
    is_new = event == "socket.__new__" and arguments[1] in (socket.AF_INET, socket.AF_INET6) and not os.environ.get("MAY_BIND")
    if is_far or is_new:
        with open(os.environ["GUARD_LOG"], "a") as file:
            file.write(f"{event} {arguments[1:]}\\n")
        raise RuntimeError("a connection, offline")
sys.addaudithook(guard)
"""


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, hubs at an address where nobody is, and the guard for processes."""
    for name, folder in (("HOME", "."), ("HF_HUB_CACHE", "hub"), ("MODELSCOPE_CACHE", "ms"), ("WEIGH_HOME", "weigh"), ("XDG_DATA_HOME", "data")):  # fmt: skip
        monkeypatch.setenv(name, str(tmp_path / folder))
    for name in ("HF_ENDPOINT", "MODELSCOPE_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    monkeypatch.setenv("GUARD_LOG", str(tmp_path / "guard.log"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "guard"), *filter(None, sys.path)]))
    return tmp_path


def words_of(line: str, samples: Path, home: Path) -> list[str]:
    model = samples / "tiny-llama-chat"
    named = {"SAMPLE": str(model), "FILE": str(model / "model.safetensors"), "OUT": str(home / "out")}
    return [
        word.replace("OUT", named["OUT"]) if word.startswith("OUT") else named.get(word, word) for word in line.split()
    ]


def test_every_command_is_among_the_cases() -> None:
    assert {line.split()[0] for line in LINES} == COMMANDS.keys()


@pytest.mark.parametrize("line", [line for line in LINES if line != "run SAMPLE hello"])  # that runs in a child alone
def test_offline_opens_no_connection(line: str, samples: Path, around: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def guard(name: str) -> Callable[..., object]:
        def refuse(*arguments: object, **named: object) -> object:
            opened.append(f"{name} {arguments}")
            raise RuntimeError("a connection, offline")

        return refuse

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, guard(name))
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, guard(name))
    done = CliRunner().invoke(command, [*words_of(line, samples, around), "--offline"], standalone_mode=False)
    assert opened == []
    assert done.exception is None, done.output


def child(words: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "weigh", *words], capture_output=True, text=True, timeout=120, env=os.environ | more, check=False)  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_offline_opens_none_in_the_processes_it_starts(line: str, samples: Path, around: Path) -> None:
    done = child([*words_of(line, samples, around), "--offline"])
    assert not (around / "guard.log").exists(), (around / "guard.log").read_text()
    assert done.returncode in (0, 1, 2) and "Traceback" not in done.stderr, done.stderr


def test_the_guard_sees_a_connection_where_there_is_one(around: Path) -> None:
    child(["hf:org/name"])
    assert "socket." in (around / "guard.log").read_text()


def test_a_server_that_is_offline_listens_and_connects_to_nobody(around: Path) -> None:
    pytest.importorskip("uvicorn")
    words = [sys.executable, "-m", "weigh", "serve", "echo:", "--port", "0", "--offline"]
    server = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"MAY_BIND": "1"}
    )
    assert server.stdout is not None
    assert server.stdout.readline().startswith("listening on http://127.0.0.1:")
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=60)
    assert server.returncode in (0, -signal.SIGTERM) and not (around / "guard.log").exists()
