"""The lists in docs/ are what the code says now."""

from __future__ import annotations

from tools.make_docs import DOCS, pages
from weigh.knowledge.catalog import errata, families
from weigh.text import LANGUAGES


def test_the_docs_are_in_step_with_the_code() -> None:
    assert [str(path) for path, text in pages() if path.read_text("utf-8") != text] == []


def test_the_guide_is_bounded_and_every_family_and_erratum_is_in_it() -> None:
    for language in LANGUAGES:
        text = (DOCS / language / "guide.md").read_text("utf-8")
        assert len(text.splitlines()) < 2000
        names = [row.names.zh if language == "zh" else row.names.en for row in families().values()]
        assert [name for name in names if name not in text] == []
        assert [id for id in errata() if f"`{id}`" not in text] == []
