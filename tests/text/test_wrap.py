"""Lines are broken where their language allows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from weigh.text.wrap import wrap


def test_chinese_breaks_between_characters_and_keeps_latin_words_whole() -> None:
    assert wrap("用 llama-quantize 压缩；已量化的不要再量化。", 20).split("\n") == [
        "用 llama-quantize 压",
        "缩；已量化的不要再量",
        "化。",
    ]


def test_what_closes_a_clause_never_begins_a_line() -> None:
    lines = [
        line
        for width in range(8, 40)
        for line in wrap("权重、分词器，和设置。它是容器（不是量化）！", width).split("\n")
    ]
    assert [line for line in lines if line[0] in "，。；：、！？）"] == []


@given(st.text(alphabet="ab 中文，。-", max_size=80), st.integers(4, 60))
def test_nothing_but_spaces_is_lost(text: str, width: int) -> None:
    assert "".join(wrap(text, width).split()) == "".join(text.split())


@given(st.lists(st.sampled_from(["word", "量", "化", "，"]), max_size=60), st.integers(12, 60))
def test_no_line_is_much_too_wide(words: list[str], width: int) -> None:
    longest_run = max((cell_len(run) for run in " ".join(words).split()), default=0)
    assert all(cell_len(line) <= max(width, longest_run) for line in wrap(" ".join(words), width).split("\n"))
