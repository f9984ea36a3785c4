"""Files of one content under several inodes: by size, then a sample of the bytes, then what their names claim."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

LEAST = 1 << 20  # bytes of a file that is worth the search
ENDS = 1 << 20  # bytes of a sample from either end, where headers are
BETWEEN, PIECE = 8, 1 << 16  # pieces between the ends, and the bytes of each


class One(NamedTuple):
    """A file that may have a double. `clone` names those that share their bytes already."""

    path: str
    inode: str
    nbytes: int
    claim: str | None = None
    clone: str | None = None


Sample = Callable[[One], str | None]


def doubles(files: Iterable[One], sample: Sample, *, least: int = LEAST) -> Iterator[tuple[One, ...]]:
    """Groups of two or more, the first file of each inode alone. `sample` reads, and is asked only where sizes agree.

    A sample that agrees is a strong hint and no proof: whoever touches a file reads it whole before.
    """
    by_size: dict[int, dict[str, One]] = {}
    for one in files:
        if one.nbytes >= least:
            by_size.setdefault(one.nbytes, {}).setdefault(one.clone or one.inode, one)
    for group in by_size.values():
        if len(group) > 1:
            yield from _same(tuple(group.values()), sample)


def sample_of(path: str) -> str:
    """A hash over the size, both ends and pieces between them. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.blake2b(b"%d" % size, digest_size=20)
        for start, length in _stretches(size):
            file.seek(start)
            digest.update(file.read(length))
    return digest.hexdigest()


def _stretches(size: int) -> Iterator[tuple[int, int]]:
    yield 0, ENDS
    if size > 2 * ENDS:
        step = (size - 2 * ENDS) // (BETWEEN + 1)
        yield from ((ENDS + step * number, min(PIECE, step)) for number in range(1, BETWEEN + 1))
    yield max(size - ENDS, 0), ENDS


def _same(group: Sequence[One], sample: Sample) -> Iterator[tuple[One, ...]]:
    """Of files of one size: those whose samples agree, and whose names do not claim different hashes."""
    claims = {one.claim for one in group}
    if None not in claims and len(claims) == len(group):
        return
    alike: dict[str, list[One]] = {}
    for one in group:
        if (seen := sample(one)) is not None:
            alike.setdefault(seen, []).append(one)
    for same in alike.values():
        yield from (found for found in _by_claim(same) if len(found) > 1)


def _by_claim(same: Sequence[One]) -> Iterator[tuple[One, ...]]:
    claims: Mapping[str, list[One]] = {one.claim: [] for one in same if one.claim is not None}
    if len(claims) < 2:
        yield tuple(same)
        return
    for one in same:  # a file without a claim may be either of them: it is left out
        if one.claim is not None:
            claims[one.claim].append(one)
    yield from map(tuple, claims.values())
