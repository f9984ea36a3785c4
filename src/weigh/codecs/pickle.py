"""A symbolic machine for pickles: it follows every opcode with stack and memo, and calls nothing.

What a pickle would import or call becomes a node; values it would build are kept as plain lists and pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weigh.codecs.cursor import Cursor
from weigh.codecs.pickle_opcodes import OPCODES, Argument
from weigh.core.errors import FormatError, Malformed, OverBudget
from weigh.core.source import Source

MOST_OPCODES = 3_000_000
PROTOCOLS = range(6)

# What stands on the symbolic stack: scalars, strings, Blobs, tuples, lists, and the nodes below.
Node = Any


class Global:
    """A name the pickle imports; `?` for one that is not a literal."""

    __slots__ = ("module", "name", "offset")

    def __init__(self, module: str, name: str, offset: int) -> None:
        self.module, self.name, self.offset = module, name, offset

    @property
    def path(self) -> str:
        """`module.name`."""
        return f"{self.module}.{self.name}"


class Call:
    """Something called with arguments; what is later put into it is kept in `items` and `state`."""

    __slots__ = ("arguments", "function", "items", "state")

    def __init__(self, function: Node, arguments: Node) -> None:
        self.function, self.arguments = function, arguments
        self.items: list[tuple[Node, Node]] = []
        self.state: Node = None


class Pairs:
    """A dict: its keys need not be hashable here."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[tuple[Node, Node]] = []


class Persistent:
    """A reference to something outside the pickle; torch keeps storages so."""

    __slots__ = ("value",)

    def __init__(self, value: Node) -> None:
        self.value = value


class _Mark:
    __slots__ = ()


class Stream:
    """One pickle as far as it could be followed: `value`, the names it imports and calls, `end` behind its STOP.

    `error` is what ended it early; what was seen until then stays.
    """

    __slots__ = ("calls", "end", "error", "extensions", "imports", "persistent", "protocol", "start", "value")

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.value: Node = None
        self.protocol = 0
        self.imports: dict[tuple[str, str], int] = {}
        self.calls: dict[tuple[str, str], int] = {}
        self.extensions: dict[int, int] = {}
        self.persistent: list[Node] = []
        self.error: FormatError | None = None


def run(source: Source, *, offset: int = 0, end: int | None = None) -> Stream:
    """Follow the pickle at `offset`. Never raises FormatError: it is kept in the Stream."""
    machine = _Machine(Cursor(source, offset=offset, end=end))
    try:
        machine.go()
    except FormatError as error:
        machine.stream.error = error
    machine.stream.end = machine.cursor.offset
    return machine.stream


class _Machine:
    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.stream = Stream(cursor.offset)
        self.stack: list[Node] = []
        self.memo: dict[int, Node] = {}
        self.at = cursor.offset

    def go(self) -> None:
        cursor = self.cursor
        for _ in range(MOST_OPCODES):
            self.at = cursor.offset
            code = cursor.bytes(1, "opcode")[0]
            known = OPCODES.get(code)
            if known is None:
                raise Malformed("pickle.opcode", path=cursor.source.path, offset=self.at, code=code)
            name, read = known
            argument = read(cursor)
            if name == "STOP":
                self.stream.value = self.pop()
                return
            _DO[name](self, argument)
        raise OverBudget("pickle.opcodes", path=cursor.source.path, offset=cursor.offset, most=MOST_OPCODES)

    def pop(self) -> Node:
        if not self.stack or type(self.stack[-1]) is _Mark:
            raise Malformed("pickle.stack", path=self.cursor.source.path, offset=self.at)
        return self.stack.pop()

    def top(self) -> Node:
        value = self.pop()
        self.stack.append(value)
        return value

    def pop_to_mark(self) -> list[Node]:
        for index in range(len(self.stack) - 1, -1, -1):
            if type(self.stack[index]) is _Mark:
                taken = self.stack[index + 1 :]
                del self.stack[index:]
                return taken
        raise Malformed("pickle.mark", path=self.cursor.source.path, offset=self.at)

    def name(self, module: str, name: str) -> Global:
        self.stream.imports.setdefault((module, name), self.at)
        return Global(module, name, self.at)

    def call(self, function: Node, arguments: Node) -> None:
        if isinstance(function, Global):
            self.stream.calls.setdefault((function.module, function.name), self.at)
        self.stack.append(Call(function, arguments))


def _push(machine: _Machine, argument: Argument) -> None:
    machine.stack.append(argument)


def _constant(make: Callable[[], Node]) -> Callable[[_Machine, Argument], None]:
    def do(machine: _Machine, argument: Argument) -> None:
        machine.stack.append(make())

    return do


def _mark(machine: _Machine, argument: Argument) -> None:
    machine.stack.append(_Mark())


def _tuple(machine: _Machine, argument: Argument) -> None:
    machine.stack.append(tuple(machine.pop_to_mark()))


def _tuple_of(length: int) -> Callable[[_Machine, Argument], None]:
    def do(machine: _Machine, argument: Argument) -> None:
        taken = [machine.pop() for _ in range(length)]
        machine.stack.append(tuple(reversed(taken)))

    return do


def _list(machine: _Machine, argument: Argument) -> None:
    machine.stack.append(machine.pop_to_mark())


def _dict(machine: _Machine, argument: Argument) -> None:
    taken = machine.pop_to_mark()
    pairs = Pairs()
    pairs.items += zip(taken[::2], taken[1::2], strict=False)
    machine.stack.append(pairs)


def _put_into(target: Node, values: list[Node]) -> None:
    if isinstance(target, list):
        target += values
    elif isinstance(target, Call):  # an object with append or extend of its own
        target.items += ((None, value) for value in values)


