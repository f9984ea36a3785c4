"""What each opcode of a pickle does to stack and memo; nothing is imported or called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from weigh.codecs.pickle_bombs import is_expanding
from weigh.codecs.pickle_distributions import runs_text
from weigh.codecs.pickle_machine import MARK, NODE, PLACE, Machine, Step, Steps, Stopped
from weigh.codecs.pickle_nodes import TEXTS, Call, Global, Instance, Judged, Node, Pairs, Persistent
from weigh.codecs.pickle_opcodes import OPCODES, Argument

PROTOCOLS = range(6)
MOST_SLOT = 1 << 20  # C pickle makes room for every slot below the one that is filled
SLOTS_AHEAD = 8
# Modules whose networks are built from a configuration: YOLO's evaluates text in it, transformers' may fetch code that
# it names. Pickles make their objects without it; outputs and sets of weights alone are made by a call.
_BUILDERS = re.compile(r"models\.|ultralytics\.nn\.|t(?:imm|orchvision)\.models\.|transformers\.models\.\w+\.modeling_")
_CALLED_ALL_THE_SAME = ("Output", "Outputs", "_Weights", "WithPooling", "WithPast", "Config", "Type")
LEAST_SHARED = 20  # fewer parts used again cannot come to much


def _push(machine: Machine, argument: Argument) -> None:
    machine.stack.append(argument)


def _push_text(machine: Machine, argument: Argument) -> None:
    assert isinstance(argument, str)
    machine.held += len(argument) + PLACE
    machine.stack.append(argument)


def _push_number(machine: Machine, argument: Argument) -> None:
    assert isinstance(argument, int)
    machine.held += argument.bit_length() >> 3
    machine.stack.append(argument)


def _push_bytes(machine: Machine, argument: Argument) -> None:
    machine.held += NODE
    machine.stack.append(argument)


def _constant(value: Node) -> Step:
    def do(machine: Machine, argument: Argument) -> None:
        machine.stack.append(value)

    return do


def _container(make: Callable[[], Node]) -> Step:
    def do(machine: Machine, argument: Argument) -> None:
        machine.held += NODE
        machine.stack.append(make())

    return do


def _tuple(machine: Machine, argument: Argument) -> None:
    machine.stack.append(tuple(machine.pop_to_mark()))


def _tuple_of(length: int) -> Step:
    def do(machine: Machine, argument: Argument) -> None:
        taken = machine.stack[-length:]
        if len(taken) < length or MARK in taken:
            raise machine.malformed("pickle.stack")
        machine.held += NODE
        machine.stack[-length:] = (tuple(taken),)

    return do


def _list(machine: Machine, argument: Argument) -> None:
    machine.stack.append(machine.pop_to_mark())


def _dict(machine: Machine, argument: Argument) -> None:
    pairs = Pairs()
    _put_into(machine, pairs, machine.pop_to_mark(), paired=True)
    machine.stack.append(pairs)


def _put_into(machine: Machine, target: Node, values: list[Node], *, paired: bool) -> None:
    """Into a list, a dict or an object with methods of its own for it; into anything else they vanish."""
    if paired:
        if len(values) % 2:
            raise machine.malformed("pickle.stack")
        _hash(machine, values[::2])
    elif isinstance(target, str | int | float | tuple) or target is None:  # these have no method for it
        raise machine.malformed("pickle.stack")
    machine.held += PLACE * len(values) * (1 + paired)
    if isinstance(target, Pairs | Call):
        more: list[tuple[Node, Node]]
        more = list(zip(values[::2], values[1::2], strict=False)) if paired else [(None, one) for one in values]
        if isinstance(target.items, tuple):  # none yet
            target.items = more
        else:
            target.items += more
    elif type(target) is list and not paired:
        target += values


def _hash(machine: Machine, keys: list[Node]) -> None:
    """Keys of dicts and elements of sets are hashed as they are put there."""
    for key in keys:
        if type(key) is tuple and machine.hashing.is_bomb(key):
            machine.stream.bombs.setdefault("hash", machine.offset)


def _frozenset(machine: Machine, argument: Argument) -> None:
    values = machine.pop_to_mark()
    _hash(machine, values)
    machine.stack.append(values)


def _add_items(machine: Machine, argument: Argument) -> None:
    values = machine.pop_to_mark()
    _hash(machine, values)
    _put_into(machine, machine.top(), values, paired=False)


def _append(machine: Machine, argument: Argument) -> None:
    value = machine.pop()
    _put_into(machine, machine.top(), [value], paired=False)


def _appends(machine: Machine, argument: Argument) -> None:
    values = machine.pop_to_mark()
    _put_into(machine, machine.top(), values, paired=False)


def _set_item(machine: Machine, argument: Argument) -> None:
    value, key = machine.pop(), machine.pop()
    _put_into(machine, machine.top(), [key, value], paired=True)


def _set_items(machine: Machine, argument: Argument) -> None:
    values = machine.pop_to_mark()
    _put_into(machine, machine.top(), values, paired=True)


def _pop(machine: Machine, argument: Argument) -> None:
    if not machine.stack:
        raise machine.malformed("pickle.stack")
    machine.stack.pop()  # C pickle lets POP take a mark too


def _pop_mark(machine: Machine, argument: Argument) -> None:
    machine.pop_to_mark()


def _dup(machine: Machine, argument: Argument) -> None:
    _use(machine, machine.top())


def _get(machine: Machine, argument: Argument) -> None:
    assert isinstance(argument, int)
    if argument not in machine.memo:
        raise machine.malformed("pickle.memo", index=argument)
    _use(machine, machine.memo[argument])


def _use(machine: Machine, value: Node) -> None:
    kind = type(value)
    if kind is Judged:
        machine.loosen(value.module, value.name, 1)
    elif kind is list or kind is tuple or kind is Pairs:
        machine.shared += 1
    machine.stack.append(value)


def _put(machine: Machine, argument: Argument) -> None:
    assert isinstance(argument, int)
    if argument < 0:
        raise machine.malformed("pickle.memo", index=argument)
    if argument > MOST_SLOT and argument > SLOTS_AHEAD * len(machine.memo):
        machine.stream.bombs.setdefault("memo", machine.offset)
    machine.memo[argument] = machine.top()


def _memoize(machine: Machine, argument: Argument) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _global(machine: Machine, argument: Argument) -> None:
    assert isinstance(argument, tuple)
    machine.stack.append(machine.name(*argument))


def _stack_global(machine: Machine, argument: Argument) -> None:
    name, module = machine.pop(), machine.pop()
    literal = isinstance(name, str) and isinstance(module, str)
    machine.stack.append(machine.name(module, name) if literal else machine.name("?", "?"))


def _extension(machine: Machine, argument: Argument) -> None:
    assert isinstance(argument, int)
    machine.held += NODE
    machine.stream.extensions.setdefault(argument, machine.offset)
    machine.stack.append(Global("?", f"extension {argument}", machine.offset))


def _reduce(machine: Machine, argument: Argument) -> None:
    arguments, function = machine.pop(), machine.pop()
    _call(machine, function, arguments)


def _call(machine: Machine, function: Node, arguments: Node) -> None:
    """A call proper, not NEWOBJ: a network's class is never called so by what honest libraries write."""
    if type(function) is Global and _is_built(function):
        machine.stream.imports.setdefault((function.module, f"{function.name}.__init__"), machine.offset)
    machine.call(function, arguments)


