"""References read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weigh.core.errors import BadReference
from weigh.core.reference import Reference
from weigh.names.reference import canonicalise, parse, text_of_name

PIECE = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)
HUB = st.builds(
    Reference,
    text=st.just(""),
    hub=st.sampled_from(["hf", "ms", "ollama"]),
    namespace=st.none() | PIECE,
    name=PIECE,
    revision=st.none() | PIECE,
    file=st.none() | PIECE,
)


@given(HUB)
def test_a_reference_reads_back_as_itself(reference: Reference) -> None:
    canonical = canonicalise(reference)
    assert parse(str(canonical), exists=lambda _: False) == canonical


@pytest.mark.parametrize("text", ["", "  ", "hf:", "hf:a b", "ms:/x", "hf:org/"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(BadReference):
        parse(text, exists=lambda _: False)


def test_a_bare_name_with_a_slash_is_a_name() -> None:
    assert parse("Qwen/Qwen3-8B", exists=lambda _: False).hub == "name"


def test_a_file_in_a_cache_is_called_after_its_repository() -> None:
    path = "/c/models--Qwen--Qwen3-8B/snapshots/0123abcd/model-00001-of-00005.safetensors"
    assert text_of_name(Reference(text=path, hub="path", name=path)) == "Qwen/Qwen3-8B"
    assert text_of_name(Reference(text="m", hub="path", name="Qwen3-8B/pytorch_model.bin")) == "Qwen3-8B"
