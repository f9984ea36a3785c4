"""Tensors as a tree of their names: layers that are alike are folded into one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from weigh.core.tensors import TensorInfo
from weigh.core.units import in_bytes, in_parameters
from weigh.text import Language, safe, say

MOST_DEPTH = 24  # names are cut at so many points; what is behind stays one word
MOST_LINES = 400  # a screen's worth many times over; --json has all
_POINT = re.compile(r"[./]")
_WIDTH = 56


class Node(NamedTuple):
    """A place in the tree: the tensor that is called so, and what is below, by the next word of the name."""

    tensor: TensorInfo | None
    below: dict[str, Node]


class Row(NamedTuple):
    """A line to be: how deep, what it is called (`0-35` for a run), how often it repeats, and what stands there."""

    depth: int
    name: str
    times: int
    node: Node


def tree_lines(tensors: Iterable[TensorInfo], language: Language) -> Iterator[str]:
    """A line for each place: runs of numbered places that hold the same dtypes and shapes are one line."""
    for number, row in enumerate(_rows(_grown(tensors), 0, 1)):
        if number == MOST_LINES:
            yield "  " + say("contents.more_lines", language)
            return
        yield _line(row, language)


def _grown(tensors: Iterable[TensorInfo]) -> Node:
    root = Node(None, {})
    for tensor in tensors:
        place = root
        *way, last = _POINT.split(tensor.name, maxsplit=MOST_DEPTH)
        for word in way:
            place = place.below.setdefault(word, Node(None, {}))
        place.below[last] = Node(tensor, place.below[last].below if last in place.below else {})
    return root


def _rows(node: Node, depth: int, times: int) -> Iterator[Row]:
    for name, repeats, inner in _runs(node.below):
        while inner.tensor is None and len(inner.below) == 1 and repeats == 1:
            (word, below), *_ = inner.below.items()  # a word that leads to one word alone shares its line
            if word.isdecimal():
                break
            name, inner = f"{name}.{word}", below
        yield Row(depth, name, times * repeats, inner)
        yield from _rows(inner, depth + 1, times * repeats)


def _runs(below: Mapping[str, Node]) -> Iterator[tuple[str, int, Node]]:
    """Places in their order; neighbours with numbers for names and the same inside are one run."""
    run: list[tuple[str, Node]] = []
    shape: object = None
    for word, node in _in_order(below):
        its = _shape(node) if word.isdecimal() else None
        if run and (its is None or its != shape or int(word) != int(run[-1][0]) + 1):
            yield _run(run)
            run = []
        run.append((word, node))
        shape = its
    if run:
        yield _run(run)


def _run(run: list[tuple[str, Node]]) -> tuple[str, int, Node]:
    (first, node), (last, _) = run[0], run[-1]
    return (first if len(run) == 1 else f"{first}-{last}"), len(run), node


def _in_order(below: Mapping[str, Node]) -> list[tuple[str, Node]]:
    """As the file has them; numbers among themselves by size, since files sort 10 before 2."""
    words = list(below)
    numbers = iter(sorted((word for word in words if _is_number(word)), key=int))
    return [(word, below[word]) for word in (next(numbers) if _is_number(word) else word for word in words)]


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) < 10


def _shape(node: Node) -> object:
    """What two places must share to be alike: dtypes, shapes and names all the way down."""
    here = None if node.tensor is None else (node.tensor.dtype, node.tensor.shape)
    return here, tuple((word, _shape(inner)) for word, inner in node.below.items())


def _line(row: Row, language: Language) -> str:
    name = "  " * (row.depth + 1) + safe(row.name)
    tensor = row.node.tensor
    if tensor is None:
        count, nbytes = _held(row.node)
        what = f"{in_parameters(count * row.times)}  {in_bytes(nbytes * row.times)}"
        times = say("contents.times", language, count=row.times) if row.times > 1 and "-" in row.name else ""
        return f"{name:<{_WIDTH}}  {what}  {times}".rstrip()
    shape = "x".join(map(str, tensor.shape)) or say("contents.scalar", language)
    nbytes_here = in_bytes(tensor.nbytes) if tensor.nbytes is not None else ""
    return f"{name:<{_WIDTH}}  {safe(tensor.dtype):<8} {shape:<18} {nbytes_here}".rstrip()


def _held(node: Node) -> tuple[int, int]:
    """Elements and bytes of all tensors here and below."""
    count, nbytes = (node.tensor.num_elements, node.tensor.nbytes or 0) if node.tensor is not None else (0, 0)
    for inner in node.below.values():
        more, bytes_more = _held(inner)
        count, nbytes = count + more, nbytes + bytes_more
    return count, nbytes
