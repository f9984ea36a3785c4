"""Whole processes timed in turn: seconds, and the most memory each held."""

from __future__ import annotations

import compileall
import statistics
import subprocess
import sys
import time
from pathlib import Path

import weigh

# A process tells its own peak: what the system keeps of a child counts its parent's memory before exec.
PEAK = "import atexit; atexit.register(lambda: print(next(x for x in open('/proc/self/status') if x[:5] == 'VmHWM')))\n"


def run(source: str, *, good: tuple[int, ...] = (0,)) -> tuple[float, float]:
    """Wall seconds and peak resident MiB of one run of Python source; what it prints is thrown away.

    `good` are the exit statuses of a run that did its work. Raises RuntimeError for any other.
    """
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PEAK + source], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode not in good:
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr}")
    return seconds, int(done.stdout.split("VmHWM:")[1].split()[0]) / 1024


def compare(
    title: str, ours: str, peers: dict[str, str], *, rounds: int = 5, peer_rounds: int | None = None
) -> dict[str, float]:
    """Ours and each peer by turns, each Python source; prints and returns medians in seconds, prints peer over ours.

    Our bytecode is written first, as pip wrote the peers': in an editable install nobody else may have done so.
    """
    compileall.compile_dir(Path(weigh.__file__).parent, quiet=1)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ("weigh", *peers)}
    run(ours)
    for number in range(rounds):
        taken["weigh"].append(run(ours))
        for name, source in peers.items():
            if number < (peer_rounds or rounds):
                taken[name].append(run(source))
    print(title)
    medians = {name: statistics.median(seconds for seconds, _ in rows) for name, rows in taken.items()}
    for name, rows in taken.items():
        memory = max(mib for _, mib in rows)
        ratio = medians[name] / medians["weigh"]
        print(f"  {name:<34} {medians[name] * 1000:9.0f} ms {memory:8.0f} MiB   {ratio:7.2f} x weigh")
    return medians
