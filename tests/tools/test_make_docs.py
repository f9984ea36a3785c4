"""The lists in docs/ are what the code says now."""

from __future__ import annotations

from tools.make_docs import pages


def test_the_docs_are_in_step_with_the_code() -> None:
    assert [str(path) for path, text in pages() if path.read_text("utf-8") != text] == []
