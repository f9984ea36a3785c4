"""Inert cases of what loaders may be made to do, called right or wrong by us and by other scanners, on the same files.

`python -m bench.scanners [--every N] [--sample N]`: each scanner in an environment of its own, made if need be.
`--every N` takes each Nth case, `--sample N` each Nth of these for modelaudit, which takes seconds a file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.peers import SILENT, executable
from tests.cases.safety import Case, cases

SECONDS = 60
# How each is asked about one path; every one of them ends with 0 where it finds nothing.
COMMANDS = {
    "picklescan": ("picklescan", "-p"),
    "picklescan --strict": ("picklescan", "--strict", "-p"),
    "modelscan": ("modelscan", "-p"),
    "fickling": ("fickling", "--check-safety"),
    "modelaudit": ("modelaudit", "scan", "--no-cache"),
}
SLOW = "modelaudit"


def lay_out(chosen: Sequence[Case], folder: Path) -> list[tuple[Case, Path]]:
    """Each case in a folder of its own; one file alone is asked about as a file."""
    found = []
    for number, case in enumerate(chosen):
        home = folder / f"{number:04}"
        files = case.files()
        for path, data in files.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_bytes(data)
        found.append((case, home / next(iter(files)) if len(files) == 1 else home))
    return found


def score(name: str, command: Sequence[str], laid: Sequence[tuple[Case, Path]]) -> None:
    """Prints how many of each kind end as they should: a clean one with 0, any other with something else."""
    right: Counter[str] = Counter()
    number: Counter[str] = Counter()
    began = time.perf_counter()
    for case, path in laid:
        kind = case.verdict.split("|")[0]
        number[kind] += 1
        right[kind] += (_status([*command, str(path)]) == 0) == (kind == "clean")
    took = time.perf_counter() - began
    told = "  ".join(f"{kind} {right[kind]}/{number[kind]}" for kind in sorted(number))
    print(f"{name:<19} {sum(right.values()):4} of {len(laid)} right   {told}   {took:.0f} s")


def _status(command: Sequence[str]) -> int:
    try:
        with tempfile.TemporaryDirectory() as elsewhere:  # some leave files where they stand
            done = subprocess.run(
                command, capture_output=True, timeout=SECONDS, env={**os.environ, **SILENT}, check=False, cwd=elsewhere
            )
    except subprocess.TimeoutExpired:
        return -1
    return done.returncode


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--every", type=int, default=1)
    asked.add_argument("--sample", type=int, default=6)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        laid = lay_out(cases()[:: options.every], Path(name))
        ours = [sys.executable, "-m", "weigh", "check", "--fail-on", "medium", "--quiet"]
        score("weigh", ours, laid)
        for title, (scanner, *arguments) in COMMANDS.items():
            if (command := executable(scanner)) is not None:
                score(title, [command, *arguments], laid[:: options.sample] if scanner == SLOW else laid)
        score(f"weigh, each {options.sample}th", ours, laid[:: options.sample])


if __name__ == "__main__":
    main()
