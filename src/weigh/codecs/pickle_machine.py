"""The stack, the memo and the walk over a pickle's bytes, within bounds."""

from __future__ import annotations

from collections.abc import Callable

from weigh.codecs.cursor import Cursor
from weigh.codecs.pickle_bombs import Hashing
from weigh.codecs.pickle_nodes import (
    GETTERS,
    JUDGED,
    LOADERS,
    NAMERS,
    OF_ONE,
    SUBSCRIPTS,
    UNIONS,
    Call,
    Global,
    Judged,
    Node,
    Reached,
    Stream,
)  # fmt: skip
from weigh.codecs.pickle_opcodes import OPCODES, Argument, Blob, More, Reader, Unfit
from weigh.core.errors import Malformed, OverBudget
from weigh.core.saying import Hole

MOST_HELD = 112 << 20  # bytes that stack, memo and nodes may come to, by the estimates below
MOST_LINE = 16 << 20
NODE, PLACE = 120, 40  # what a container, and a place on the stack or in a container, take

# What the modules that reach out call their functions.
_DOES = frozenset(
    {
        "system", "popen", "Popen", "exec", "eval", "compile", "open", "run", "call", "check_output", "check_call",
        "spawn", "fork", "remove", "unlink", "rmdir", "rmtree", "rename", "replace", "load", "loads", "import_module",
        "write_text", "write_bytes", "execv", "execve", "kill", "connect", "modules", "globals", "builtins",
    }
)  # fmt: skip
_SUBSCRIPTED = ("typing", "collections.abc", "builtins", "__builtin__")
_SLOT, _IMPORT = 90, 400  # what a memo slot and an imported name take
_FIRST, _BLOCK = 1 << 10, 1 << 18


class Mark:
    """What MARK puts on the stack."""

    __slots__ = ()


MARK = Mark()


class Stopped(Exception):
    """STOP was reached."""


