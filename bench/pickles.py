"""Many small pickles and one large one, checked by `weigh check` and by picklescan, on the same bytes.

`python -m bench.pickles PICKLESCAN`, the path of a picklescan command in an environment of its own.
"""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import tempfile
from pathlib import Path

SMALL, MANY = 41_000, 1000
LARGE = 50_000_000


def small(chance: random.Random) -> bytes:
    """A table of plain values of about 41 KB."""
    rows = [{"id": number, "name": f"row {number}", "score": chance.random()} for number in range(1300)]
    return pickle.dumps(rows, protocol=4)


def large(path: Path) -> None:
    """One list of plain values: opcodes all the way, 50 MB of them."""
    chance = random.Random(1)
    rows = [(number % 250, chance.random() > 0.5, None, [number % 100] * 8) for number in range(LARGE // 24)]
    path.write_bytes(pickle.dumps(rows, protocol=4))


# A small process of its own watches the command: a child's peak counts what its parent held before exec.
WATCH = """
import resource, subprocess, sys, time
began = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, status)
"""


def timed(command: list[str]) -> tuple[float, int, int]:
    """Seconds, the largest memory of one of its processes in MiB, exit status."""
    done = subprocess.run([sys.executable, "-c", WATCH, *command], capture_output=True, text=True, check=True)
    seconds, most, status = done.stdout.split()
    return float(seconds), int(most), int(status)


def make(folder: Path) -> None:
    """The files, always the same."""
    (folder / "many").mkdir()
    chance = random.Random(0)
    for number in range(MANY):
        (folder / "many" / f"{number}.pkl").write_bytes(small(chance))
    large(folder / "large.pkl")


def main() -> None:
    if sys.argv[1] == "--make":
        make(Path(sys.argv[2]))
        return
    peer = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many, one = folder / "many", folder / "large.pkl"
        # In a process of its own: what the system keeps of a child counts its parent's memory before exec.
        subprocess.run([sys.executable, "-m", "bench.pickles", "--make", name], check=True)
        print(f"{'':24} {'weigh':>16} {'picklescan':>20} {'ratio':>8}")
        for title, path in ((f"{MANY} of {SMALL // 1000} KB", many), (f"one of {one.stat().st_size >> 20} MB", one)):
            ours = timed([sys.executable, "-m", "weigh", "check", "-q", str(path)])
            theirs = timed([peer, "--path", str(path)])
            print(
                f"{title:24} {ours[0]:7.2f} s {ours[1]:4} MiB {theirs[0]:9.2f} s {theirs[1]:6} MiB"
                f" {theirs[0] / ours[0]:7.1f}x  (exit {ours[2]}, {theirs[2]})"
            )


if __name__ == "__main__":
    main()
