"""What the catalogue adds to a report: maker, age, successor, licence, the other hub."""

from __future__ import annotations

from datetime import date

import pytest

from weigh.app.provenance import provenance
from weigh.app.weigh import take_apart
from weigh.core.reference import Reference
from weigh.core.report import Provenance, Report
from weigh.core.schema import SCHEMA
from weigh.knowledge.catalog import AS_OF
from weigh.names.reference import parse, text_of_name

TODAY = date(2026, 11, 24)

# what is weighed, family, vendor, found by
FOUND = """
hf:Qwen/Qwen3-8B                          qwen3        alibaba    hub_id
ms:ZhipuAI/GLM-4.6                        glm-4.6      zhipu      hub_id
hf:unsloth/Qwen3-8B-GGUF                  qwen3        alibaba    name
Llama-3.1-8B-Instruct-Q4_K_M.gguf         llama-3.1    meta       name
QwQ-32B-AWQ                               qwq          alibaba    hub_id_or_name
DeepSeek-R1-0528                          deepseek-r1  deepseek   name
ollama:qwen3:8b                           qwen3        alibaba    hub_id
whisper-large-v3-turbo                    whisper      openai     name
"""


def told_of(text: str, today: date = TODAY) -> Provenance | None:
    reference: Reference = parse(text, exists=lambda _: False)
    name = text_of_name(reference)
    report = Report(schema=SCHEMA, reference=reference, name=take_apart(name) if name else None)
    return provenance(report, today)


@pytest.mark.parametrize("line", FOUND.strip().splitlines())
def test_a_model_is_known_by_its_hub_id_or_its_name(line: str) -> None:
    text, family, vendor, found_by = line.split()
    told = told_of(text)
    assert told is not None
    assert (told.family.id, told.vendor.id) == (family, vendor)
    assert told.found_by in found_by


@pytest.mark.parametrize("text", ["zork-13b", "Nova-7B-Instruct-Q8_0.gguf", "hf:nobody/nothing", "qwen-banana-9000"])
def test_of_what_is_not_known_nothing_is_said(text: str) -> None:
    assert told_of(text) is None


def test_age_successor_and_licence_are_told() -> None:
    told = told_of("hf:Qwen/Qwen2.5-7B-Instruct")
    assert told is not None and told.age_days == (TODAY - date(2024, 9, 19)).days
    assert [after.id for after in told.superseded_by] == ["qwen3"]
    assert told.licences[0].commercial == "yes"


def test_the_other_hub_has_its_own_organisation() -> None:
    on_modelscope, on_huggingface = told_of("hf:zai-org/GLM-4.6"), told_of("ms:ZhipuAI/GLM-4.6")
    assert on_modelscope is not None and on_huggingface is not None
    assert on_modelscope.also_on == ("ms:ZhipuAI/GLM-4.6",)
    assert on_huggingface.also_on == ("hf:zai-org/GLM-4.6",)


def test_who_is_not_the_vendor_is_named() -> None:
    strange, own = told_of("hf:unsloth/Qwen3-8B-GGUF"), told_of("hf:Qwen/Qwen3-8B")
    assert strange is not None and own is not None
    assert (strange.uploaded_by, own.uploaded_by) == ("unsloth", None)
    mirrored = told_of("ms:LLM-Research/Meta-Llama-3.1-8B-Instruct")
    assert mirrored is not None and (mirrored.vendor.id, mirrored.uploaded_by) == ("meta", "LLM-Research")


def test_a_name_that_does_not_exist_is_said_to_be_one() -> None:
    told = told_of("GPT-4o-Max")
    assert told is not None and told.wrong_name == "E022"


def test_what_is_current_has_no_successor() -> None:
    told = told_of("hf:Qwen/Qwen3.8-27B")
    assert told is not None and (told.status, told.superseded_by) == ("current", ())


@pytest.mark.parametrize(("today", "stale"), [(TODAY, False), (date(2027, 5, 22), False), (date(2027, 5, 23), True)])
def test_old_data_are_said_to_be_old(today: date, stale: bool) -> None:
    told = told_of("Qwen3-8B", today)
    assert told is not None and (told.as_of, told.is_stale) == (AS_OF, stale)