class Machine:
    """Follows the stream block by block: `at` is the opcode's place in the block, `base` the block's in the file."""

    def __init__(self, cursor: Cursor, steps: Steps, *, most: int) -> None:
        self.cursor = cursor
        self.stream = Stream(cursor.offset)
        self.stack: list[Node] = []
        self.memo: dict[int, Node] = {}
        self.steps, self.most = steps, most
        self.base, self.at = cursor.offset, 0
        self.held = 0
        self.shared = 0
        self.unready: str | None = None  # why C pickle does not get as far as STOP
        self.hashing = Hashing()
        self.what = "opcode"
        self.first, self.block = _FIRST, _BLOCK  # bytes followed at a time: few, for what is no pickle soon breaks off

    def go(self) -> None:
        wanted, usual = 1, self.first
        while True:
            cursor = self.cursor
            self.base, self.at = cursor.offset, 0
            block = cursor.bytes(max(wanted, min(usual, cursor.left)), self.what)
            wanted, usual = 1, self.block
            try:
                end = self.follow(block)
            except More as more:
                end, wanted = self.at, self.wanted(more, block)
            except Unfit as error:
                raise self.malformed(error.key, **error.holes) from error
            except Stopped:
                self.at += 1
                return
            cursor.offset = self.base + self.at
            cursor.skip(end - self.at, OPCODES[block[self.at]][0])
            self.weigh_what_is_held()

    def follow(self, block: bytes) -> int:
        """To the block's end, or beyond it where the last argument is long; returns where it came to."""
        at, length, base, steps = 0, len(block), self.base, self.steps
        taken = 0
        try:
            for taken in range(self.most - self.stream.num_opcodes):  # noqa: B007 - read when it is over
                if at >= length:
                    return at
                self.at = at
                read, do = steps[block[at]]
                if read is None:
                    at += 1
                    do(self, None)
                else:
                    argument, at = read(block, at + 1, base)
                    do(self, argument)
        finally:
            self.stream.num_opcodes += taken
        raise OverBudget("pickle.opcodes", path=self.cursor.source.path, offset=base + at, most=self.most)

    def wanted(self, more: More, block: bytes) -> int:
        """Bytes to ask for, from this opcode on. Raises FormatError for a line that does not end."""
        self.what = OPCODES[block[self.at]][0]
        if more.length is not None:
            return more.length + 1
        here, left = len(block) - self.at, self.cursor.end - self.base - self.at
        if here >= left:
            raise self.malformed("no_newline", what=self.what)
        if here > MOST_LINE:
            raise OverBudget(
                "too_long", path=self.path, offset=self.offset, what=self.what, length=here, most=MOST_LINE
            )
        return min(2 * here + 64, left)

    def weigh_what_is_held(self) -> None:
        """Once a block: a block alone cannot add much."""
        if self.held + _SLOT * len(self.memo) + PLACE * len(self.stack) > MOST_HELD:
            raise OverBudget("too_much", path=self.path, offset=self.offset, what="pickle", most=MOST_HELD)

    @property
    def path(self) -> str:
        return self.cursor.source.path

    @property
    def offset(self) -> int:
        """Of this opcode in the file."""
        return self.base + self.at

    def malformed(self, key: str, **holes: Hole) -> Malformed:
        return Malformed(key, path=self.path, offset=self.offset, **holes)

    def pop(self) -> Node:
        if not self.stack or self.stack[-1] is MARK:
            raise self.malformed("pickle.stack")
        return self.stack.pop()

    def top(self) -> Node:
        if not self.stack or self.stack[-1] is MARK:
            raise self.malformed("pickle.stack")
        return self.stack[-1]

    def pop_to_mark(self) -> list[Node]:
        stack = self.stack
        self.held += NODE
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] is MARK:
                taken = stack[index + 1 :]
                del stack[index:]
                return taken
        raise self.malformed("pickle.mark")

    def name(self, module: str, name: str) -> Global:
        self.held += _IMPORT
        self.stream.imports.setdefault((module, name), self.offset)
        if (module, name) in JUDGED:
            self.loosen(module, name, 1)
            return Judged(module, name, self.offset)
        return Global(module, name, self.offset)

    def loosen(self, module: str, name: str, count: int) -> None:
        loose = self.stream.loose
        loose[module, name] = loose.get((module, name), 0) + count

    def computed(self) -> None:
        """Something is called or changed that nobody can name beforehand."""
        self.stream.imports.setdefault(("?", "?"), self.offset)

    def call(self, function: Node, arguments: Node) -> None:
        self.held += 2 * NODE
        if isinstance(function, Global):
            self.stream.calls.setdefault((function.module, function.name), self.offset)
        if type(function) is Judged:
            self.stack.append(self.judged(function, arguments))
            return
        if type(function) is Reached:
            self.stream.imports.setdefault((function.module, function.name), self.offset)
        elif isinstance(function, Call):
            self.computed()
        self.stack.append(Call(function, arguments))

    def judged(self, function: Judged, arguments: Node) -> Node:
        """The call, its function excused where what it is given is harmless."""
        key, result = (function.module, function.name), Call(function, arguments)
        if key in LOADERS:
            if type(arguments) is tuple and [type(one) for one in arguments] == [Blob]:
                self.stream.nested.setdefault(arguments[0].offset, arguments[0])
                self.loosen(*key, -1)
            return result
        if key in GETTERS:
            return self.got(key, arguments, result)
        if _is_excused(key, arguments):
            self.loosen(*key, -1)
        return result

    def got(self, key: tuple[str, str], arguments: Node, result: Call) -> Node:
        """`getattr(owner, "name")`: of a class, the name below it; of an object, something that may not be called."""
        match arguments:
            case (Global() as owner, str(name), *_) if type(owner) in (Global, Reached) and owner.module != "?":
                self.loosen(*key, -1)
                below = Reached(owner.module, f"{owner.name}.{name}", self.offset)
                if not _is_plain(name):
                    self.stream.imports.setdefault((below.module, below.name), self.offset)
                return below
            case (Call(), str(name), *_) if _is_plain(name):
                self.loosen(*key, -1)
            case (Call() as owner, str(name), *_) if _is_plain(name.removeprefix("_")):
                if (kind := class_of(owner)) is not None:
                    self.loosen(*key, -1)
                    self.stream.imports.setdefault((kind.module, f"{kind.name}.{name}"), self.offset)
        return result


def _is_excused(key: tuple[str, str], arguments: Node) -> bool:
    """Is one of the others harmless with these: one thing, plain names, what hints of types are made of?"""
    match arguments:
        case (_,) if key in OF_ONE:
            return True
        case (Global(module=module), _) if key in SUBSCRIPTS:
            return module in _SUBSCRIPTED and type(arguments[0]) is Global
        case (Global(module=module, name="or_"), _) if key in UNIONS:
            return module in ("operator", "_operator")
        case tuple() if key in NAMERS:
            return all(isinstance(one, str) and _is_plain(one) for one in arguments)
    return False


def class_of(made: Call) -> Global | None:
    """The class of an object, where a name says it."""
    match made:
        case Call(
            function=Global(module="copy_reg" | "copyreg", name="_reconstructor"), arguments=(Global() as kind, *_)
        ):
            return kind
        case Call(function=Global() as kind) if type(kind) is Global:
            return kind
    return None


def _is_plain(path: str) -> bool:
    """Names of an object's own parts, none of them Python's, none that does something to the machine."""
    return all(word and not word.startswith("_") and word not in _DOES for word in path.split("."))


Step = Callable[[Machine, Argument], None]
Steps = tuple[tuple[Reader | None, Step], ...]  # for every byte: how its argument is read and what it does
