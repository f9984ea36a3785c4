"""This machine, from what its tools printed elsewhere."""

from __future__ import annotations

from pathlib import Path

from weigh.sources.machine import Accelerator, Host, look

GIB = 1 << 30
NVIDIA = "NVIDIA GeForce RTX 4090, 24564, 23010\nNVIDIA GeForce RTX 4090, 24564, 24010\n"
AMD = """{"card0": {"VRAM Total Memory (B)": "25753026560", "VRAM Total Used Memory (B)": "27750400",
 "Card Series": "Radeon RX 7900 XTX"}, "system": {}}"""
ASCEND = """
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 0     910B3               | OK            | 93.6        41                0    / 0             |
| 0                         | 0000:C1:00.0  | 0           0    / 0          3336 / 65536         |
+===========================+===============+====================================================+
"""
SYSCTL = {"machdep.cpu.brand_string": "Apple M4 Max", "hw.memsize": str(64 * GIB), "iogpu.wired_limit_mb": "0"}


def machine(root: Path, **said: str) -> Host:
    def run(command: tuple[str, ...]) -> str | None:
        if command[0] == "sysctl" and said.get("sysctl"):
            return SYSCTL.get(command[-1])
        return said.get(command[0].replace("-", "_"))

    (root / "proc").mkdir()
    if not said.get("sysctl"):
        (root / "proc/meminfo").write_text("MemTotal: 67108864 kB\nMemFree: 1 kB\nMemAvailable: 33554432 kB\n")
        (root / "proc/cpuinfo").write_text("processor : 0\nmodel name : AMD EPYC 9654 96-Core Processor\n")
    return look(run, root)


def test_cards_of_nvidia_are_told_with_what_is_free(tmp_path: Path) -> None:
    cards = machine(tmp_path, nvidia_smi=NVIDIA).accelerators
    assert [card.name for card in cards] == ["NVIDIA GeForce RTX 4090"] * 2
    assert cards[0].free == 23010 << 20


def test_cards_of_amd_are_told(tmp_path: Path) -> None:
    (card,) = machine(tmp_path, rocm_smi=AMD).accelerators
    assert card == Accelerator("Radeon RX 7900 XTX", 25753026560, 25753026560 - 27750400)


def test_an_ascend_is_told_by_its_table(tmp_path: Path) -> None:
    assert machine(tmp_path, npu_smi=ASCEND).accelerators == (Accelerator("Ascend 910B3", 65536 << 20, 62200 << 20),)


def test_a_mac_shares_its_memory(tmp_path: Path) -> None:
    host = machine(tmp_path, sysctl="yes")
    assert (host.processor, host.memory) == ("Apple M4 Max", 64 * GIB)
    assert host.accelerators == (Accelerator("Apple M4 Max", 64 * GIB, None),)


def test_memory_is_what_a_container_may_have(tmp_path: Path) -> None:
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text(f"{8 * GIB}\n")
    (group / "memory.current").write_text(f"{3 * GIB}\n")
    (group / "cpu.max").write_text("100000 100000\n")
    host = machine(tmp_path)
    assert (host.memory, host.available, host.cores) == (8 * GIB, 5 * GIB, 1)


def test_without_tools_there_is_the_processor_alone(tmp_path: Path) -> None:
    host = machine(tmp_path)
    assert host.accelerators == ()
    assert (host.memory, host.available) == (64 * GIB, 32 * GIB)
    assert host.processor.startswith("AMD EPYC 9654")
