"""Long pickles followed for what they import, call and hide, in memory that does not grow with them.

Groups of plain values are told in one pass (`pickle_groups`), every other opcode is followed. What stands on the stack
is known as exactly as the exact machine knows it; of what lies inside containers, and of the memo, only what can matter
is kept. Where that is too little to say, the exact machine is asked; where it is too much for that machine, the stream
ends in an error, never clean.
"""

from __future__ import annotations

import math
import weakref
from collections import Counter

import msgspec

from weigh.codecs.cursor import Cursor
from weigh.codecs.pickle import MOST_OPCODES, run
from weigh.codecs.pickle_bombs import Hashing
from weigh.codecs.pickle_brisk_steps import BRISK_STEPS, CALLED, Box, Forgetful, Unsure, is_small
from weigh.codecs.pickle_distributions import MODULES as RUN_BY
from weigh.codecs.pickle_groups import LEAST, Group, group_at, slot_of
from weigh.codecs.pickle_machine import MARK, MOST_HELD, NODE
from weigh.codecs.pickle_nodes import Call, Global, Judged, Node, Reached, Stream
from weigh.codecs.pickle_opcodes import More, Read
from weigh.codecs.pickle_slots import Slots
from weigh.core.errors import FormatError, OverBudget
from weigh.core.source import Source

MOST_BITS = 40  # by which shared parts may multiply a walk
MOST_VISITS = 50_000
LEAST_TUPLE = 1 << 10  # bytes of a tuple whose parts nobody asks for: no arguments, no reference to a storage
BLOCK = 1 << 18
FEW = 1 << 8  # opcodes that show that it breaks off, as what is no pickle does
SHORT = 1 << 14  # bytes that the exact machine follows as quickly; of them every value finds its place
_LEAST_TRIED, _MOST_TRIED = 32, 1 << 14  # bytes between two tries at a group
_PATIENCE = 4
_MARK = ord("(")
_SHARED = bytes.maketrans(b"ctT", b"CVV")

# The stream followed last: a header and an examination of one file ask for the same one after the other.
_last: weakref.WeakKeyDictionary[Source, tuple[tuple[int, int | None, int], Stream]] = weakref.WeakKeyDictionary()


def follow(
    source: Source, *, offset: int = 0, end: int | None = None, most: int = MOST_OPCODES, block: int = BLOCK
) -> Stream:
    """As `run`, for observations alone: of `value` no more than a number or a string can be told.

    `most` are the opcodes that are followed one by one, `block` the bytes that are read at a time. Never raises
    FormatError.
    """
    if min(source.size if end is None else end, source.size) - offset <= SHORT:
        return run(source, offset=offset, end=end, most=min(most, MOST_OPCODES))
    if (kept := _last.get(source)) is not None and kept[0] == (offset, end, block):
        return kept[1]
    first = run(source, offset=offset, end=end, most=min(most, FEW))
    if not isinstance(first.error, OverBudget):
        return first
    machine = _followed(Brisk(Cursor(source, offset=offset, end=end), most=most, block=block))
    if machine.stream.error is not None or not _tells_all(machine.stream):
        exact = run(source, offset=offset, end=end, most=MOST_OPCODES)
        if _runs_text(machine.stream) or not isinstance(exact.error, OverBudget):
            return exact
    if machine.stream.error is None:
        _last.clear()
        _last[source] = ((offset, end, block), machine.stream)
    return machine.stream


def _followed(machine: Brisk) -> Brisk:
    """To its end, or to what ends it."""
    try:
        machine.go()
        if machine.is_tangled():
            raise Unsure
    except FormatError as error:
        error.__cause__ = error.__context__ = None
        machine.stream.error = error.with_traceback(None)
    except Unsure:
        machine.stream.error = OverBudget(
            "too_much", path=machine.path, offset=machine.offset, what="memo", most=MOST_HELD
        )
    machine.stream.end = machine.base + machine.at
    return machine


def _tells_all(stream: Stream) -> bool:
    """Neither is anything judged by operands that were forgotten, nor by the state that an object is given."""
    return not any(stream.loose.values()) and not _runs_text(stream)


def _runs_text(stream: Stream) -> bool:
    """SciPy's distributions run a text of their state, which the exact machine alone reads."""
    return any(module.startswith(RUN_BY) for module, _ in stream.imports)


