"""TAR walked by hand: what tarfile writes is what is found; headers made to harm are refused."""

from __future__ import annotations

import io
import tarfile

import pytest

from weigh.codecs.tar import Entry, is_tar, walk
from weigh.core.errors import FormatError, Malformed, OverBudget, Truncated
from weigh.sources.memory import MemorySource


def source(data: bytes) -> MemorySource:
    return MemorySource(data, path="file.tar")


def written(*infos: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return out.getvalue()


def info(name: str, *, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.type, made.linkname = size, kind, link
    return made


def checked(block: bytes) -> bytes:
    """The header with its checksum made right."""
    plain = block[:148] + b" " * 8 + block[156:]
    return plain[:148] + b"%06o\0 " % sum(plain) + plain[156:]


HEADER = written(info("a.txt", size=10), form=tarfile.USTAR_FORMAT)


def found(data: bytes) -> list[Entry]:
    return list(walk(source(data)))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["a.txt", "folder/" * 14 + "b.txt", "f" * 99])
def test_names_of_every_form_are_found(form: int, name: str) -> None:
    assert [(one.name, one.nbytes, one.kind) for one in found(written(info(name, size=700), form=form))] == [
        (name, 700, "file")
    ]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_links_are_found(form: int) -> None:
    data = written(info("n" * 300, kind=tarfile.SYMTYPE, link="l" * 300), info("b", size=3), form=form)
    assert [(one.name, one.kind, one.link) for one in found(data)] == [
        ("n" * 300, "symlink", "l" * 300),
        ("b", "file", None),
    ]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.DIRTYPE, "folder"),
        (tarfile.LNKTYPE, "hardlink"),
        (tarfile.SYMTYPE, "symlink"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.FIFOTYPE, "device"),
    ],
)
def test_what_is_no_file_is_told(kind: bytes, said: str) -> None:
    assert [one.kind for one in found(written(info("x", kind=kind)))] == [said]


def test_sizes_beyond_octal_are_read() -> None:
    block = bytearray(HEADER[:512])
    block[124:136] = b"\x80" + (1 << 40).to_bytes(11, "big")
    with pytest.raises(Truncated):
        found(checked(bytes(block)) + bytes(1024))


def test_old_headers_without_a_magic_are_known() -> None:
    block = bytearray(HEADER[:512])
    block[257:500] = bytes(243)
    assert is_tar(source(checked(bytes(block)) + HEADER[512:]))


@pytest.mark.parametrize("data", [b"", bytes(512), bytes(2000), b"x" * 512, HEADER[:511], b"\xff" * 4096])
def test_what_is_no_tar_is_not_taken_for_one(data: bytes) -> None:
    assert not is_tar(source(data))


def test_the_entries_before_a_damaged_header_are_given() -> None:
    data = HEADER[:1024] + b"damaged" + bytes(505)
    walked = walk(source(data))
    assert next(walked).name == "a.txt"
    with pytest.raises(Malformed):
        next(walked)


def extended(kind: bytes, *, size: int) -> bytes:
    block = bytearray(HEADER[:512])
    block[156:157], block[124:136] = kind, b"%011o\0" % size
    return checked(bytes(block))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (extended(b"x", size=0) * 20, Malformed),
        (extended(b"L", size=1 << 30) + bytes(512), OverBudget),
        (extended(b"x", size=1000) + b"9", Truncated),
        (extended(b"S", size=0)[:482] + b"\1" + bytes(29), FormatError),
    ],
)
def test_extended_headers_made_to_harm_are_refused(data: bytes, error: type[FormatError]) -> None:
    with pytest.raises(error):
        found(data)


@pytest.mark.parametrize("record", [b"", b"0 path=x\n", b"999999999 path=x\n", b"-5 path=x\n", b"xx", b"12 path=x"])
def test_pax_records_that_do_not_hold_are_passed_over(record: bytes) -> None:
    data = extended(b"x", size=len(record)) + record + bytes(-len(record) % 512) + HEADER
    assert [one.nbytes for one in found(data)] == [10]
