"""Groups of plain values in a pickle, from a MARK to what closes it, told in one compiled pass.

No opcode in them imports or calls. A loader fills the container below the group, or puts one value there, or fails
(whether each value within finds its place is not looked at): what lies on the stack below stays as it is. What they
memorise, and what they take from the memo, is listed.
"""

from __future__ import annotations

import functools
import re
import sys
from array import array
from itertools import repeat

from weigh.core.value import Value

LONGEST = 64  # strings from this many bytes on end a group: single steps are quick enough for them
DEPTH = 7  # of groups in groups
LEAST = 48  # bytes below which single steps cost less

_GROUPS = (b"]", b"}", b"\x8f", b"\x85", b"\x86", b"\x87", b"t", b"l", b"d", b"\x91", b"e", b"u", b"a", b"s", b"\x90")
_LETTERS = b"ccctttTcccccccc"  # of what each of these makes or fills
_KINDS = {b"": b"", b"\x94": b"S"} | {made: _LETTERS[at : at + 1] for at, made in enumerate(_GROUPS)}


class Group(Value, frozen=True, kw_only=True):
    """What closes it; a letter for each value memorised; `different` ways of taking from the memo,
    with `taken`, in which each of them stands as often as it is done.

    `is_shared` once something taken is known to hold others.
    """

    closes: int
    kinds: bytes
    taken: list[bytes]
    different: frozenset[bytes]
    is_shared: bool = False


def group_at(block: bytes, at: int, slots: int, *, puts: bool) -> tuple[Group, int] | None:
    """The group whose MARK stands at `at`, and where it ends; `slots` of the memo are filled before it.

    `puts` tells the numbered PUT of old protocols, which must count on from `slots`, from MEMOIZE. None where there is
    no such group within the block, or one too small to be worth it.
    """
    whole, memo = _patterns(puts)
    match = whole.match(block, at)
    if match is None or match.end() - at < LEAST:
        return None
    end = match.end()
    found = _numbered(memo, block, at, end, slots) if puts else memo.findall(block, at + 1, end)
    if found is None:
        return None
    known = set(found)
    different = frozenset(one for one in known if len(one) > 1)
    if not known - different <= _KINDS.keys():  # memorised is something else than the value just made
        return None
    kinds = b"".join(map(_KINDS.get, found, repeat(b"")))
    return Group(closes=block[end - 1], kinds=kinds, taken=found if different else [], different=different), end


def slot_of(taken: bytes) -> int:
    """The memo's slot that a BINGET or LONG_BINGET names."""
    return int.from_bytes(taken[1:], "little")


def _numbered(memo: re.Pattern[bytes], block: bytes, at: int, end: int, slots: int) -> list[bytes] | None:
    """As MEMOIZE would have it; None where a PUT does not count on."""
    pairs: list[tuple[bytes, bytes]] = memo.findall(block, at + 1, end)
    numbers = b"".join([number for _, number in pairs])
    if numbers != _counted(slots, len(numbers) // 4):
        return None
    # A value memorised without a kind is a string; a kind without a number nothing that we know.
    return [one or b"\x94" if number or len(one) > 1 else b"?" for one, number in pairs if one or number]


def _counted(first: int, count: int) -> bytes:
    numbers = array("I" if array("I").itemsize == 4 else "L", range(first, first + count))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


@functools.cache
def _patterns(puts: bool) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A whole group; and each value memorised or taken in it, past all that is neither."""
    short = b"|".join(rb"\x%02x.{%d}" % (length, length) for length in range(LONGEST))
    strings = rb"[\x8cCU](?:%b)|[XB](?:%b)" % (short, short.replace(b".{", rb"\x00\x00\x00.{"))
    put, gets, makes = rb"r.{4}" if puts else rb"\x94", rb"h.|j.{4}", rb"".join(map(re.escape, _GROUPS))
    atoms = rb"K.|[N\x88\x89)]|M..|J.{4}|G.{8}|\x95.{8}|\x8a(?:%b)" % short
    closes = rb"[eutld\x90\x91]"
    plain = rb"%b|[\]}\x8f\x85\x86\x87as]|%b|%b|%b" % (atoms, put, gets, strings)
    group = rb"\((?:%b)*+%b" % (plain, closes)
    for _ in range(DEPTH - 1):
        group = rb"\((?:%b|%b)*+%b" % (plain, group, closes)
    led = put[:1] if puts else put
    passed = rb"(?:(?:%b|\()(?!%b)|[%b](?!%b)|%b)*+" % (atoms, led, makes, led, strings)
    alone = rb"(?:h.|j.{4})(?!%b)" % led
    if puts:
        memo = rb"%b(%b|[%b](?=r)|(?=r)|\Z|[^r])(?:r(.{4})(?!r))?+" % (passed, alone, makes)
    else:
        memo = rb"%b(%b|[%b](?=\x94(?!\x94))|\x94(?!\x94)|\Z|.)\x94?+" % (passed, alone, makes)
    return re.compile(group, re.DOTALL), re.compile(memo, re.DOTALL)