class Brisk(Forgetful):
    """The exact machine's walk with the steps of one that forgets; a MARK may be a whole group."""

    def __init__(self, cursor: Cursor, *, most: int, block: int) -> None:
        _, mark = BRISK_STEPS[_MARK]
        steps = (*BRISK_STEPS[:_MARK], (self.group, mark), *BRISK_STEPS[_MARK + 1 :])
        super().__init__(cursor, steps, most=most)
        self.slots = Slots(cursor.source)
        self.slots.note(cursor.offset)
        self.memo = self.slots.kept
        self.first = self.block = block
        self.judges = False
        self.ready = self.missed = 0  # where in the file a group is tried next, and how often there was none

    def weigh_what_is_held(self) -> None:
        """Once a block; the bytes of a walk are counted anew, for its opcodes are counted."""
        if self.fresh > MOST_HELD // 2:
            self.fresh = _held_by(self.stack)
            if self.fresh > MOST_HELD // 2:
                raise OverBudget("too_much", path=self.path, offset=self.offset, what="pickle", most=MOST_HELD)
        super().weigh_what_is_held()
        self.slots.note(self.cursor.offset)
        self.cursor = Cursor(self.cursor.source, offset=self.cursor.offset, end=self.cursor.end)
        if self.hashing.visits > MOST_VISITS:
            self.hashing = Hashing()

    def group(self, block: bytes, at: int, base: int) -> Read:
        """The argument of a MARK: the whole group that it opens, where that can be told at once."""
        here = base + at
        if here < self.ready or self.judges:
            return None, at
        found = group_at(block, at - 1, len(self.slots.kinds), puts=self.slots.puts)
        if found is not None:
            group, end = found
            if (group.closes != ord("t") or end - at >= LEAST_TUPLE) and (taken := self.take(group, here)) is not None:
                self.missed = 0
                return taken, end  # type: ignore[return-value]
        elif at - 1 > len(block) // 2 and base + len(block) < self.cursor.end and len(block) > LEAST:
            raise More(1)  # the block's end may be all that is in the way
        self.missed += 1
        if self.missed > _PATIENCE:
            self.ready = here + min(_LEAST_TRIED << min(self.missed - _PATIENCE, 20), _MOST_TRIED)
        return None, at

    def take(self, group: Group, here: int) -> Group | None:
        """Fill the memo as the group does; None where single steps know more."""
        if group.closes in b"eu\x90" and (not self.stack or self.stack[-1] is MARK):
            return None
        shared = self.shared_in(group)
        if shared is None:
            return None
        times = Counter(group.taken) if shared else {}
        for one in shared:
            self.use(slot_of(one), times[one])
        kinds = group.kinds.translate(_SHARED) if shared else group.kinds
        self.slots.note(here - 1)
        self.slots.kinds += kinds
        return msgspec.structs.replace(group, is_shared=bool(shared), taken=[])

    def shared_in(self, group: Group) -> list[bytes] | None:
        """Which of what it takes from the memo are containers; None where more must be known of one."""
        slots, shared = self.slots, []
        filled = len(slots.kinds)
        for one in group.different:
            slot = slot_of(one)
            if slot >= filled:
                if group.kinds[slot - filled : slot - filled + 1] != b"S":
                    return None
                continue
            kind = chr(slots.kinds[slot])
            value = slots.kept[slot] if kind == "k" else None
            if kind in "cCs" or (isinstance(value, tuple) and is_small(value)):
                shared.append(one)
            elif kind in "tTV" or isinstance(value, tuple | Box | Judged):
                return None
        return shared

    def is_tangled(self) -> bool:
        """May shared parts within shared parts multiply a walk beyond bounds? An object ends a walk."""
        bits = sum(math.log2(1 + times) for slot, times in self.slots.uses.items() if self.is_knot(slot))
        return bits > MOST_BITS

    def is_knot(self, slot: int) -> bool:
        """What is shared holds what is shared; -1 and below are not in the memo."""
        return slot < 0 or self.slots.kinds[slot] in b"CVk"

    def call(self, function: Node, arguments: Node) -> None:
        """What is called is noted; of what comes of it only that something does."""
        if isinstance(function, Global):
            self.stream.calls.setdefault((function.module, function.name), self.offset)
        if type(function) is Judged:
            made = self.judged(function, self.settled(arguments))
            self.stack.append(CALLED if isinstance(made, Call) else made)
            return
        if type(function) is Reached:
            self.stream.imports.setdefault((function.module, function.name), self.offset)
        elif isinstance(function, Call):
            self.computed()
        self.stack.append(CALLED)

    def name(self, module: str, name: str) -> Global:
        """As the exact machine; what is given to what must be judged is followed step by step."""
        made = super().name(module, name)
        self.judges = self.judges or type(made) is Judged
        return made


def _held_by(stack: list[Node]) -> int:
    """Bytes that the strings and tuples on a stack take, counted up to the bound."""
    total, pending = 0, list(stack)
    while pending and total <= MOST_HELD:
        node = pending.pop()
        if isinstance(node, str):
            total += len(node) + NODE // 2
        elif isinstance(node, tuple):
            total += NODE
            pending += node
    return total
