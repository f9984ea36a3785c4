"""The directory of a zip, against zipfile and against those who bend it."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib

import pytest

from weigh.codecs.zip import MOST_INFLATED, data_offset, is_named_alike, is_zip, open_member, read_directory
from weigh.core.errors import FormatError, Malformed, OverBudget, Truncated
from weigh.sources.memory import MemorySource

CONTENTS = {"top/data.pkl": b"N.", "top/空 格": b"x" * 5000, "top/empty": b"", "top/long": b"abc" * 100_000}


def written(method: int = zipfile.ZIP_STORED, *, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in CONTENTS.items():
            archive.writestr(name, content)
        archive.comment = comment
    return out.getvalue()


def source_of(data: bytes) -> MemorySource:
    return MemorySource(data, path="a.zip")


def contents_of(data: bytes) -> dict[str, bytes]:
    source = source_of(data)
    found = {}
    for member in read_directory(source).members:
        content = open_member(source, member)
        found[member.name] = content.read(0, content.size)
    return found


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("comment", [b"", b"c" * 65535], ids=["none", "longest"])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"], ids=["at-the-start", "behind-a-script"])
def test_members_are_those_that_zipfile_sees(method: int, comment: bytes, before: bytes) -> None:
    data = before + written(method, comment=comment)
    assert contents_of(data) == CONTENTS
    assert read_directory(source_of(data)).before == len(before)
    with zipfile.ZipFile(io.BytesIO(data)) as theirs:
        ours = read_directory(source_of(data)).members
        assert [(one.name, one.crc, one.packed, one.nbytes, one.offset) for one in ours] == [
            (one.filename, one.CRC, one.compress_size, one.file_size, one.header_offset) for one in theirs.infolist()
        ]


def test_an_end_record_that_is_not_whole_is_only_part_of_the_comment() -> None:
    assert contents_of(written(comment=b"PK\x05\x06 and no more")) == CONTENTS


def test_a_stored_member_is_a_window_into_the_file() -> None:
    data = written()
    source = source_of(data)
    for member in read_directory(source).members:
        start = data_offset(source, member)
        assert data[start : start + member.nbytes] == CONTENTS[member.name]
        assert is_named_alike(source, member)
    member = read_directory(source).members[1]
    assert open_member(source, member).path == "a.zip!/top/空 格"
    assert open_member(source, member).read(4990, 100) == b"x" * 10


def test_zip64_is_read_where_a_member_asks_for_it() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(b"abc")
    assert contents_of(out.getvalue()) == {"big": b"abc"}


def test_zip64_is_read_where_there_are_many_members() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(66_000):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")
    for before in (b"", b"before it"):
        directory = read_directory(source_of(before + out.getvalue()))
        assert (len(directory.members), directory.before) == (66_000, len(before))
        assert directory.members[65_999].name == "65999"


def test_two_members_of_a_name_are_both_listed() -> None:
    out = io.BytesIO()
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")
    source = source_of(out.getvalue())
    assert [open_member(source, one).read(0, 9) for one in read_directory(source).members] == [b"1", b"2"]


def test_bytes_behind_the_archive_are_counted() -> None:
    assert read_directory(source_of(written() + b"behind")).after == 6
    assert read_directory(source_of(written(comment=b"mine"))).after == 0


def test_a_member_that_its_local_header_calls_otherwise_is_noticed() -> None:
    data = written().replace(b"top/data.pkl", b"top/data.pkx", 1)
    source = source_of(data)
    assert [is_named_alike(source, member) for member in read_directory(source).members] == [False, True, True, True]


def test_encryption_is_noticed() -> None:
    data = bytearray(written())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    assert [member.is_encrypted for member in read_directory(source_of(bytes(data))).members][:2] == [True, False]


def bomb(declared: int) -> bytes:
    """A member of 200 MiB packed, that says it has `declared` bytes."""
    packer = zlib.compressobj(9, wbits=-15)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("bomb", packed)
    data = bytearray(out.getvalue())
    at = data.index(b"PK\x01\x02")
    data[at + 10 : at + 12] = struct.pack("<H", 8)
    data[at + 24 : at + 28] = struct.pack("<I", declared)
    return bytes(data)


@pytest.mark.parametrize(("declared", "error"), [(200 << 20, OverBudget), (10, Malformed)], ids=["honest", "lying"])
def test_a_bomb_is_not_inflated_beyond_the_budget(declared: int, error: type[FormatError]) -> None:
    assert MOST_INFLATED < 200 << 20
    source = source_of(bomb(declared))
    with pytest.raises(error):
        open_member(source, read_directory(source).members[0])


@pytest.mark.parametrize("method", [1, 9, 12, 93])
def test_another_method_is_refused_by_its_number(method: int) -> None:
    data = bytearray(written())
    at = data.index(b"PK\x01\x02")
    data[at + 10 : at + 12] = struct.pack("<H", method)
    source = source_of(bytes(data))
    with pytest.raises(Malformed, match=r"zip\.method"):
        open_member(source, read_directory(source).members[0])


def test_a_member_beyond_the_end_is_truncated() -> None:
    data = bytearray(written())
    at = data.index(b"PK\x01\x02")
    data[at + 20 : at + 24] = data[at + 24 : at + 28] = struct.pack("<I", 1 << 30)
    source = source_of(bytes(data))
    with pytest.raises(Truncated):
        open_member(source, read_directory(source).members[0])


def test_every_truncation_and_mutation_is_answered() -> None:
    whole = written(zipfile.ZIP_DEFLATED)
    chance = random.Random(7)
    for length in range(len(whole)):
        answered(whole[:length])
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            data[at : at + chance.choice((1, 4))] = bytes(chance.choices(range(256), k=chance.choice((1, 4))))
        answered(bytes(data))


def answered(data: bytes) -> None:
    source = source_of(data)
    try:
        if is_zip(source):
            for member in read_directory(source).members:
                is_named_alike(source, member)
                content = open_member(source, member)
                content.read(0, content.size)
    except FormatError:
        return
