"""How long `weigh name X --json` takes to start, beside the imports it cannot do without."""

from __future__ import annotations

from bench.timing import compare

OURS = "import sys; sys.argv = ['weigh', 'name', 'Qwen3-8B', '--json']; from weigh.cli.main import main; main()"

if __name__ == "__main__":
    compare(
        "Start of `weigh name X --json`",
        OURS,
        {"import click, msgspec, json": "import click, msgspec, json"},
        rounds=15,
    )
