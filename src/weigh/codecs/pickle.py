"""Pickles followed symbolically, with stack and memo: what they would import, call and build is only noted."""

from __future__ import annotations

import re
import weakref

from weigh.codecs.cursor import Cursor
from weigh.codecs.pickle_machine import Machine
from weigh.codecs.pickle_nodes import Stream
from weigh.codecs.pickle_opcodes import OPCODES
from weigh.codecs.pickle_steps import STEPS
from weigh.codecs.zip import outermost
from weigh.core.errors import FormatError
from weigh.core.source import Source

MOST_OPCODES = 3_000_000
MOST_TRIED = 20_000  # opcodes of what is known to be something else
HEAD = 1 << 12
ENOUGH = 100_000  # opcodes in a row are no chance
KEPT = 300_000  # opcodes of a stream that is kept for who asks next
_WORDS = rb"(?:[A-Za-z][\w.\[\],<>=~!-]*+\r?\n){3,}+[\w.\[\],<>=~!-]*+"

# The stream followed last: a header and an examination of one file ask for the same one after the other.
_last: weakref.WeakKeyDictionary[Source, tuple[tuple[str, int, int, int], Stream]] = weakref.WeakKeyDictionary()


def run(source: Source, *, offset: int = 0, end: int | None = None, most: int = MOST_OPCODES) -> Stream:
    """Follow the pickle at `offset`, `most` opcodes of it. Never raises FormatError: it is kept in the Stream."""
    whole, at = outermost(source)
    asked = (source.path, at + offset, at + (source.size if end is None else end), most)
    if (kept := _last.get(whole)) is not None and kept[0] == asked:
        return kept[1]
    machine = Machine(Cursor(source, offset=offset, end=end), STEPS, most=most)
    try:
        machine.go()
    except FormatError as error:
        machine.stream.error = _alone(error)
    machine.stream.end = machine.base + machine.at
    _last.clear()
    if machine.stream.num_opcodes < KEPT:
        _last[whole] = (asked, machine.stream)
    return machine.stream


def _alone(error: FormatError) -> FormatError:
    """The error without the frames it came through: they hold the machine, and with it all it holds."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def is_pickle(source: Source) -> bool:
    """A PROTO opcode and a known one behind it; or, for protocols 0 and 1, bytes that run as opcodes.

    What imports something is a pickle even where it breaks off later: a loader would run it until there.
    """
    head = source.read(0, 3)
    if head[:1] == b"\x80":
        return len(head) >= 3 and head[1] <= 5 and head[2] in OPCODES
    return len(head) >= 2 and head[0] in OPCODES and is_plausible(run(source, most=ENOUGH), source)


def calls_something(source: Source) -> bool:
    """Do the first bytes run as opcodes until a function of some name is called?"""
    head = source.read(0, 2)
    if len(head) < 2 or head[0] not in OPCODES:
        return False
    return any(_is_name(module) and _is_name(name) for module, name in run(source, most=MOST_TRIED).calls)


def is_plausible(stream: Stream, source: Source) -> bool:
    """Hardly by chance: it imports what can be a name, or it is whole and more than a few letters of some text."""
    if stream.error is not None and not stream.imports and not stream.calls and stream.num_opcodes < ENOUGH:
        return False
    if stream.error is not None and not stream.calls and re.fullmatch(_WORDS, source.read(0, HEAD)) is not None:
        return False  # a list of words, the first of which begins with a c; nothing is called in it
    if any(_is_name(module) and _is_name(name) for module, name in stream.calls):
        return True
    if stream.imports:
        return all(_is_name(module) and _is_name(name) for module, name in stream.imports)
    return stream.error is not None or stream.end == source.size or stream.end > 8


def _is_name(text: str) -> bool:
    return text == "?" or (text != "" and all(word.isidentifier() for word in text.split(".")))
