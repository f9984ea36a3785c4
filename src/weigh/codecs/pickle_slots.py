"""The memo of a long pickle: a letter for each slot, and a value only where a letter does not tell all that matters."""

from __future__ import annotations

from array import array
from bisect import bisect_right

from weigh.codecs.pickle_nodes import Node
from weigh.codecs.pickle_opcodes import OPCODES, Argument, Blob, More
from weigh.core.errors import OverBudget
from weigh.core.source import Source

MOST_KEPT = 100_000  # values beyond which a letter must do
MOST_READ_AGAIN = 32 << 20  # bytes
_AHEAD = 1 << 20

# What a slot holds: S a string or bytes, read again where it is asked for; c a container; t one to three parts; T a
# tuple; C a container or a tuple in which something stands that stands elsewhere too; o what a call made; n a number;
# k a value that is kept.


class Lazy:
    """A string or bytes in a slot, not read yet."""

    __slots__ = ("slot",)

    def __init__(self, slot: int) -> None:
        self.slot = slot


class Slots:
    """`kinds` has a letter a slot; where reading may begin again is noted from time to time."""

    __slots__ = ("_begun", "_left", "_offsets", "_source", "kept", "kinds", "puts", "uses")

    def __init__(self, source: Source) -> None:
        self.kinds = bytearray()
        self.kept: dict[int, Node] = {}
        self.uses: dict[int, int] = {}  # of containers, by slot
        self.puts = False  # by number, the way of old protocols
        self._source = source
        self._begun, self._offsets = array("Q"), array("Q")
        self._left = MOST_READ_AGAIN

    def note(self, offset: int) -> None:
        """The opcode at `offset` follows what filled the slots until now."""
        self._begun.append(len(self.kinds))
        self._offsets.append(offset)

    def read_again(self, slot: int) -> Argument:
        """The string or bytes pushed last before the slot was filled. Raises OverBudget."""
        if (value := self.kept.get(slot)) is not None:
            return value  # type: ignore[no-any-return]
        here = bisect_right(self._begun, slot) - 1
        while here > 0 and self._begun[here] == self._begun[here - 1]:
            here -= 1
        begun, offset = self._begun[here], self._offsets[here]
        block = self._source.read(offset, _AHEAD)
        self._left -= len(block)
        if self._left < 0:
            raise OverBudget("too_much", path=self._source.path, offset=offset, what="memo", most=MOST_READ_AGAIN)
        value = _pushed(block, offset, slot - begun)
        if value is None:
            raise OverBudget("too_long", path=self._source.path, offset=offset, what="memo", length=slot, most=_AHEAD)
        if len(self.kept) < 2 * MOST_KEPT:
            self.kept[slot] = value
        return value


def _pushed(block: bytes, base: int, number: int) -> Argument:
    """The string or bytes pushed last before the memo is filled `number` times more."""
    at, last = 0, None
    while at < len(block):
        name, read = OPCODES[block[at]]
        if name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            if number == 0:
                return last
            number -= 1
        argument = None
        try:
            argument, at = read(block, at + 1, base) if read is not None else (None, at + 1)
        except More:
            return None
        if isinstance(argument, str | Blob):
            last = argument
    return None
