"""Tensors drawn as a tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from weigh.core.tensors import TensorInfo
from weigh.text.tree import MOST_LINES, tree_lines


def tensor(name: str, *shape: int) -> TensorInfo:
    return TensorInfo(name=name, dtype="F16", shape=shape, nbytes=2)


def drawn(*tensors: TensorInfo) -> list[str]:
    return [line.split("  ")[-1] if not line.strip() else " ".join(line.split()) for line in tree_lines(tensors, "en")]


def test_layers_that_are_alike_are_one_line_and_others_are_not() -> None:
    layers = [tensor(f"layers.{number}.up.weight", 4) for number in (0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9)]
    lines = drawn(*layers, tensor("layers.12.up.weight", 5))
    assert [line.split()[0] for line in lines] == ["layers", "0-11", "up.weight", "12.up.weight"]
    assert "12 alike" in lines[1]


def test_what_is_folded_is_counted_as_often_as_it_stands() -> None:
    lines = drawn(*(tensor(f"h.{layer}.experts.{number}.w", 10) for layer in range(3) for number in range(4)))
    assert lines[0].startswith("h 120 ")
    assert "12 alike" in lines[-2]


@given(st.lists(st.text(alphabet="ab.0/1", max_size=80), max_size=40))
def test_any_names_can_be_drawn(names: list[str]) -> None:
    lines = list(tree_lines([tensor(name, 1) for name in names], "zh"))
    assert len(lines) <= MOST_LINES + 1
    assert bool(lines) == bool(names)
