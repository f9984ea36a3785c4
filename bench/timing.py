"""Whole processes timed in turn: seconds, and the most memory each held."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

# A process tells its own peak: what the system keeps of a child counts its parent's memory before exec.
PEAK = "import atexit; atexit.register(lambda: print(next(x for x in open('/proc/self/status') if x[:5] == 'VmHWM')))\n"


def run(source: str) -> tuple[float, float]:
    """Wall seconds and peak resident MiB of one run of Python source; what it prints is thrown away."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PEAK + source], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(done.stderr)
    return seconds, int(done.stdout.split("VmHWM:")[1].split()[0]) / 1024


def compare(title: str, ours: str, peers: dict[str, str], *, rounds: int = 5, peer_rounds: int | None = None) -> None:
    """Ours and each peer by turns; medians, and the ratio peer over ours. Each is Python source."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ("weigh", *peers)}
    run(ours)
    for number in range(rounds):
        taken["weigh"].append(run(ours))
        for name, source in peers.items():
            if number < (peer_rounds or rounds):
                taken[name].append(run(source))
    print(title)
    base = statistics.median(seconds for seconds, _ in taken["weigh"])
    for name, rows in taken.items():
        seconds = statistics.median(second for second, _ in rows)
        memory = max(mib for _, mib in rows)
        print(f"  {name:<34} {seconds * 1000:9.0f} ms {memory:8.0f} MiB   {seconds / base:7.2f} x weigh")
