"""The real `weigh mirror` in processes of its own, and the environments of stock clients."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

PROJECT = Path(__file__).parents[2]
LINE = re.compile(r"listening on (https?://127\.0\.0\.1:\d+)\n")
CALLER = ("HF_", "HUGGING", "MODELSCOPE_", "WEIGH_", "LC_", "LANG")


class Mirror(NamedTuple):
    """Where it listens, its process, and where its log is."""

    url: str
    process: subprocess.Popen[str]
    log: Path


def plain(**more: str) -> dict[str, str]:
    """The environment without what the caller's own clients go by."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(CALLER)}
    return kept | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "LC_ALL": "C.UTF-8"} | more


@contextmanager
def mirroring(root: Path, home: Path, *arguments: str) -> Iterator[Mirror]:
    """Once it listens; told to stop at the end, and then it must stop by itself."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "access.log"
    command = (sys.executable, "-m", "weigh", "mirror", str(root), "--port", "0", "--access-log", str(log), *arguments)
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = plain(PYTHONPATH=paths, WEIGH_HOME=str(home))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        found = LINE.fullmatch(process.stdout.readline())
        try:
            assert found is not None
            yield Mirror(found[1], process, log)
        finally:
            process.terminate()
            assert process.wait(30) == 0


def workers(mirror: Mirror) -> list[int]:
    """The processes that answer for it."""
    pid = mirror.process.pid
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [int(child) for child in found]


class Client(NamedTuple):
    """A package at a version, in whichever environment has it."""

    package: str
    version: str

    @property
    def bin(self) -> Path:
        """Skips by name where no environment has it."""
        for environment in environments():
            if any(environment.glob(f"lib/python*/site-packages/{self.package}-{self.version}*.dist-info")):
                return environment / "bin"
        pytest.skip(f"{self.package} {self.version} is in no environment here")


def environments() -> list[Path]:
    """Ours, those of the heavy stacks, and those that WEIGH_CLIENTS names."""
    named = [Path(one) for one in os.environ.get("WEIGH_CLIENTS", "").split(os.pathsep) if one]
    return [Path(sys.prefix), *sorted(PROJECT.glob(".venv-*")), *named]


HF2 = Client("huggingface_hub", "2.")
HF0 = Client("huggingface_hub", "0.36.")
MS140 = Client("modelscope_hub", "0.5.")
MS137 = Client("modelscope", "1.37.")


def ran(command: list[str | Path], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """To its end; what it says on both streams is in `stdout`."""
    return subprocess.run(
        [str(one) for one in command],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )


def at_hf(url: str, home: Path, **more: str) -> dict[str, str]:
    """What Hugging Face's client goes by."""
    return plain(HF_ENDPOINT=url, HF_HOME=str(home), **more)


def at_ms(url: str, home: Path, **more: str) -> dict[str, str]:
    """What ModelScope's client goes by; its credentials lie in the home folder."""
    return plain(MODELSCOPE_ENDPOINT=url, MODELSCOPE_CACHE=str(home), HOME=str(home), **more)
