"""Mutated files against every reader: `python -m fuzz.mutate --rounds N`.

Any answer but a Header or a FormatError fails, and so does a file that takes over two seconds or over 200 MiB. Runs
in a child process: its clock interrupts a slow reader, its parent ends one that does not heed the clock.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from tools.make_samples import write
from weigh.app.examine import examine_whole
from weigh.core.errors import FormatError
from weigh.formats import detect
from weigh.sources.memory import MemorySource

SAMPLES = Path(__file__).parents[1] / "tests" / "samples"
MOST_SECONDS = 2.0
MOST_BYTES = 200 << 20  # of address space, beyond what the child holds before the first file
PATIENCE = 30.0  # seconds without a sign of life from the child


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    context = multiprocessing.get_context("spawn")
    heard, said = context.Pipe(duplex=False)
    child = context.Process(target=go, args=(chosen.rounds, chosen.seed, said))
    child.start()
    said.close()
    try:
        while heard.poll(PATIENCE):
            heard.recv()
        print(f"no answer in {PATIENCE:.0f} s", file=sys.stderr)
        child.kill()
    except EOFError:  # the child has ended
        pass
    child.join()
    return 0 if child.exitcode == 0 else 1


def go(rounds: int, seed: int, alive: Connection) -> None:
    """So many mutations of each sample; stops at the first that is not answered in bounds."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        written = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        kept = [path for path in sorted(SAMPLES.rglob("*")) if path.is_file() and not is_oracle(path)]
        samples = {f"{path.parent.name}/{path.name}": path.read_bytes() for path in [*written, *kept]}
    for data in samples.values():  # so that tables and modules are loaded before memory is bounded
        answer(data)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MOST_BYTES, held + MOST_BYTES))
    signal.signal(signal.SIGALRM, too_slow)
    chance = random.Random(seed)
    slowest = 0.0
    for number in range(rounds):
        name = chance.choice(sorted(samples))
        data = mutated(samples[name], chance)
        start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
        try:
            answer(data)
        except BaseException:
            print(f"round {number} of seed {seed}: {name}, {data[:64].hex()} ...", file=sys.stderr)
            raise
        signal.setitimer(signal.ITIMER_REAL, 0)
        slowest = max(slowest, time.monotonic() - start)
        if number % 100 == 0:
            alive.send(number)
    print(f"{rounds} mutated files answered; the slowest took {slowest * 1000:.0f} ms")


def is_oracle(path: Path) -> bool:
    """What the reference library said of the sample beside it."""
    return path.suffix == ".json" and path.with_suffix("").exists()


def too_slow(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"no answer in {MOST_SECONDS} s")


def answer(data: bytes) -> None:
    """Detect, read, examine; and what is inside, if anything is."""
    source = MemorySource(data, path="file")
    format = detect(source)
    try:
        header = format.read(source)
        for _ in format.examine(source, header):
            pass
    except FormatError:
        pass
    if format.members is not None:
        examine_whole(source)


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
