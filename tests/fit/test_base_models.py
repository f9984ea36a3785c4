"""A name finds the published shape that it means, and each shape makes the published count."""

from __future__ import annotations

import pytest

from weigh.describe.architecture import from_config
from weigh.fit.bases import base_of
from weigh.fit.tensors import matrices
from weigh.knowledge.base_models import BaseModelRow, base_models
from weigh.names.decode import decode

ROWS = base_models()


def test_there_are_many() -> None:
    assert len(ROWS) >= 150


@pytest.mark.parametrize("row", [row for row in ROWS if row.config], ids=lambda row: row.id)
def test_a_shape_makes_the_published_count(row: BaseModelRow) -> None:
    architecture = from_config(row.config)
    assert architecture is not None
    assert sum(one.elements for one in matrices(architecture)) / 1e9 == pytest.approx(row.parameters_b, rel=0.04)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_model_is_found_by_its_own_name(row: BaseModelRow) -> None:
    found = base_of(decode(row.source.rsplit("/", 1)[1]))
    assert found is not None
    assert found.id == row.id


CASES = """\
Qwen3-8B-Q4_K_M                     qwen3-8b
Qwen3-Embedding-8B                  qwen3-8b
Qwen2.5-Coder-7B-Instruct-GGUF      qwen2.5-7b
Meta-Llama-3.1-8B-Instruct-Q5_K_M   llama-3.1-8b
llama3.1:8b                         llama-3.1-8b
Hermes-3-Llama-3.1-8B               llama-3.1-8b
DeepSeek-R1-0528                    deepseek-r1
GLM-4.5-Air-106B                    glm-4.5-air
Qwen3-30B                           qwen3-30b-a3b
gpt-oss-120b-mxfp4                  gpt-oss-120b
Mixtral-8x7B-Instruct-v0.1          mixtral-8x7b-v0.1
Qwen3-7B                            -
Qwen3-VL-8B-Instruct                qwen3-vl-8b-instruct
Qwen2.5-VL-7B-Instruct-AWQ          qwen2.5-vl-7b-instruct
foo-8b                              -
"""


@pytest.mark.parametrize("line", CASES.splitlines())
def test_a_name_finds_its_base(line: str) -> None:
    text, expected = line.split()
    found = base_of(decode(text))
    assert (found.id if found is not None else "-") == expected
