"""Mutated inputs against every reader: `python -m fuzz.mutate --rounds N --jobs J`.

Any answer but a value or an error of ours fails, and so does an input that takes over two seconds of a processor or
over 200 MiB. Each round is drawn from the seed and its own number alone: `--start N --rounds 1` makes round N again,
and a run that was ended goes on from the number it printed. Rounds run in child processes: a clock interrupts a slow
reader, the parent ends one that does not heed the clock, and either way the rounds behind it are still run.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from fuzz.targets import Target, targets

MOST_SECONDS = 2.0  # of a processor
MOST_BYTES = 200 << 20  # of address space, beyond what the child holds before the first input
PATIENCE = 60.0  # seconds without a sign of life from a child
EVERY = 50  # rounds between two signs of life
SHOWN = 10.0  # seconds between two lines of progress


class Word(NamedTuple):
    """A child's sign of life: the round it is at, the slowest so far in seconds and of what, what failed."""

    at: int
    slowest: float
    of: str
    failure: str | None = None


class Child(NamedTuple):
    process: BaseProcess
    heard: Connection


def main() -> int:
    """0 if everything was answered, 1 if not."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--rounds", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--start", type=int, default=0, help="the first round")
    arguments.add_argument("--jobs", type=int, default=2, help="child processes")
    arguments.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    chosen = arguments.parse_args()
    return run(chosen.start, chosen.start + chosen.rounds, chosen.seed, max(1, chosen.jobs), chosen.seconds)


def run(start: int, end: int, seed: int, jobs: int, seconds: float) -> int:
    """Each child takes every so-many-th round; one that died is followed by another behind the round it died of."""
    began = shown = time.monotonic()
    lanes = [Lane(start + number, end, jobs, seed) for number in range(jobs)]
    while any(not lane.ended for lane in lanes) and time.monotonic() - began < seconds:
        ready = wait([lane.heard for lane in lanes if not lane.ended], timeout=1)
        for lane in lanes:
            if not lane.ended:
                lane.look(is_ready=lane.heard in ready)
        if time.monotonic() - shown > SHOWN:
            shown = time.monotonic()
            failed = sum(len(lane.failures) for lane in lanes)
            print(f"{min(lane.at for lane in lanes) - start} rounds, {failed} failures", file=sys.stderr)
    for lane in lanes:
        lane.stop()
    failures = [failure for lane in lanes for failure in lane.failures]
    slowest, of = max(lane.slowest for lane in lanes)
    done_to = max(start, min(end, *(lane.at for lane in lanes)))
    _sum_up(done_to - start, seed, failures, f"the slowest took {slowest * 1000:.0f} ms ({of})")
    if done_to < end:
        print(f"go on with --seed {seed} --start {done_to} --rounds {end - done_to}")
    return 1 if failures else 0


class Lane:
    """One child after another through every so-many-th round, and what was heard of them."""

    def __init__(self, start: int, end: int, step: int, seed: int) -> None:
        self.at, self.end, self.step, self.seed = start, end, step, seed
        self.failures: list[str] = []
        self.slowest = (0.0, "")
        self.ended = self.has_begun = False
        self._begin()

    def look(self, *, is_ready: bool) -> None:
        """Take in what the child says; follow one that died, or that has been silent for too long."""
        word = _word(self.heard) if is_ready else None
        if word is not None:
            self.at, self.alive, self.has_begun = word.at, time.monotonic(), True
            self.slowest = max(self.slowest, (word.slowest, word.of))
            self.failures += [word.failure] if word.failure else []
        elif is_ready or time.monotonic() - self.alive > PATIENCE:
            self._follow()

    def stop(self) -> None:
        """No child is left."""
        self.process.kill()
        self.process.join()

    def _follow(self) -> None:
        self.process.join(1)
        self.stop()
        self.ended = self.process.exitcode == 0 or not self.has_begun
        if self.process.exitcode == 0:
            self.at = self.end
        elif not self.has_begun:
            self.failures.append(f"the samples themselves are not answered ({self.process.exitcode})")
        else:
            self.failures.append(f"round {self.at} or one of the {EVERY} behind it: the child died")
            self.at += EVERY * self.step
            self._begin()

    def _begin(self) -> None:
        self.process, self.heard = _child(self.at, self.end, self.step, self.seed)
        self.alive = time.monotonic()


def _sum_up(rounds: int, seed: int, failures: list[str], slowest: str) -> None:
    for failure in failures:
        print(failure, file=sys.stderr)
    by_last_line = Counter(failure.strip().splitlines()[-1] for failure in failures)
    for line, number in by_last_line.most_common():
        print(f"{number} x {line}")
    print(f"{rounds} mutated inputs of seed {seed}, {len(failures)} not answered; {slowest}")


def _word(heard: Connection) -> Word | None:
    try:
        word = heard.recv()
    except (EOFError, OSError):  # the child has ended
        return None
    return word if isinstance(word, Word) else None


def _child(start: int, end: int, step: int, seed: int) -> Child:
    context = multiprocessing.get_context("spawn")
    heard, said = context.Pipe(duplex=False)
    process = context.Process(target=go, args=(start, end, step, seed, said))
    process.start()
    said.close()
    return Child(process, heard)


def go(start: int, end: int, step: int, seed: int, said: Connection) -> None:
    """In the child: the rounds, each within its bounds; what fails is told and the next one taken."""
    with tempfile.TemporaryDirectory() as folder:
        known = targets(Path(folder))
        for target in known.values():  # so that tables and modules are loaded before memory is bounded
            for number, data in enumerate(target.seeds.values()):
                target.answer(data, number)
        _bound()
        names = [name for name, target in known.items() for _ in range(target.share)]
        slowest, of = 0.0, ""
        for done, number in enumerate(range(start, end, step)):
            chance = random.Random(f"{seed}:{number}")
            name = chance.choice(names)
            seed_name = chance.choice(sorted(known[name].seeds))
            seconds, failure = _one(known[name], seed_name, chance)
            slowest, of = max((slowest, of), (seconds, f"round {number}, {name} {seed_name}"))
            if failure is not None:
                said.send(Word(number, slowest, of, f"round {number} of seed {seed}, {name} {seed_name}:\n{failure}"))
            elif done % EVERY == 0:
                said.send(Word(number, slowest, of))
        said.send(Word(end, slowest, of))


def _bound() -> None:
    gc.collect()
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MOST_BYTES, held + MOST_BYTES))
    signal.signal(signal.SIGPROF, too_slow)


def _one(target: Target, seed_name: str, chance: random.Random) -> tuple[float, str | None]:
    """Seconds of a processor, and what went wrong."""
    data, draw = mutated(target.seeds[seed_name], chance), chance.randrange(1 << 30)
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    failure = None
    try:
        target.answer(data, draw)
    except BaseException:  # whatever it is, it is no answer
        failure = traceback.format_exc(limit=-6)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return time.process_time() - start, failure


def too_slow(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"no answer in {MOST_SECONDS} s")


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, set, cut out, doubled, or the end cut off; mostly near the start, where headers are."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(max(1, min(len(changed), 4096 if chance.random() < 0.8 else len(changed))))
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                changed[at : at + 8] = chance.choice([b"\xff" * 8, b"\0" * 8, b"\x00" * 7 + b"\x40"])
            case 2:
                del changed[at : at + chance.randint(1, 16)]
            case 3:
                changed[at:at] = changed[at : at + chance.randint(1, 64)]
            case 4:
                start = chance.randrange(len(changed) + 1)
                changed[at:at] = changed[start : start + chance.randint(1, 256)] * chance.choice([1, 1, 1, 20])
            case _:
                del changed[max(at, len(changed) // 4) :]
    return bytes(changed)


if __name__ == "__main__":
    sys.exit(main())
