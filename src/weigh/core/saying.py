"""A sentence before it has a language: a key into `text/*.toml` and the values for its holes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Hole = str | int | float
NOTHING: Mapping[str, Hole] = MappingProxyType({})


class Saying:
    """`Saying("gguf.version", version=77)`; `text.say` turns it into English or Chinese.

    A plain class, not a Struct, so that writing JSON calls the hook that puts it into words.
    """

    __slots__ = ("key", "values")
    key: str
    values: Mapping[str, Hole]

    def __init__(self, key: str, /, **values: Hole) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "values", MappingProxyType(values) if values else NOTHING)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Saying is frozen: {name}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Saying):
            return NotImplemented
        return self.key == other.key and dict(self.values) == dict(other.values)

    def __hash__(self) -> int:
        return hash((self.key, tuple(sorted(self.values.items(), key=lambda item: item[0]))))

    def __repr__(self) -> str:
        holes = "".join(f", {name}={value!r}" for name, value in self.values.items())
        return f"Saying({self.key!r}{holes})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_revive, (self.key, dict(self.values)))


def _revive(key: str, values: dict[str, Hole]) -> Saying:
    return Saying(key, **values)
