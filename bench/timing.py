"""Whole processes timed in turn: seconds, and the most memory each held."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence


def run(command: Sequence[str]) -> tuple[float, float]:
    """Wall seconds and peak resident MiB of one run; its output is thrown away."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1, 2):
        raise RuntimeError(errors.decode())
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def compare(title: str, ours: str, peers: dict[str, str], *, rounds: int = 5, peer_rounds: int | None = None) -> None:
    """Ours and each peer by turns; medians, and the ratio peer over ours. Each is Python source."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ("weigh", *peers)}
    run([sys.executable, "-c", ours])
    for number in range(rounds):
        taken["weigh"].append(run([sys.executable, "-c", ours]))
        for name, source in peers.items():
            if number < (peer_rounds or rounds):
                taken[name].append(run([sys.executable, "-c", source]))
    print(title)
    base = statistics.median(seconds for seconds, _ in taken["weigh"])
    for name, rows in taken.items():
        seconds = statistics.median(second for second, _ in rows)
        memory = max(mib for _, mib in rows)
        print(f"  {name:<34} {seconds * 1000:9.0f} ms {memory:8.0f} MiB   {seconds / base:7.2f} x weigh")
