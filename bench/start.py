"""How long `weigh name X --json` takes to start, beside the imports it cannot do without: at most 1.5 x is wanted."""

from __future__ import annotations

from bench.timing import compare

OURS = "import sys; sys.argv = ['weigh', 'name', 'Qwen3-8B', '--json']; from weigh.cli.main import main; main()"
PEER = "import click, msgspec, json"

if __name__ == "__main__":
    medians = compare("Start of `weigh name X --json`", OURS, {PEER: PEER}, rounds=41)
    print(f"  weigh takes {medians['weigh'] / medians[PEER]:.2f} x the bare imports")
