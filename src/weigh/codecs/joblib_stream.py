"""Pickles as joblib writes them: after each stand-in for an array, its elements stand between the opcodes.

The layout is that of joblib/numpy_pickle.py: the wrapper is built, then come padding and the array's own bytes.
"""

from __future__ import annotations

import math

from weigh.codecs.cursor import Cursor
from weigh.codecs.numpy_objects import Placed, element_of, is_shape
from weigh.codecs.pickle import MOST_OPCODES
from weigh.codecs.pickle import run as run_plainly
from weigh.codecs.pickle_machine import Machine, Steps, Stopped
from weigh.codecs.pickle_nodes import Call, Global, Instance, Node, Pairs, Stream
from weigh.codecs.pickle_opcodes import Argument, Blob
from weigh.codecs.pickle_steps import STEPS
from weigh.core.errors import FormatError, Malformed, OverBudget
from weigh.core.source import Source
from weigh.knowledge.imports import tier_of

MOST_ARRAYS = 10_000
MOST_KEYS = 64
MODULES = frozenset({"joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"})

_BUILD, _STACK_GLOBAL = ord("b"), 0x93
_NO_TEXT = (int, float, tuple, list, Pairs, Global, Instance, Blob)
_BLOCK = 1 << 12  # between two arrays stand few opcodes


class Paused(Stopped):
    """A stand-in was built: the bytes of its array come next."""


def follow(
    source: Source, *, offset: int = 0, end: int | None = None, most: int = MOST_OPCODES
) -> tuple[Stream, dict[int, Placed]]:
    """The stream past every array in it, and where each is, by the id of the node that stands for it.

    What pickles of objects inside import and call is put to the stream's own. Never raises FormatError: it is kept
    in the Stream.
    """
    built: list[Call] = []
    machine = Machine(Cursor(source, offset=offset, end=end), _steps(built), most=most)
    placed: dict[int, Placed] = {}
    try:
        machine.go()
        while built:
            call = built.pop()
            array = _place(machine, call)
            placed[id(call)] = array
            if len(placed) > MOST_ARRAYS:
                raise OverBudget(
                    "too_many",
                    path=source.path,
                    offset=array.offset,
                    what="arrays",
                    count=len(placed),
                    most=MOST_ARRAYS,
                )
            machine.cursor = Cursor(source, offset=array.offset + array.nbytes, end=end)
            machine.block = _BLOCK
            machine.go()
    except FormatError as error:
        error.__cause__ = error.__context__ = None
        machine.stream.error = error.with_traceback(None)
    machine.stream.end = machine.base + machine.at
    return machine.stream, placed


def run(source: Source, *, offset: int = 0, end: int | None = None, most: int = MOST_OPCODES) -> Stream:
    """The stream alone, with what a loader that knows nothing of joblib would come upon in it as well."""
    stream, placed = follow(source, offset=offset, end=end, most=most)
    plain = run_plainly(source, offset=offset, end=end, most=most)
    inside = [range(one.offset, one.offset + one.nbytes) for one in placed.values() if one.element.has_object]
    if inside:
        plain = _as_far_as_names_are_text(source, offset=offset, end=end, most=most)
        plain.imports = {
            name: at
            for name, at in plain.imports.items()
            if tier_of(*name) == "dangerous" or not any(at in span for span in inside)
        }
    _add(stream, plain)
    return stream


def _as_far_as_names_are_text(source: Source, *, offset: int, end: int | None, most: int) -> Stream:
    """What a plain loader comes upon where arrays of objects are pickled inside: it takes their places of memo for the
    file's own, finds other things in them than names, and stops at the first that can be no text."""
    machine = Machine(Cursor(source, offset=offset, end=end), _strict_steps(), most=most)
    try:
        machine.go()
    except FormatError as error:
        error.__cause__ = error.__context__ = None
        machine.stream.error = error.with_traceback(None)
    machine.stream.end = machine.base + machine.at
    return machine.stream


def _strict_steps() -> Steps:
    reader, name = STEPS[_STACK_GLOBAL]

    def name_by_text(machine: Machine, argument: Argument) -> None:
        if any(isinstance(one, _NO_TEXT) for one in machine.stack[-2:]):
            raise machine.malformed("pickle.stack")
        name(machine, argument)

    return (*STEPS[:_STACK_GLOBAL], (reader, name_by_text), *STEPS[_STACK_GLOBAL + 1 :])


def is_stand_in(call: Node) -> bool:
    """A wrapper of joblib's, built with what it stands for?"""
    return (
        isinstance(call, Call)
        and isinstance(call.function, Global)
        and call.function.module in MODULES
        and call.function.name == "NumpyArrayWrapper"
        and isinstance(call.state, Pairs)
    )


def _steps(built: list[Call]) -> Steps:
    reader, build = STEPS[_BUILD]

    def build_and_pause(machine: Machine, argument: Argument) -> None:
        build(machine, argument)
        call = machine.top()
        if is_stand_in(call):
            built.append(call)
            raise Paused

    return (*STEPS[:_BUILD], (reader, build_and_pause), *STEPS[_BUILD + 1 :])


def _place(machine: Machine, call: Call) -> Placed:
    """Where the elements begin and how many bytes they take. Raises FormatError."""
    source, at = machine.cursor.source, machine.base + machine.at
    state = {key: value for key, value in call.state.items[:MOST_KEYS] if isinstance(key, str)}
    element, shape = element_of(state.get("dtype")), state.get("shape")
    if element is None or not is_shape(shape):
        raise Malformed("joblib.wrapper", path=source.path, offset=at)
    if element.has_object:
        inner = run_plainly(source, offset=at, most=max(machine.most - machine.stream.num_opcodes, 1))
        _add(machine.stream, inner)
        machine.stream.num_opcodes += inner.num_opcodes
        if inner.error is not None:
            raise inner.error
        return Placed(element=element, shape=shape, offset=at, nbytes=inner.end - at)
    if type(state.get("numpy_array_alignment_bytes")) is int:
        at += 1 + Cursor(source, offset=at, end=at + 1).u8("padding length")
    return Placed(element=element, shape=shape, offset=at, nbytes=math.prod(shape) * element.size)


def _add(stream: Stream, other: Stream) -> None:
    """What the other imports, calls and is handed, where this one has it not."""
    stream.imports |= {name: offset for name, offset in other.imports.items() if name not in stream.imports}
    stream.calls |= {name: offset for name, offset in other.calls.items() if name not in stream.calls}
    stream.extensions |= other.extensions
    stream.persistent += other.persistent
    stream.nested |= other.nested
    for name, count in other.loose.items():
        stream.loose[name] = stream.loose.get(name, 0) + count
    stream.bombs |= {bomb: offset for bomb, offset in other.bombs.items() if bomb not in stream.bombs}
