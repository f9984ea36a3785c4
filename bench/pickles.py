"""Many small pickles, long ones and a checkpoint, by `weigh check` and by other scanners, on the same bytes.

`python -m bench.pickles [--peers picklescan,modelscan,...] [--only WORD]`: each peer in an environment of its own, made
if need be. What takes less than two seconds is run by turns, and medians are told. modelaudit is asked about each tenth
of the small ones, and its seconds are taken ten times.
"""

from __future__ import annotations

import argparse
import compileall
import os
import pickle
import random
import statistics
import subprocess
import sys
import tempfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import weigh
from bench.peers import SILENT, executable

SMALL, MANY, SAMPLE = 41_000, 1000, 10
LARGE, CHECKPOINT = 200_000_000, 300_000_000
MOST_SECONDS = 400
SHORT, ROUNDS = 2.0, 20  # seconds below which it is told again and again, by turns, and the median taken
COMMANDS = {
    "picklescan": ("-p",),
    "modelscan": ("-p",),
    "fickling": ("--check-safety",),
    "modelaudit": ("scan", "--no-cache"),
}


def small(chance: random.Random) -> bytes:
    """A table of plain values of about 41 KB."""
    rows = [{"id": number, "name": f"row {number}", "score": chance.random()} for number in range(1300)]
    return pickle.dumps(rows, protocol=4)


def row(number: int, chance: random.Random) -> object:
    """What programs keep: numbers, strings, tuples, dicts; fewer than four bytes an opcode."""
    return {
        "id": number,
        "name": f"the name of row {number}, and more",
        "score": chance.random(),
        "tags": (number % 7, "abc", None, True),
        "box": (chance.random(), chance.random()),
        "values": [chance.random() for _ in range(6)] + [number % 1000] * 6,
        "more": {"key": [number, chance.random(), (3, number % 2000)], "text": f"some words on {number % 5000}"},
    }


def long(path: Path, protocol: int) -> None:
    """One list of rows, 200 MB of them."""
    chance = random.Random(1)
    each = len(pickle.dumps([row(number, chance) for number in range(10_000)], protocol=protocol)) / 10_000
    with path.open("wb") as file:
        pickle.dump([row(number, chance) for number in range(int(LARGE / each))], file, protocol=protocol)


def moments(path: Path) -> None:
    """A million dates: an object each, made by a call."""
    first = datetime(2020, 1, 1)
    path.write_bytes(pickle.dumps([first + timedelta(seconds=number) for number in range(1_000_000)], protocol=4))


def checkpoint(path: Path) -> None:
    """A state dict as torch.save writes it: one pickle, many storages. By hand: torch is not needed to bench."""
    each = 1 << 20
    rows = []
    for number in range(CHECKPOINT // each):
        key = str(number).encode()
        storage = b"(X\7\0\0\0storagectorch\nFloatStorage\nX%b%bX\3\0\0\0cpuJ%btQ" % (
            len(key).to_bytes(4, "little"), key, (each // 4).to_bytes(4, "little"),
        )  # fmt: skip
        shape = b"K\0(M\0\2M\0\2t(M\0\2K\1t\x89ccollections\nOrderedDict\n)RtR"
        name = b"layer.%d.weight" % number
        rows.append(
            b"X%b%bctorch._utils\n_rebuild_tensor_v2\n(" % (len(name).to_bytes(4, "little"), name) + storage + shape
        )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\2}(" + b"".join(rows) + b"u.")
        archive.writestr("archive/version", "3\n")
        for number in range(CHECKPOINT // each):
            archive.writestr(f"archive/data/{number}", random.Random(number).randbytes(each))


# A small process of its own watches the command: a child's peak counts what its parent held before exec.
WATCH = """
import resource, subprocess, sys, time
began = time.perf_counter()
try:
    quiet = subprocess.DEVNULL
    status = subprocess.run(sys.argv[2:], stdout=quiet, stderr=quiet, timeout=float(sys.argv[1])).returncode
except subprocess.TimeoutExpired:
    status = -1
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, status)
"""


class Took(NamedTuple):
    """Seconds, those of the processor, the largest memory of one of its processes in MiB, exit status (-1: ended)."""

    seconds: float
    processor: float
    most: int
    status: int


def timed(command: list[str]) -> Took:
    """One run."""
    watched = [sys.executable, "-c", WATCH, str(MOST_SECONDS), *command]
    done = subprocess.run(watched, capture_output=True, text=True, check=True, env={**os.environ, **SILENT})
    seconds, processor, most, status = done.stdout.split()
    return Took(float(seconds), float(processor), int(most), int(status))


def median(runs: list[Took]) -> Took:
    """Of the seconds and of the processor's; the most memory."""
    return Took(
        statistics.median(one.seconds for one in runs),
        statistics.median(one.processor for one in runs),
        max(one.most for one in runs),
        runs[-1].status,
    )


def make(folder: Path) -> None:
    """The files, always the same."""
    for name, each in (("many", 1), ("some", SAMPLE)):
        (folder / name).mkdir()
        chance = random.Random(0)
        for number in range(0, MANY, each):
            (folder / name / f"{number}.pkl").write_bytes(small(chance))
    long(folder / "protocol 4.pkl", 4)
    long(folder / "protocol 2.pkl", 2)
    moments(folder / "moments.pkl")
    checkpoint(folder / "checkpoint.pt")


def compare(path: Path, peers: dict[str, str]) -> None:
    """Ours, then each peer's, and how often ours goes into it."""
    sampled = {name: name == "modelaudit" and path.name == "many" for name in peers}
    commands = {"weigh": [sys.executable, "-m", "weigh", "check", "--quiet", str(path)]} | {
        name: [command, *COMMANDS[name], str(path.with_name("some") if sampled[name] else path)]
        for name, command in peers.items()
    }
    runs: dict[str, list[Took]] = {name: [] for name in commands}
    for number in range(ROUNDS):
        for name, command in commands.items():
            if number == 0 or runs[name][0].seconds < SHORT:
                runs[name].append(timed(command))
    ours = median(runs["weigh"])
    for name, rows in runs.items():
        took, times = median(rows), SAMPLE if sampled.get(name) else 1
        ended = f"exit {took.status}" if took.status >= 0 else "ended by us"
        print(
            f"{path.stem:<12} {name:<11} {took.seconds * times:8.2f} s {took.processor * times:8.2f} s of processor "
            f"{took.most:5} MiB {ended:<12} {took.seconds * times / ours.seconds:7.2f} x weigh "
            f"({took.processor * times / ours.processor:.2f} x by processor; {len(rows)} runs)",
            flush=True,
        )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--peers", default="picklescan")
    asked.add_argument("--only", default="")
    asked.add_argument("--make")
    options = asked.parse_args()
    if options.make:
        make(Path(options.make))
        return
    compileall.compile_dir(Path(weigh.__file__).parent, quiet=1)  # as pip did it with the peers
    peers = {name: found for name in options.peers.split(",") if (found := executable(name)) is not None}
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own: what the system keeps of a child counts its parent's memory before exec.
        subprocess.run([sys.executable, "-m", "bench.pickles", "--make", name], check=True)
        for path in (
            Path(name) / one for one in ("many", "protocol 4.pkl", "protocol 2.pkl", "moments.pkl", "checkpoint.pt")
        ):
            if options.only in path.name:
                compare(path, peers)


if __name__ == "__main__":
    main()
