"""Which files are doubles: by size, by samples, by what their names claim, each inode once."""

from __future__ import annotations

from pathlib import Path

import pytest

from weigh.store.doubles import LEAST, One, doubles, sample_of

# path inode MiB claim sample
CASES = """
a 1 9 - x | b 2 9 - x                         : a b
a 1 9 - x | b 1 9 - x                         :
a 1 9 - x | b 2 8 - x                         :
a 1 9 - x | b 2 9 - y                         :
a 1 9 h x | b 2 9 h x                         : a b
a 1 9 h x | b 2 9 i x                         :
a 1 9 h x | b 2 9 i x | c 3 9 h x             : a c
a 1 9 h x | b 2 9 i x | c 3 9 - x             :
a 1 9 h x | b 2 9 - x                         : a b
a 1 9 - x | b 2 9 - y | c 3 9 - x | d 4 9 - y : a c, b d
a 1 0 - x | b 2 0 - x                         :
a 1 9 - ! | b 2 9 - x                         :
"""


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_doubles_are_found(case: str) -> None:
    files, _, expected = case.partition(":")
    rows = [line.split() for line in files.split("|")]
    samples = {path: sample for path, *_, sample in rows}
    ones = [One(path, inode, int(mib) << 20, None if claim == "-" else claim) for path, inode, mib, claim, _ in rows]
    found = doubles(ones, lambda one: samples[one.path] if samples[one.path] != "!" else None)
    assert ", ".join(" ".join(one.path for one in group) for group in found) == expected.strip()


def test_nothing_is_read_where_no_sizes_agree() -> None:
    def fail(one: One) -> str:
        raise AssertionError(one)

    ones = [
        One("a", "1", LEAST),
        One("b", "2", LEAST + 1),
        One("c", "3", LEAST + 2, "h"),
        One("d", "4", LEAST + 2, "i"),
    ]
    assert list(doubles(ones, fail)) == []


def test_files_that_share_their_blocks_already_are_one() -> None:
    ones = [One("a", "1", LEAST, clone="same"), One("b", "2", LEAST, clone="same")]
    assert list(doubles(ones, lambda one: "x")) == []


@pytest.mark.parametrize("at", [0, 1 << 20, 5 << 20, (9 << 20) + 2])
def test_a_sample_sees_both_ends_and_not_all_between(at: int, tmp_path: Path) -> None:
    data = bytearray(bytes(range(256)) * (10 << 12))
    (tmp_path / "a").write_bytes(data)
    data[at] ^= 1
    (tmp_path / "b").write_bytes(data)
    agree = sample_of(str(tmp_path / "a")) == sample_of(str(tmp_path / "b"))
    assert agree == ((1 << 20) <= at < (9 << 20))
