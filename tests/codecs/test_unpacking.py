"""Decompression in steps: whole where it fits, cut where it does not, and what came out before a fault is kept."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import struct
import zlib

import pytest

from weigh.codecs import lz4
from weigh.codecs.compressed import Kind, describe, inner_name, kind_of, opened
from weigh.codecs.unpacking import Decoder, bunzipper, inflater, unlzmaer, unpack, unxzer
from weigh.core.errors import Malformed, OverBudget, Truncated
from weigh.sources.memory import CutSource, MemorySource

DATA = random.Random(2).randbytes(50_000) + b"again and again " * 20_000
PACKED = {
    "gzip": gzip.compress(DATA),
    "bzip2": bz2.compress(DATA),
    "xz": lzma.compress(DATA),
    "lzma": lzma.compress(DATA, format=lzma.FORMAT_ALONE),
    "zlib": zlib.compress(DATA),
}
DECODERS = {
    "gzip": lambda: inflater(31),
    "bzip2": bunzipper,
    "xz": unxzer,
    "lzma": unlzmaer,
    "zlib": lambda: inflater(15),
}


def source(data: bytes, path: str = "file") -> MemorySource:
    return MemorySource(data, path=path)


@pytest.mark.parametrize("kind", list(PACKED))
def test_a_stream_is_unpacked_whole_or_cut_at_the_bound(kind: str) -> None:
    data, fresh = PACKED[kind], DECODERS[kind]
    whole = unpack(source(data), 0, len(data), fresh)
    assert (whole.data, whole.whole, whole.end, whole.error) == (DATA, True, len(data), None)
    exact = unpack(source(data), 0, len(data), fresh, most=len(DATA))
    assert (exact.data, exact.whole) == (DATA, True)
    cut = unpack(source(data), 0, len(data), fresh, most=70_000)
    assert (cut.data, cut.whole, cut.error) == (DATA[:70_000], False, None)
    assert isinstance(cut.source("x"), CutSource)


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_streams_behind_one_another_are_one_file(kind: str) -> None:
    data = PACKED[kind] * 3
    assert unpack(source(data), 0, len(data), DECODERS[kind]).data == DATA * 3


@pytest.mark.parametrize("kind", list(PACKED))
def test_what_came_out_before_a_stream_breaks_off_is_kept(kind: str) -> None:
    data = PACKED[kind][:-100]
    done = unpack(source(data), 0, len(data), DECODERS[kind])
    assert isinstance(done.error, Truncated)
    assert DATA.startswith(done.data) and not done.whole


def test_a_damaged_stream_is_told_with_what_came_before() -> None:
    data = bytearray(PACKED["xz"])
    data[-40] ^= 0xFF
    done = unpack(source(bytes(data)), 0, len(data), DECODERS["xz"])
    assert isinstance(done.error, Malformed)
    assert DATA.startswith(done.data[:50_000]) and len(done.data) > 50_000


@pytest.mark.parametrize(("kind", "at"), [("gzip", -5), ("zlib", -1)])
def test_a_wrong_checksum_hides_nothing(kind: Kind, at: int) -> None:
    data = bytearray(gzip.compress(b"short") if kind == "gzip" else zlib.compress(b"short"))
    data[at] ^= 0xFF
    done = opened(source(bytes(data)), kind)
    assert isinstance(done.error, Malformed)
    assert done.data == b"short"


def test_bytes_behind_the_last_stream_are_left() -> None:
    data = PACKED["gzip"] + b"something else"
    done = unpack(source(data), 0, len(data), DECODERS["gzip"])
    assert (done.data, done.end) == (DATA, len(PACKED["gzip"]))


def test_packed_bytes_that_yield_nothing_are_bounded() -> None:
    stored = b"\0\0\0\xff\xff"  # an empty block of deflate
    data = stored * 600_000
    done = unpack(source(data), 0, len(data), lambda: inflater(-15), most=1000)
    assert isinstance(done.error, OverBudget)


def test_a_decoder_that_wants_much_memory_is_refused() -> None:
    data = bytearray(lzma.compress(b"x" * 100, format=lzma.FORMAT_ALONE))
    data[1:5] = struct.pack("<I", 1 << 31)
    done = unpack(source(bytes(data)), 0, len(data), unlzmaer)
    assert isinstance(done.error, OverBudget)


@pytest.mark.parametrize("kind", list(PACKED))
def test_each_kind_is_told_by_its_first_bytes(kind: str) -> None:
    assert kind_of(source(PACKED[kind])) == kind


@pytest.mark.parametrize(
    "data",
    [b"", b"BZhello world", b"x^2 + y^2 = 1, says the text", b"x\x9c" + bytes(100), b"]\0\0\x80\0" + b"\xff" * 40, b"\x1f\x8b"],
)  # fmt: skip
def test_what_only_begins_like_one_is_none(data: bytes) -> None:
    assert kind_of(source(data)) is None


@pytest.mark.parametrize(
    ("path", "stated", "name"),
    [
        ("a/model.pkl.gz", None, "model.pkl"),
        ("model.tgz", None, "model.tar"),
        ("model.dat", None, "content"),
        ("model.dat", "inner.bin", "inner.bin"),
        (".gz", None, "content"),
    ],
)
def test_what_is_inside_has_a_name(path: str, stated: str | None, name: str) -> None:
    assert inner_name(source(b"", path), stated) == name


def test_a_gzip_says_its_name_and_size() -> None:
    import io

    out = io.BytesIO()
    with gzip.GzipFile("model.pt", "wb", fileobj=out) as file:
        file.write(DATA)
    assert describe(source(out.getvalue()), "gzip") == {"name": "model.pt", "nbytes": len(DATA)}


def frame(*blocks: bytes, flags: int = 0x60) -> bytes:
    body = b"".join(struct.pack("<I", len(block)) + block for block in blocks)
    return lz4.MAGIC + bytes([flags, 0x40, 0]) + body + bytes(4)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (frame(b"\x1fa\x05\x00"), Malformed),  # a match before the beginning
        (frame(b"\x1fa\x00\x00"), Malformed),  # a match at no distance
        (frame(b"\xf0" + b"\xff" * 50), Malformed),  # a length without end
        (frame(b"\x10"), None),  # literals that are not there
        (lz4.MAGIC + bytes([0x60, 0x40, 0]) + b"\xff\xff\xff\x7f", Malformed),  # a block beyond its bound
        (lz4.MAGIC + bytes([0x60, 0x40, 0]) + b"\x05\0\0\0", Truncated),
    ],
)
def test_lz4_blocks_made_to_harm_are_answered(data: bytes, error: type[Exception] | None) -> None:
    done = lz4.unpack(source(data), lz4.read_frame(source(data)))
    assert type(done.error) is error if error is not None else done.error is None


def test_an_lz4_match_that_overlaps_itself_repeats() -> None:
    data = frame(b"\x2fab\x02\x00\x05" + b"\x10c")
    done = lz4.unpack(source(data), lz4.read_frame(source(data)))
    assert done.data == b"ab" * 13 + b"c"


def test_an_lz4_bomb_is_cut() -> None:
    data = frame(*[b"\x1fa\x01\x00" + b"\xff" * 60_000 + b"\0"] * 3)
    done = lz4.unpack(source(data), lz4.read_frame(source(data)))
    assert (len(done.data), done.whole) == (lz4.MOST_UNPACKED, False)


def test_every_kind_is_opened() -> None:
    kinds: list[Kind] = ["gzip", "bzip2", "xz", "lzma", "zlib"]
    assert [opened(source(PACKED[kind]), kind).data == DATA for kind in kinds] == [True] * 5


def test_decoders_agree_on_what_they_need() -> None:
    made: list[Decoder] = [fresh() for fresh in DECODERS.values()]
    assert [(one.eof, one.needs_input, one.unused_data) for one in made] == [(False, True, b"")] * 5
