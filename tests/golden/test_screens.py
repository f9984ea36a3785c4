"""The screens as they were last looked at, in both languages; what depends on the machine is left out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCREENS = {
    "folder": ["tiny-llama-chat", "--no-fit"],
    "lies": ["Nova-7B-Instruct-Q8_0.gguf", "--no-fit"],
    "hostile": ["hostile.bin", "--no-fit"],
    "pointer": ["pointer.safetensors", "--no-fit"],
    "explain-quantisation": ["explain", "Q4_K_M"],
    "explain-shape": ["explain", "A3B"],
    "name": ["Qwen3-30B-A3B-Instruct-2507-FP8", "--no-fit"],
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("screen", list(SCREENS))
def test_a_screen_is_as_it_was(samples: Path, pytestconfig: pytest.Config, screen: str, language: str) -> None:
    command = [sys.executable, "-m", "weigh", "--lang", language, *SCREENS[screen]]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    environment["SOURCE_DATE_EPOCH"] = "1795478400"  # 2026-11-24: ages are told from then
    done = subprocess.run(command, capture_output=True, cwd=samples, env=environment, timeout=60)
    shown = "\n".join(line.rstrip() for line in done.stdout.decode("utf-8").splitlines()) + "\n"
    golden = HERE / f"{screen}.{language}.txt"
    if pytestconfig.getoption("--golden"):
        golden.write_text(shown, "utf-8")
    assert shown == golden.read_text("utf-8")
