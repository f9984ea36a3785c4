"""What each opcode of a long pickle does to a stack whose containers forget what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from weigh.codecs.pickle_groups import Group
from weigh.codecs.pickle_machine import MARK, NODE, Machine, Step, Steps, Stopped
from weigh.codecs.pickle_nodes import Call, Global, Judged, Node, Persistent
from weigh.codecs.pickle_opcodes import OPCODES, Argument, Blob
from weigh.codecs.pickle_slots import MOST_KEPT, Lazy, Slots
from weigh.codecs.pickle_steps import STEPS

MOST_TEXT = 256  # characters of a string that is kept rather than read again
SMALL = 64  # parts
MOST_USES = 100_000


class Box:
    """A list, dict or set: its slot, if it has one; `knotty` if what stands in it stands elsewhere too."""

    __slots__ = ("got", "knotty", "slot")

    def __init__(self, slot: int | None = None, *, got: bool = False, knotty: bool = False) -> None:
        self.slot, self.got, self.knotty = slot, got, knotty


class Knot(tuple[Node, ...]):
    """A tuple that stands elsewhere too, or holds what does."""

    __slots__ = ()


CALLED = Call(None, None)
SMALL_TUPLE = Knot((None,) * SMALL)
LONG_TUPLE = Knot(((None,) * 512,) * 512)  # no tuple in a group has more parts


class Unsure(Exception):
    """Only the exact machine can tell."""


class Forgetful(Machine):
    """The state that these steps change."""

    slots: Slots
    last: Node = None  # the string or bytes pushed last
    fresh = 0  # bytes that strings and tuples have taken since what the stack holds was counted

    def use(self, slot: int, times: int = 1) -> None:
        """A container stands in so many more places."""
        uses = self.slots.uses
        uses[slot] = uses.get(slot, 0) + times
        if len(uses) > MOST_USES:
            raise Unsure

    def settled(self, node: Node) -> Node:
        """The strings and bytes that slots stand for."""
        if type(node) is Lazy:
            return self.slots.read_again(node.slot)
        if isinstance(node, tuple) and any(type(one) is Lazy for one in node):
            return tuple(self.slots.read_again(one.slot) if type(one) is Lazy else one for one in node)
        return node

    def fill(self, target: Node, *, knotty: bool) -> None:
        """Something is put into a container; into one taken from the memo nobody does."""
        if type(target) is not Box:
            return
        if target.got:
            raise Unsure
        if knotty and not target.knotty:
            target.knotty = True
            if target.slot is not None:
                self.slots.kinds[target.slot] = ord("C")


def is_small(value: tuple[Node, ...]) -> bool:
    """A tuple of few parts that have no parts."""
    return len(value) <= SMALL and not any(isinstance(one, tuple | Box) for one in value)


def _is_knotty(node: Node) -> bool:
    return type(node) is Knot or (type(node) is Box and (node.got or node.knotty))


def _push_text(machine: Forgetful, argument: Argument) -> None:
    assert isinstance(argument, str)
    machine.fresh += len(argument) + SMALL
    machine.last = argument
    machine.stack.append(argument)


def _push_bytes(machine: Forgetful, argument: Argument) -> None:
    machine.fresh += NODE
    machine.last = argument
    machine.stack.append(argument)


def _push_number(machine: Forgetful, argument: Argument) -> None:
    machine.fresh += SMALL
    machine.stack.append(argument)


def _box(machine: Forgetful, argument: Argument) -> None:
    machine.stack.append(Box())


def _mark(machine: Forgetful, argument: Node) -> None:
    """Or a whole group, which `take` has found to be in its place."""
    if argument is None:
        machine.stack.append(MARK)
        return
    assert type(argument) is Group
    if argument.closes in b"eu\x90":
        machine.fill(machine.stack[-1], knotty=argument.is_shared)
    elif argument.closes == ord("t"):
        machine.stack.append(LONG_TUPLE)
    else:
        machine.stack.append(Box(knotty=argument.is_shared))


def _made(machine: Forgetful, taken: list[Node]) -> Node:
    """A tuple of these."""
    if any(isinstance(one, tuple) for one in taken):
        machine.fresh += NODE
    machine.fresh += NODE
    return Knot(taken) if any(_is_knotty(one) for one in taken) else tuple(taken)


def _tuple(machine: Forgetful, argument: Argument) -> None:
    machine.stack.append(_made(machine, machine.pop_to_mark()))


def _tuple_of(length: int) -> Step:
    def do(machine: Machine, argument: Argument) -> None:
        assert isinstance(machine, Forgetful)
        taken = machine.stack[-length:]
        if len(taken) < length or MARK in taken:
            raise machine.malformed("pickle.stack")
        machine.stack[-length:] = (_made(machine, taken),)

    return do


def _whole(*, step: int) -> Step:
    """A container of everything from the mark, of which every such is hashed; none of 0."""

    def do(machine: Machine, argument: Argument) -> None:
        assert isinstance(machine, Forgetful)
        values = machine.pop_to_mark()
        if step:
            _hash(machine, values[::step])
        machine.stack.append(Box(knotty=any(_is_knotty(one) for one in values)))

    return do


def _more(*, step: int) -> Step:
    def do(machine: Machine, argument: Argument) -> None:
        assert isinstance(machine, Forgetful)
        values = machine.pop_to_mark()
        if step:
            _hash(machine, values[::step])
        machine.fill(machine.top(), knotty=any(_is_knotty(one) for one in values))

    return do


def _append(machine: Forgetful, argument: Argument) -> None:
    value = machine.pop()
    machine.fill(machine.top(), knotty=_is_knotty(value))


def _set_item(machine: Forgetful, argument: Argument) -> None:
    value, key = machine.pop(), machine.pop()
    _hash(machine, [key])
    machine.fill(machine.top(), knotty=_is_knotty(value) or _is_knotty(key))


def _hash(machine: Forgetful, keys: list[Node]) -> None:
    for key in keys:
        if isinstance(key, tuple) and any(isinstance(one, tuple) for one in key) and machine.hashing.is_bomb(key):
            machine.stream.bombs.setdefault("hash", machine.offset)


def _dup(machine: Forgetful, argument: Argument) -> None:
    value = machine.top()
    if isinstance(value, tuple):
        machine.stack[-1] = value = Knot(value)
    elif type(value) is Box:
        value.got = True
    elif type(value) is Judged:
        machine.loosen(value.module, value.name, 1)
    if isinstance(value, tuple | Box):
        machine.use(-1 - machine.offset)
    machine.stack.append(value)


def _get(machine: Forgetful, argument: Argument) -> None:
    assert isinstance(argument, int)
    slots = machine.slots
    if not 0 <= argument < len(slots.kinds):
        raise machine.malformed("pickle.memo", index=argument)
    kind = chr(slots.kinds[argument])
    if kind == "k":
        value = _kept(machine, argument)
    elif kind == "S":
        value = Lazy(argument)
    elif kind in "on":
        value = CALLED if kind == "o" else 0
    else:
        machine.use(argument)
        value = Box(argument, got=True, knotty=kind == "C") if kind in "cC" else LONG_TUPLE
        value = SMALL_TUPLE if kind == "s" else value
    machine.stack.append(value)


def _kept(machine: Forgetful, slot: int) -> Node:
    value = machine.slots.kept[slot]
    if type(value) is Judged:
        machine.loosen(value.module, value.name, 1)
    elif isinstance(value, tuple):
        if type(value) is not Knot:
            value = machine.slots.kept[slot] = Knot(value)
        if not is_small(value):
            machine.use(slot)
    return value


def _put(machine: Forgetful, argument: Argument) -> None:
    assert isinstance(argument, int)
    slots = machine.slots
    slots.puts = True
    if argument == len(slots.kinds):
        _memoize(machine, None)
    else:  # written over, or far out
        raise Unsure


def _memoize(machine: Forgetful, argument: Argument) -> None:
    value, slots = machine.top(), machine.slots
    kind = _kind(machine, value)
    if kind == "k":
        slots.kept[len(slots.kinds)] = value
    slots.kinds.append(ord(kind))


def _kind(machine: Forgetful, value: Node) -> str:
    if isinstance(value, str | Blob):
        short = isinstance(value, Blob) or len(value) <= MOST_TEXT
        if value is machine.last and not (short and len(machine.slots.kept) < MOST_KEPT):
            return "S"
        machine.held += len(value) if isinstance(value, str) else NODE
        return "k"
    if type(value) is Box:
        if value.slot is not None or value.got:
            raise Unsure
        value.slot = len(machine.slots.kinds)
        return "C" if value.knotty else "c"
    if isinstance(value, tuple):
        return _kind_of_tuple(machine, value)
    if isinstance(value, Call):
        return "o"
    if value is None or isinstance(value, bool | int | float):
        return "n"
    machine.held += NODE
    return "k"


def _kind_of_tuple(machine: Forgetful, value: tuple[Node, ...]) -> str:
    if len(machine.slots.kept) < MOST_KEPT and len(value) <= SMALL:
        machine.held += NODE
        return "k"
    if is_small(value):
        return "s"
    machine.held += NODE * len(value)
    return "k"


def _build(machine: Forgetful, argument: Argument) -> None:
    machine.pop()
    if isinstance(machine.top(), Global):
        machine.computed()


def _stack_global(machine: Forgetful, argument: Argument) -> None:
    name, module = machine.settled(machine.pop()), machine.settled(machine.pop())
    literal = isinstance(name, str) and isinstance(module, str)
    machine.stack.append(machine.name(module, name) if literal else machine.name("?", "?"))


def _persistent_line(machine: Forgetful, argument: Argument) -> None:
    machine.stack.append(argument)
    _persistent(machine, None)


def _persistent(machine: Forgetful, argument: Argument) -> None:
    value = machine.settled(machine.pop())
    machine.held += 4 * NODE
    machine.stream.persistent.append(value)
    machine.stack.append(Persistent(value))


def _stop(machine: Forgetful, argument: Argument) -> None:
    machine.stream.value = machine.settled(machine.pop())
    raise Stopped


_DO: Mapping[str, Callable[[Forgetful, Argument], None] | Step] = {
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE"), _push_text),
    **dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"), _push_text),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _push_bytes),
    **dict.fromkeys(("INT", "LONG", "LONG1", "LONG4"), _push_number),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET"), _box),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
    "MARK": _mark,
    "TUPLE": _tuple,
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "LIST": _whole(step=0),
    "DICT": _whole(step=2),
    "FROZENSET": _whole(step=1),
    "APPEND": _append,
    "APPENDS": _more(step=0),
    "SETITEM": _set_item,
    "SETITEMS": _more(step=2),
    "ADDITEMS": _more(step=1),
    "DUP": _dup,
    "MEMOIZE": _memoize,
    "BUILD": _build,
    "STACK_GLOBAL": _stack_global,
    "PERSID": _persistent_line,
    "BINPERSID": _persistent,
    "STOP": _stop,
}

BRISK_STEPS: Steps = tuple(
    (read, _DO.get(OPCODES[code][0], do)) if code in OPCODES else (read, do)  # type: ignore[misc]
    for code, (read, do) in enumerate(STEPS)
)
