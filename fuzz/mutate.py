"""Mutated files against every reader: `python -m fuzz.mutate --rounds N`.

Any answer but a Header or a FormatError fails. Runs in a child process with a bound on memory; a file that takes over
two seconds fails too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from tools.make_samples import write
from weigh.core.errors import FormatError
from weigh.formats import detect
from weigh.sources.memory import MemorySource

MOST_SECONDS = 2.0
MOST_BYTES = 1 << 30  # of address space: the interpreter's own included


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    child = multiprocessing.get_context("spawn").Process(target=go, args=(chosen.rounds, chosen.seed))
    child.start()
    child.join()
    return 0 if child.exitcode == 0 else 1


def go(rounds: int, seed: int) -> None:
    """So many mutations of each sample; stops at the first that is not answered."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        samples = {path.name: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    chance = random.Random(seed)
    slowest = 0.0
    for number in range(rounds):
        name = chance.choice(sorted(samples))
        data = mutated(samples[name], chance)
        start = time.monotonic()
        try:
            answer(data)
        except Exception:
            print(f"round {number} of seed {seed}: {name}, {data[:64].hex()} ...", file=sys.stderr)
            raise
        slowest = max(slowest, time.monotonic() - start)
        if slowest > MOST_SECONDS:
            raise SystemExit(f"round {number} of seed {seed}: {name} took {slowest:.1f} s")
    print(f"{rounds} mutated files answered; the slowest took {slowest * 1000:.0f} ms")


def answer(data: bytes) -> None:
    """Detect, read, examine."""
    source = MemorySource(data, path="file")
    format = detect(source)
    try:
        header = format.read(source)
        for _ in format.examine(source, header):
            pass
    except FormatError:
        return


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, set, cut out, doubled, or the end cut off; mostly near the start, where headers are."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(max(1, min(len(changed), 4096 if chance.random() < 0.8 else len(changed))))
        match chance.randrange(5):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                changed[at : at + 8] = chance.choice([b"\xff" * 8, b"\0" * 8, b"\x00" * 7 + b"\x40"])
            case 2:
                del changed[at : at + chance.randint(1, 16)]
            case 3:
                changed[at:at] = changed[at : at + chance.randint(1, 64)]
            case _:
                del changed[max(at, len(changed) // 4) :]
    return bytes(changed)


if __name__ == "__main__":
    sys.exit(main())