def _is_built(function: Global) -> bool:
    return bool(_BUILDERS.match(function.module)) and not function.name.endswith(_CALLED_ALL_THE_SAME)


def _new(machine: Machine, argument: Argument) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.call(function, arguments)
    _as_instance(machine, function)


def _new_with_keywords(machine: Machine, argument: Argument) -> None:
    keywords, arguments, function = machine.pop(), machine.pop(), machine.pop()
    machine.call(function, (arguments, keywords))
    _as_instance(machine, function)


def _as_instance(machine: Machine, function: Node) -> None:
    made = machine.stack[-1]
    if type(made) is Call and type(function) is Global and (function.module, function.name) not in TEXTS:
        machine.stack[-1] = Instance(made.function, made.arguments)


def _inst(machine: Machine, argument: Argument) -> None:
    assert isinstance(argument, tuple)
    arguments = tuple(machine.pop_to_mark())
    _call(machine, machine.name(*argument), arguments)


def _obj(machine: Machine, argument: Argument) -> None:
    taken = machine.pop_to_mark()
    if not taken:
        raise machine.malformed("pickle.stack")
    _call(machine, taken[0], tuple(taken[1:]))


def _build(machine: Machine, argument: Argument) -> None:
    state = machine.pop()
    target = machine.top()
    if isinstance(target, Call):
        target.state = state
        if runs_text(target, state):
            machine.computed()
    elif isinstance(target, Global):
        machine.computed()  # a class or function of the program itself is changed


