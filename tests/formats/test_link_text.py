"""A link checked out as text is told from other short texts."""

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
