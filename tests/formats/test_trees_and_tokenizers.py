"""Tables of trees, Flax' tables of arrays and vocabularies: told from what looks like them, and never believed blindly."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import pytest

from tests.formats.reading import header_of
from weigh.core.errors import FormatError
from weigh.formats import detect
from weigh.sources.memory import MemorySource

SAMPLES = Path(__file__).parents[1] / "samples"


def name_of(data: bytes) -> str:
    return detect(MemorySource(data, path="model.dat")).name


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


OTHERS = {
    "json with a learner that is a word": ('{"learner": "Ada", "attributes": 1}', "json"),
    "json of a course": ('{"learner": {"name": "Ada"}, "course": 3}', "json"),
    "text about trees": ("tree\nversion of the story\n", "text"),
    "the letters alone": ("binf and words", "text"),
    "a configuration": ('{"version": "1.0", "model": {"type": "x"}}', "json"),
    "words and numbers": ("apple 0\npear 2\nplum 1\n", "text"),
    "words in base64 whose ranks jump": ("YQ== 0\nYg== 7\nYw== 3\n", "text"),
}


@pytest.mark.parametrize("title", list(OTHERS))
def test_what_only_looks_like_it_is_not_claimed(title: str) -> None:
    text, name = OTHERS[title]
    assert name_of(text.encode()) == name


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\xa1a\xa1b",
        b"\x82\xa1a\x01\xa1b\x02",
        b"\xde\x00\x01\xa1a\xc4\x02ab",
        b"\x81\xa1a\xc7\x03\x01\x90\x90\x90",
    ],
    ids=["strings", "numbers", "bytes", "an extension that is no array"],
)
def test_messagepack_without_an_array_is_not_flax(data: bytes) -> None:
    assert name_of(data) != "flax-msgpack"


def array(shape: bytes, dtype: bytes, data: bytes) -> bytes:
    body = b"\x93" + shape + bytes([0xA0 + len(dtype)]) + dtype + b"\xc4" + bytes([len(data)]) + data
    return b"\xc7" + bytes([len(body)]) + b"\x01" + body


def test_a_later_array_that_does_not_fit_its_bytes_is_refused() -> None:
    sound, short = array(b"\x91\x02", b"int8", b"ab"), array(b"\x91\x05", b"int8", b"ab")
    assert name_of(b"\x81\xa1a" + sound) == "flax-msgpack"
    with pytest.raises(FormatError):
        header_of(b"\x82\xa1a" + sound + b"\xa1b" + short)


def test_what_follows_the_table_is_told() -> None:
    data = b"\x81\xa1a" + array(b"\x91\x02", b"int8", b"ab") + b"behind"
    assert [problem.kind for problem in header_of(data).problems] == ["trailing"]


def test_tables_in_tables_without_end_are_refused() -> None:
    data = b"\x82\xa1a" + array(b"\x91\x02", b"int8", b"ab") + b"\xa1b" + b"\x81\xa1a" * 100_000
    with pytest.raises(FormatError):
        header_of(data)


def test_a_pickle_in_bytes_of_a_table_is_followed() -> None:
    import pickle

    class Harmless:
        def __reduce__(self) -> tuple[object, ...]:
            return print, ("called",)

    held = pickle.dumps(Harmless())
    data = b"\x82\xa1a" + array(b"\x91\x02", b"int8", b"ab") + b"\xa1b\xc4" + bytes([len(held)]) + held
    source = MemorySource(data, path="model.dat")
    format = detect(source)
    seen = list(format.examine(source, format.read(source)))
    assert ("embedded", "pickle", "b") in [(one.kind, one.value, one.where) for one in seen]
    assert "builtins print" in [one.value for one in seen if one.kind == "import"]


@pytest.mark.parametrize(
    "body",
    [
        b"[#L" + struct.pack(">q", 1 << 60),
        b"[$l#L" + struct.pack(">q", 1 << 60),
        b"SL" + struct.pack(">q", -1),
        b"[" * 100_000,
    ],
    ids=["elements of an exabyte", "numbers of an exabyte", "a negative length", "lists in lists"],
)
def test_ubjson_made_to_harm_is_refused(body: bytes) -> None:
    with pytest.raises(FormatError):
        header_of(b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0\0\0\0\x01a" + body)


@pytest.mark.parametrize("letters", [b"binf", b"", b"bs64\t"], ids=["binf", "none", "base64"])
def test_the_layout_before_json_is_known_with_and_without_its_letters(letters: bytes) -> None:
    body = sample("xgboost/before-json.model")[4:]
    data = letters + (base64.b64encode(b"binf" + body) if letters == b"bs64\t" else body)
    header = header_of(data)
    assert header.format == "xgboost"
    assert (header.metadata["num_trees"], header.metadata["objective"]) == (5, "binary:logistic")


def test_a_dump_of_trees_as_text_is_counted() -> None:
    text = "booster[0]:\n0:[f2<2.5] yes=1,no=2,missing=1\n\t1:leaf=0.4\n\t2:leaf=-0.2\nbooster[1]:\n0:leaf=0.1\n"
    header = header_of(text.encode())
    assert (header.format, header.metadata) == ("xgboost", {"layout": "dump", "num_trees": 2})


def test_a_flatbuffer_whose_tables_lead_outside_is_refused() -> None:
    with pytest.raises(FormatError):
        header_of(b"CBM1" + struct.pack("<II", 40, 0xFFFFFFF0) + bytes(40))


def test_a_vocabulary_broken_off_in_the_middle_is_refused() -> None:
    with pytest.raises(FormatError):
        header_of(sample("tokenizer-json/bpe.json")[:-20])
    lines = sample("tiktoken/letters.tiktoken")
    with pytest.raises(FormatError):
        header_of(lines + b"no rank here\n")


def test_the_old_layout_is_read_without_its_letters() -> None:
    data = sample("xgboost/before-json.model")
    assert header_of(data[4:]).metadata == header_of(data).metadata
    with pytest.raises(FormatError):
        header_of(data[4:180])


def test_an_empty_token_is_a_token() -> None:
    lines = sample("tiktoken/letters.tiktoken")
    rank = header_of(lines).metadata["max_rank"]
    assert isinstance(rank, int)
    assert header_of(lines + f"= {rank + 1}\n".encode()).metadata["max_rank"] == rank + 1


def test_a_tokenizer_holds_no_weights() -> None:
    for name in ("tokenizer-json/bpe.json", "tiktoken/letters.tiktoken"):
        assert not detect(MemorySource(sample(name), path="model.dat")).is_model


def test_a_learner_of_another_form_is_refused() -> None:
    with pytest.raises(FormatError):
        header_of(json.dumps({"learner": {"gradient_booster": 3, "learner_model_param": {}}}).encode())