def _persistent_line(machine: Machine, argument: Argument) -> None:
    machine.stack.append(argument)
    _persistent(machine, None)


def _persistent(machine: Machine, argument: Argument) -> None:
    machine.held += NODE
    value = machine.pop()
    machine.stream.persistent.append(value)
    machine.stack.append(Persistent(value))


def _protocol(machine: Machine, argument: Argument) -> None:
    assert isinstance(argument, int)
    if argument not in PROTOCOLS:
        raise machine.malformed("pickle.protocol", protocol=argument)
    machine.stream.protocol = argument


def _stop(machine: Machine, argument: Argument) -> None:
    machine.stream.value = machine.pop()
    if machine.unready is not None:
        raise machine.malformed(machine.unready)
    if machine.shared >= LEAST_SHARED and is_expanding(machine.stream.value):
        machine.stream.bombs.setdefault("walk", machine.offset)
    raise Stopped


def _frame(machine: Machine, argument: Argument) -> None:
    """Only groups bytes; C pickle wants all of them at once."""
    assert isinstance(argument, int)
    if argument > machine.cursor.end - machine.offset - 9:
        machine.unready = machine.unready or "pickle.frame"


def _buffer(machine: Machine, argument: Argument) -> None:
    """Bytes that whoever loads must bring."""
    machine.held += NODE
    machine.unready = machine.unready or "pickle.buffers"
    machine.stack.append(Persistent("buffer"))


def _nothing(machine: Machine, argument: Argument) -> None:
    """READONLY_BUFFER only wraps the top."""


_DO: Mapping[str, Step] = {
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "EMPTY_TUPLE": _constant(()),
    "MARK": _constant(MARK),
    "NEXT_BUFFER": _buffer,
    "EMPTY_LIST": _container(list),
    "EMPTY_DICT": _container(Pairs),
    "EMPTY_SET": _container(list),
    "APPEND": _append,
    "APPENDS": _appends,
    "ADDITEMS": _add_items,
    "LIST": _list,
    "FROZENSET": _frozenset,
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
    "NEWOBJ": _new,
    "NEWOBJ_EX": _new_with_keywords,
    "INST": _inst,
    "OBJ": _obj,
    "BUILD": _build,
    "PERSID": _persistent_line,
    "BINPERSID": _persistent,
    "PROTO": _protocol,
    "FRAME": _frame,
    "READONLY_BUFFER": _nothing,
    "STOP": _stop,
}
_PUSH: Mapping[str, Step] = (
    dict.fromkeys(("BININT", "BININT1", "BININT2", "FLOAT", "BINFLOAT"), _push)
    | dict.fromkeys(("INT", "LONG", "LONG1", "LONG4"), _push_number)
    | dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _push_bytes)
    | dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE"), _push_text)
    | dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"), _push_text)
)


def _no_opcode(machine: Machine, argument: Argument) -> None:
    code = machine.cursor.source.read(machine.offset, 1)[0]
    raise machine.malformed("pickle.opcode", code=code)


def _steps() -> Steps:
    does = {**_DO, **_PUSH}
    known = {code: (read, does[name]) for code, (name, read) in OPCODES.items()}
    return tuple(known.get(code, (None, _no_opcode)) for code in range(256))


STEPS = _steps()
