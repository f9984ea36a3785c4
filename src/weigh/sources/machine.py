"""This machine: its free cores and memory, and the accelerators that its own tools tell of."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

MIB = 1 << 20
SECONDS = 10

Run = Callable[[tuple[str, ...]], str | None]


class Accelerator(NamedTuple):
    """As its tool calls it; bytes in all and free, None where it does not say."""

    name: str
    memory: int | None
    free: int | None


class Host(NamedTuple):
    """`cores` that this process may use, `memory` and `available` bytes within its limits."""

    processor: str
    cores: int
    memory: int
    available: int
    accelerators: tuple[Accelerator, ...]


def look(run: Run, root: Path = Path("/")) -> Host:
    """What is here; `run` starts a tool and gives what it prints, None where there is no such tool."""
    memory, available = _memory(root, run)
    return Host(
        processor=_processor(root, run),
        cores=_cores(root),
        memory=memory,
        available=available,
        accelerators=(*_nvidia(run), *_amd(run), *_ascend(run), *_apple(run, memory)),
    )


def start(command: tuple[str, ...]) -> str | None:
    """The output of a tool, at most SECONDS after it was started."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _memory(root: Path, run: Run) -> tuple[int, int]:
    """In all and available; a container's own limit goes before the machine's."""
    rows = dict(line.split(":", 1) for line in _read(root / "proc/meminfo").splitlines() if ":" in line)
    total, free = (_kib(rows.get(key, "")) for key in ("MemTotal", "MemAvailable"))
    if not total and (stated := run(("sysctl", "-n", "hw.memsize"))) is not None and stated.strip().isdigit():
        total = free = int(stated)
    limit, used = _limit(root)
    if limit is not None and (not total or limit < total):
        return limit, min(free or limit, max(limit - used, 0))
    return total, free


def _kib(text: str) -> int:
    word = text.strip().split(" ")[0]
    return int(word) * 1024 if word.isdigit() else 0


def _limit(root: Path) -> tuple[int | None, int]:
    """Of the control group: version 2, else version 1."""
    places = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))
    for most, now in places:
        text = _read(root / "sys/fs/cgroup" / most).strip()
        if text.isdigit():
            used = _read(root / "sys/fs/cgroup" / now).strip()
            return int(text), int(used) if used.isdigit() else 0
    return None, 0


def _cores(root: Path) -> int:
    """Those this process may run on, within the control group's share."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    quota, _, period = _read(root / "sys/fs/cgroup/cpu.max").strip().partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def _processor(root: Path, run: Run) -> str:
    for line in _read(root / "proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model"):
            return value.strip()
    stated = run(("sysctl", "-n", "machdep.cpu.brand_string"))
    return stated.strip() if stated else platform.machine()


def _nvidia(run: Run) -> Iterator[Accelerator]:
    out = run(("nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"))
    for line in (out or "").splitlines():
        name, *figures = (word.strip() for word in line.split(","))
        total, free = (int(word) * MIB if word.isdigit() else None for word in (*figures, "", "")[:2])
        if name:
            yield Accelerator(name, total, free)


def _amd(run: Run) -> Iterator[Accelerator]:
    out = run(("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json"))
    try:
        cards = json.loads(out) if out else {}
    except ValueError:
        return
    for key, card in cards.items() if isinstance(cards, dict) else ():
        if key.startswith("card") and isinstance(card, dict):
            name = card.get("Card Series") or card.get("Card series") or card.get("Card Model") or "AMD GPU"
            stated = (str(card.get(f"VRAM Total {what}(B)")) for what in ("Memory ", "Used Memory "))
            total, used = (int(word) if word.isdigit() else None for word in stated)
            yield Accelerator(str(name), total, total - (used or 0) if total is not None else None)


def _ascend(run: Run) -> Iterator[Accelerator]:
    """npu-smi draws a table: a row with the chip's name, then one with `used / total` of its memory in MB."""
    name = None
    for line in (run(("npu-smi", "info")) or "").splitlines():
        cells = [cell.strip() for cell in line.strip("| \n").split("|")]
        words = cells[0].split()
        if len(words) >= 2 and words[0].isdigit() and words[1][:2].isalnum() and not words[1].isdigit():
            name = words[1]
        elif name is not None and len(cells) >= 3 and "/" in cells[-1]:
            used, _, total = cells[-1].rpartition("/")
            figures = used.split()[-1] if used.split() else "", total.split()[0] if total.split() else ""
            if all(word.isdigit() for word in figures):
                yield Accelerator(f"Ascend {name}", int(figures[1]) * MIB, (int(figures[1]) - int(figures[0])) * MIB)
            name = None


def _apple(run: Run, memory: int) -> Iterator[Accelerator]:
    brand = (run(("sysctl", "-n", "machdep.cpu.brand_string")) or "").strip()
    if brand.startswith("Apple"):
        wired = (run(("sysctl", "-n", "iogpu.wired_limit_mb")) or "").strip()
        free = int(wired) * MIB if wired.isdigit() and int(wired) else None
        yield Accelerator(brand, memory, free)
