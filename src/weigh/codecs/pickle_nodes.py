"""What a pickle would build, as nodes that build nothing."""

from __future__ import annotations

from typing import Any

from weigh.codecs.pickle_opcodes import Blob
from weigh.core.errors import FormatError

# Those that read a pickle out of the bytes they are given.
LOADERS = frozenset({("torch.storage", "_load_from_bytes")})

# Those that look an attribute up: harmless where what they look up is.
GETTERS = frozenset({("builtins", "getattr"), ("__builtin__", "getattr")})
NAMERS = frozenset({("operator", "attrgetter"), ("_operator", "attrgetter")})
# Those that are harmless with one argument, and not with more.
OF_ONE = frozenset((module, name) for module in ("builtins", "__builtin__") for name in ("type", "iter"))

# Those that hints of types are put together with: `Dict[str, int]`, `int | None`.
SUBSCRIPTS = frozenset({("operator", "getitem"), ("_operator", "getitem")})
UNIONS = frozenset({("functools", "reduce"), ("_functools", "reduce"), ("__builtin__", "reduce")})

# Those whose objects are text itself, as a name has to be.
TEXTS = frozenset({("builtins", "str"), ("__builtin__", "str"), ("__builtin__", "unicode")})
JUDGED = LOADERS | GETTERS | NAMERS | OF_ONE | SUBSCRIPTS | UNIONS

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


class Judged(Global):
    """One of JUDGED: every use of it is counted, for it is harmless only by what it is given."""

    __slots__ = ()


class Reached(Global):
    """What getattr finds in a class: no import of its own, and only told where it is called."""

    __slots__ = ()


class Call:
    """Something called with arguments; what is later put into it is kept in `items` and `state`."""

    __slots__ = ("arguments", "function", "items", "state")

    def __init__(self, function: Node, arguments: Node) -> None:
        self.function, self.arguments = function, arguments
        self.items: tuple[tuple[Node, Node], ...] | list[tuple[Node, Node]] = ()
        self.state: Node = None


class Instance(Call):
    """What NEWOBJ makes: an object of a class, by its `__new__` alone."""

    __slots__ = ()


class Pairs:
    """A dict: its keys need not be hashable here."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: tuple[tuple[Node, Node], ...] | list[tuple[Node, Node]] = ()


class Persistent:
    """A reference to something outside the pickle; torch keeps storages so."""

    __slots__ = ("value",)

    def __init__(self, value: Node) -> None:
        self.value = value


class Stream:
    """One pickle as far as it could be followed: `value`, the names it imports and calls, `end` behind its STOP.

    `nested` are the bytes it hands to LOADERS, by offset; `loose` counts the uses of JUDGED that what they are given
    does not excuse, by name; `bombs` is what would exhaust a loader, and where. `error` is what ended it early; what
    was seen until then stays.
    """

    __slots__ = (
        "bombs", "calls", "end", "error", "extensions", "imports", "loose", "nested", "num_opcodes", "persistent",
        "protocol", "start", "value",
    )  # fmt: skip

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.value: Node = None
        self.protocol = 0
        self.num_opcodes = 0
        self.imports: dict[tuple[str, str], int] = {}
        self.calls: dict[tuple[str, str], int] = {}
        self.extensions: dict[int, int] = {}
        self.persistent: list[Node] = []
        self.nested: dict[int, Blob] = {}
        self.loose: dict[tuple[str, str], int] = {}
        self.bombs: dict[str, int] = {}
        self.error: FormatError | None = None
