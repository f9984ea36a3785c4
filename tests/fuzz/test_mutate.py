"""A short run of the fuzzer, as `make fuzz` runs a long one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "fuzz.mutate", *arguments)
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)


def test_mutated_inputs_are_all_answered() -> None:
    done = fuzz("--rounds", "2000", "--seed", "77")
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.search(r"(\d+) mutated inputs of seed 77, (\d+) not answered", done.stdout)
    assert said is not None and (int(said[1]), int(said[2])) == (2000, 0)
