"""A link checked out as text, and a list of words, are told from what they resemble."""

from __future__ import annotations

import pytest

from weigh.formats import detect
from weigh.sources.memory import MemorySource


@pytest.mark.parametrize("text", ["../x", "../../java/", "./a/b.bin", "tools/agents", "create/code/Main_test"])
def test_a_path_alone_is_a_link(text: str) -> None:
    source = MemorySource(text.encode(), path="model.dat")
    header = detect(source).read(source)
    assert (header.format, header.metadata["target"]) == ("link-text", text)


@pytest.mark.parametrize(
    "text", ["linux", "1/2", "2024/01/02", "../x\n", "http://host/x", "two words/x", "/data/train", "a" * 1025 + "/b"]
)
def test_other_short_texts_are_none(text: str) -> None:
    assert detect(MemorySource(text.encode(), path="model.dat")).name != "link-text"


def test_a_list_of_words_that_begins_like_an_import_is_no_pickle() -> None:
    words = b"coremltools\nnumpy\ntorch\ntqdm>=4.1\ntransformers\n"
    assert detect(MemorySource(words, path="model.dat")).name == "text"


def test_what_calls_something_is_a_pickle_even_among_words() -> None:
    called = b"cos\nsystem\n(S'ls'\ntR.\nwords\nand\nwords\n"
    assert detect(MemorySource(called, path="model.dat")).name == "pickle"