def _append(machine: _Machine, argument: Argument) -> None:
    value = machine.pop()
    _put_into(machine.top(), [value])


def _appends(machine: _Machine, argument: Argument) -> None:
    values = machine.pop_to_mark()
    _put_into(machine.top(), values)


def _set_item(machine: _Machine, argument: Argument) -> None:
    value, key = machine.pop(), machine.pop()
    target = machine.top()
    if isinstance(target, Pairs | Call):
        target.items.append((key, value))


def _set_items(machine: _Machine, argument: Argument) -> None:
    taken = machine.pop_to_mark()
    target = machine.top()
    if isinstance(target, Pairs | Call):
        target.items += zip(taken[::2], taken[1::2], strict=False)


def _pop(machine: _Machine, argument: Argument) -> None:
    if not machine.stack:
        raise Malformed("pickle.stack", path=machine.cursor.source.path, offset=machine.at)
    machine.stack.pop()  # C pickle lets POP take a mark too


def _pop_mark(machine: _Machine, argument: Argument) -> None:
    machine.pop_to_mark()


def _dup(machine: _Machine, argument: Argument) -> None:
    machine.stack.append(machine.top())


def _get(machine: _Machine, argument: Argument) -> None:
    assert isinstance(argument, int)
    if argument not in machine.memo:
        raise Malformed("pickle.memo", path=machine.cursor.source.path, offset=machine.at, index=argument)
    machine.stack.append(machine.memo[argument])


def _put(machine: _Machine, argument: Argument) -> None:
    assert isinstance(argument, int)
    if argument < 0:
        raise Malformed("pickle.memo", path=machine.cursor.source.path, offset=machine.at, index=argument)
    machine.memo[argument] = machine.top()


def _memoize(machine: _Machine, argument: Argument) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _global(machine: _Machine, argument: Argument) -> None:
    assert isinstance(argument, tuple)
    machine.stack.append(machine.name(*argument))


def _stack_global(machine: _Machine, argument: Argument) -> None:
    name, module = machine.pop(), machine.pop()
    literal = isinstance(name, str) and isinstance(module, str)
    machine.stack.append(machine.name(module, name) if literal else machine.name("?", "?"))


def _extension(machine: _Machine, argument: Argument) -> None:
    assert isinstance(argument, int)
    machine.stream.extensions.setdefault(argument, machine.at)
    machine.stack.append(Global("?", f"extension {argument}", machine.at))


def _reduce(machine: _Machine, argument: Argument) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.call(function, arguments)


def _new_with_keywords(machine: _Machine, argument: Argument) -> None:
    keywords, arguments, function = machine.pop(), machine.pop(), machine.pop()
    machine.call(function, (arguments, keywords))


def _inst(machine: _Machine, argument: Argument) -> None:
    assert isinstance(argument, tuple)
    arguments = tuple(machine.pop_to_mark())
    machine.call(machine.name(*argument), arguments)


def _obj(machine: _Machine, argument: Argument) -> None:
    taken = machine.pop_to_mark()
    if not taken:
        raise Malformed("pickle.stack", path=machine.cursor.source.path, offset=machine.at)
    machine.call(taken[0], tuple(taken[1:]))


def _build(machine: _Machine, argument: Argument) -> None:
    state = machine.pop()
    target = machine.top()
    if isinstance(target, Call):
        target.state = state


def _persistent_line(machine: _Machine, argument: Argument) -> None:
    machine.stream.persistent.append(argument)
    machine.stack.append(Persistent(argument))


def _persistent(machine: _Machine, argument: Argument) -> None:
    value = machine.pop()
    machine.stream.persistent.append(value)
    machine.stack.append(Persistent(value))


def _protocol(machine: _Machine, argument: Argument) -> None:
    assert isinstance(argument, int)
    if argument not in PROTOCOLS:
        raise Malformed("pickle.protocol", path=machine.cursor.source.path, offset=machine.at, protocol=argument)
    machine.stream.protocol = argument


def _nothing(machine: _Machine, argument: Argument) -> None:
    """FRAME only groups bytes; READONLY_BUFFER only wraps the top."""


_DO: dict[str, Callable[[_Machine, Argument], None]] = {name: _push for name, _ in OPCODES.values()} | {
    "NONE": _constant(lambda: None),
    "NEWTRUE": _constant(lambda: True),
    "NEWFALSE": _constant(lambda: False),
    "NEXT_BUFFER": _constant(lambda: Persistent("buffer")),
    "READONLY_BUFFER": _nothing,
    "EMPTY_LIST": _constant(list),
    "EMPTY_TUPLE": _constant(tuple),
    "EMPTY_DICT": _constant(Pairs),
    "EMPTY_SET": _constant(list),
    "APPEND": _append,
    "APPENDS": _appends,
    "ADDITEMS": _appends,
    "LIST": _list,
    "FROZENSET": _list,
    "TUPLE": _tuple,
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "DICT": _dict,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "DUP": _dup,
    "MARK": _mark,
    "GET": _get,
    "BINGET": _get,
    "LONG_BINGET": _get,
    "PUT": _put,
    "BINPUT": _put,
    "LONG_BINPUT": _put,
    "MEMOIZE": _memoize,
    "EXT1": _extension,
    "EXT2": _extension,
    "EXT4": _extension,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "NEWOBJ": _reduce,
    "NEWOBJ_EX": _new_with_keywords,
    "INST": _inst,
    "OBJ": _obj,
    "BUILD": _build,
    "PERSID": _persistent_line,
    "BINPERSID": _persistent,
    "PROTO": _protocol,
    "FRAME": _nothing,
}
