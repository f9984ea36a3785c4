"""Names taken apart: cases as lines, and what holds for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weigh.core.errors import BadReference
from weigh.core.name import Name
from weigh.core.reference import Reference
from weigh.names.decode import decode
from weigh.names.reference import canonicalise, parse, text_of_name

CASES = """
Qwen3-30B-A3B-Instruct-2507-FP8          family=Qwen version=3 total=30 active=3 function=instruct date=2025-07 scheme=FP8
Qwen2.5-Coder-7B-Instruct-GPTQ-Int4      family=Qwen version=2.5 total=7 function=code,instruct method=GPTQ scheme=Int4 bits=4
DeepSeek-R1-Distill-Qwen-32B-Q4_K_M.gguf family=DeepSeek version=R1 total=32 scheme=Q4_K_M format=gguf training=distill
llama3.1:8b-instruct-q4_0                family=Llama version=3.1 total=8 function=instruct method=GGUF scheme=Q4_0
Wan2.2-TI2V-5B-Diffusers                 family=Wan version=2.2 total=5 function=ti2v format=diffusers kind=video-generation
通义千问2.5-72B                           family=Qwen version=2.5 total=72
gemma-3n-E4B-it                          family=Gemma version=3n effective=4 function=instruct
Mixtral-8x7B-Instruct-v0.1               family=Mixtral version=0.1 experts=8 function=instruct
Yi-34B-200K                              family=Yi total=34 context=200000
OLMoE-1B-7B-0924                         family=OLMoE total=7 active=1 date=2024-09
claude-3-5-sonnet-20241022               family=Claude version=3.5 date=2024-10-22
Meta-Llama-3.1-8B-Instruct-Q8_0.gguf     family=Llama version=3.1 total=8 scheme=Q8_0 format=gguf
model-00002-of-00030.safetensors         shard=2/30 format=safetensors kind=unknown
bge-large-zh-v1.5                        family=BGE version=1.5 language=zh kind=embedding
whisper-large-v3-turbo                   family=Whisper version=3 kind=speech
QwQ-32B-Preview                          family=QwQ total=32 function=reasoning
TinyLlama-1.1B-Chat-v1.0                 family=TinyLlama version=1.0 total=1.1 function=chat
"""


def said(name: Name) -> dict[str, object]:
    size, quant = name.size, name.quant
    return {
        "family": name.family,
        "version": name.version,
        "total": size.total_b if size else None,
        "active": size.active_b if size else None,
        "experts": size.experts if size else None,
        "effective": size.effective_b if size else None,
        "function": ",".join(name.function),
        "method": quant.method if quant else None,
        "scheme": quant.scheme if quant else None,
        "bits": quant.bits if quant else None,
        "format": name.format,
        "context": name.context_tokens,
        "date": name.date,
        "training": ",".join(name.training),
        "language": ",".join(name.language),
        "shard": f"{name.shard.index}/{name.shard.count}" if name.shard else None,
        "kind": name.kind,
    }


@pytest.mark.parametrize("line", CASES.strip().splitlines())
def test_a_name_says(line: str) -> None:
    text, *expected = line.split()
    found = said(decode(text))
    for pair in expected:
        field, _, value = pair.partition("=")
        assert str(found[field]) == value, field


@given(st.text())
def test_the_parts_cover_the_text(text: str) -> None:
    assert "".join(part.text for part in decode(text).parts) == text


@given(
    st.lists(
        st.sampled_from(["Qwen", "3", "30B", "-", "_", "Q4_K_M", ".gguf", "A3B", "/", ":", "128k", "00001-of-00002"])
    )
)
def test_the_parts_cover_what_looks_like_a_name(words: list[str]) -> None:
    text = "".join(words)
    assert "".join(part.text for part in decode(text).parts) == text


@pytest.mark.parametrize("text", ["", " ", "asdf", "🙂🙂", "a" * 10_000, "\x1b[m", "-" * 9000, "١٢٣", "סלם"])
def test_nonsense_is_unknown(text: str) -> None:
    name = decode(text)
    assert name.kind == "unknown"
    assert not name.confidence
    assert "".join(part.text for part in name.parts) == text


def test_the_lexicon_holds_no_answers() -> None:
    """No family's words carry a size, a quantisation or a date."""
    import re

    from weigh.knowledge.naming import naming_families

    answers = re.compile(r"\d+(?:\.\d+)?[bm]$|\d{4}|q\d_|int[48]|fp8", re.IGNORECASE)
    words = [word for row in naming_families() for word in (row.name, *row.aliases)]
    assert [word for word in words if answers.search(word)] == []


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
