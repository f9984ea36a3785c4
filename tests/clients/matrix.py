"""What each client did in each scenario: the tests hold it, the docs print it."""

from __future__ import annotations

from typing import NamedTuple

# Side by side in the docs, ours first in each.
CLIENTS = (
    ("weigh pull", "hf 2.4", "hf 0.36", "transformers", "llama.cpp"),
    ("weigh pull", "modelscope 1.40", "modelscope 1.37", "curl", "aria2"),
)


class Row(NamedTuple):
    """`is_heavy`: it takes seconds, or a client that a stack of its own brings."""

    client: str
    scenario: str
    outcome: str
    is_heavy: bool


def rows() -> tuple[Row, ...]:
    """In the order of the table."""
    return tuple(_row(line) for line in MATRIX.strip().splitlines())


def _row(line: str) -> Row:
    client, scenario, outcome, *more = (cell.strip() for cell in line.split("|"))
    return Row(client, scenario, outcome, more == ["heavy"])


MATRIX = """
@@
"""
