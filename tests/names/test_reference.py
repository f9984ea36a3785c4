"""References: hubs, revisions and files told apart, and what is none refused."""

from __future__ import annotations

import pytest

from weigh.core.errors import BadReference
from weigh.names.reference import may_be_far, parse, text_of_name

GOOD = """
hf:Qwen/Qwen3-8B                                 hf      Qwen          Qwen3-8B   -           -
hf:gpt2                                          hf      -             gpt2       -           -
hf:org/name@refs/pr/1                            hf      org           name       refs/pr/1   -
hf:org/name@v1.0:sub/model-Q4_K_M.gguf           hf      org           name       v1.0        sub/model-Q4_K_M.gguf
hf:org/name:model.gguf                           hf      org           name       -           model.gguf
ms:Qwen/Qwen3-8B@master                          ms      Qwen          Qwen3-8B   master      -
ollama:qwen3:8b                                  ollama  -             qwen3      -           8b
ollama:host/ns/model:tag                         ollama  host/ns       model      -           tag
https://host/a.gguf?x=1                          https   -             host/a.gguf?x=1   -    -
Qwen/Qwen3-8B                                    name    -             Qwen/Qwen3-8B     -    -
huggingface.co/Qwen/Qwen3-8B                     name    -             huggingface.co/Qwen/Qwen3-8B   -   -
HF:org/name                                      name    -             HF:org/name       -    -
"""
BAD = ["hf:a/b/c", "ms:a/b/c", "hf:../name", "hf:org/..", "hf:./x", "hf:org\\name", "hf:org/na\x00me", "hf:/org/name", "hf:org/name /x", "hf:@main", "hf::file", "ollama:a/b/c/d"]  # fmt: skip
NAMES = """
hf:org/name:model.safetensors                          name
hf:org/name:sub/Qwen3-8B-Q4_K_M.gguf                   Qwen3-8B-Q4_K_M.gguf
hf:org/Qwen3-8B                                        Qwen3-8B
ollama:qwen3:8b                                        qwen3
https://host/dir/Qwen3-8B-Q4_K_M.gguf?download=true    Qwen3-8B-Q4_K_M.gguf
"""


@pytest.mark.parametrize("line", GOOD.strip().splitlines())
def test_a_reference_comes_apart(line: str) -> None:
    text, *expected = line.split()
    found = parse(text, exists=lambda _: False)
    parts = (found.hub, found.namespace, found.name, found.revision, found.file)
    assert [part or "-" for part in parts] == expected
    assert str(found) == text


@pytest.mark.parametrize("text", BAD)
def test_what_a_hub_could_not_have_is_refused(text: str) -> None:
    with pytest.raises(BadReference):
        parse(text, exists=lambda _: False)


@pytest.mark.parametrize("line", NAMES.strip().splitlines())
def test_the_name_of_a_model_is_in_its_reference(line: str) -> None:
    text, name = line.split()
    assert text_of_name(parse(text, exists=lambda _: False)) == name


@pytest.mark.parametrize(
    ("text", "far"), [("hf:a/b", True), ("https://h/x", True), ("org/name", False), ("ollama:x", False)]
)
def test_only_a_prefix_may_lead_to_the_network(text: str, far: bool) -> None:
    assert may_be_far(text) is far
