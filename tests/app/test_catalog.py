"""The catalogue searched: exact names first, both scripts, slips last, nothing for nonsense."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weigh.app.catalog import Wish, catalog, errors, line_of, one
from weigh.app.search import family_named, find
from weigh.core.errors import BadReference
from weigh.knowledge.catalog import Erratum, Family, errata, families, licences
from weigh.text.catalog_document import catalog_document, csv_text

CASES = Path(__file__).parents[1] / "cases"

# a name that somebody uses, and the wrong one's near relations
WRONG = """
GPT-4o-Max            gpt-4o
gpt-4o-max            gpt-4o
DBRX-32B              dbrx
Kimi-2.0              kimi-k2
Claude-Vision         claude-5.5
Llama-3-Chat          llama-3
DeepSeek-R1-4e1t      deepseek-r1
DeepSeek-671B         deepseek-v3
慧医大模型             pingan-med
文心一言视觉模块        ernie-4.5
哈根菲斯               huggingface
openai/GPT-4o-Max     gpt-4o
DeepSeek-R1-4e1t-Q4_K_M.gguf  deepseek-r1
"""


def lines(name: str) -> list[str]:
    text = (CASES / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


QUERIES = [line.split("\t") for line in lines("catalog_queries.txt")]


def test_there_are_cases_in_both_scripts() -> None:
    chinese = [asked for asked, _ in QUERIES if not asked.isascii()]
    assert len(QUERIES) >= 500 and len(chinese) >= 100 and len(QUERIES) - len(chinese) >= 100


@pytest.mark.parametrize(("asked", "first"), QUERIES, ids=[asked for asked, _ in QUERIES])
def test_a_query_finds(asked: str, first: str) -> None:
    assert [entry.id for entry in catalog(asked).entries][:1] == [first]


@pytest.mark.parametrize("asked", lines("catalog_nonsense.txt"))
def test_nonsense_is_answered_by_nothing(asked: str) -> None:
    found = catalog(asked)
    assert (found.entries, found.errata) == ((), ())


@pytest.mark.parametrize("product", lines("primer_products.txt"))
def test_every_product_of_the_usual_primer_leads_somewhere(product: str) -> None:
    found = catalog(product)
    assert found.entries or found.errata


@pytest.mark.parametrize("line", WRONG.strip().splitlines())
def test_a_name_of_nothing_is_told_to_be_one_and_what_may_be_meant(line: str) -> None:
    asked, meant = line.split()
    found = catalog(asked)
    assert found.wrong and found.errata
    assert meant in [entry.id for entry in found.entries]


@pytest.mark.parametrize("row", errata().values(), ids=lambda row: row.id)
def test_an_erratum_is_found_by_its_number_its_names_and_what_it_is_about(row: Erratum) -> None:
    assert [found.id for found in errors(row.id).errata] == [row.id]
    assert all(row in errors(asked).errata for asked in (*row.names, *row.about))
    for name in row.names:
        found = catalog(name)
        assert found.wrong and row in found.errata
        assert {entry.id for entry in found.entries} <= set(row.about) | {
            other for one in found.errata for other in one.about
        }


def test_a_version_or_a_size_that_a_family_never_had_is_not_its_name() -> None:
    assert [
        family and family.id for family in map(family_named, ("Kling 2.0", "kling-99", "gpt-oss-120b", "gpt-oss-999b"))
    ] == [
        "kling",
        None,
        "gpt-oss",
        None,
    ]


def test_a_name_that_only_looks_like_a_wrong_one_is_not_wrong() -> None:
    assert not catalog("Llama3-ChatQA-1.5-8B").wrong


def test_every_wrong_name_is_known_to_be_wrong() -> None:
    names = [name for row in errata().values() for name in row.names]
    assert len(names) > 25
    assert [name for name in names if not catalog(name).wrong] == []


@given(st.text(max_size=60))
def test_any_text_is_a_query(asked: str) -> None:
    catalog(asked)


def test_a_vendor_brings_its_families() -> None:
    found = {entry.id for entry in catalog("月之暗面").entries}
    assert {"moonshot", "kimi-k2", "kimi-k3"} <= found


def test_filters_narrow_together() -> None:
    found = catalog("qwen", Wish(kind="multimodal", open=True, since="2026")).entries
    assert found
    for entry in found:
        assert isinstance(entry, Family) and entry.weights == "open" and entry.kind == "multimodal"
        assert entry.vendor == "alibaba" and entry.released is not None and entry.released >= "2026"


def test_commercial_means_without_conditions_on_one_of_its_licences() -> None:
    found = [entry for entry in catalog(None, Wish(licence="commercial")).entries if isinstance(entry, Family)]
    assert len(found) > 100
    assert all(any(licences()[id].commercial == "yes" for id in entry.licences) for entry in found)
    assert "llama-3.1" not in {entry.id for entry in found}
    assert "llama-3.1" in {entry.id for entry in catalog(None, Wish(licence="conditional")).entries}


@pytest.mark.parametrize(
    "wish", [Wish(kind="no-such"), Wish(since="soon"), Wish(vendor="nobody"), Wish(licence="no-such")]
)
def test_a_wish_that_nobody_knows_is_an_error(wish: Wish) -> None:
    with pytest.raises(BadReference):
        catalog(None, wish)


def test_a_vendor_may_be_named_in_either_script() -> None:
    assert catalog(None, Wish(vendor="阿里")) == catalog(None, Wish(vendor="Qwen"))


def test_a_line_of_versions_runs_through_the_family() -> None:
    line = [family.id for family in line_of(families()["qwen2.5"])]
    assert line[:5] == ["qwen-1", "qwen1.5", "qwen2", "qwen2.5", "qwen3"]


def test_errata_of_a_query_are_about_it() -> None:
    assert len(errors().errata) == 127
    assert {"E001", "E002"} <= {row.id for row in errors("QwQ").errata}


def test_one_is_what_is_compared() -> None:
    assert (one("通义千问3").id, one("GPT-4o").id) == ("qwen3", "gpt-4o")
    with pytest.raises(BadReference):
        one("GPT-4o-Max")


def test_a_file_of_unknown_words_is_of_no_family() -> None:
    assert family_named("qwen3-banana-8B") is None
    assert find("Qwen3-8B-Instruct-GGUF")[0].rank == 4


def test_the_document_has_what_is_promised_first() -> None:
    found = catalog("QwQ")
    told = json.loads(json.dumps(catalog_document("QwQ", [("llm", entry) for entry in found.entries], found.errata)))
    assert list(told) == ["schema", "query", "as_of", "entries", "errata"]
    assert list(told["entries"][0])[:3] == ["id", "kind", "names"]
    assert set(told["entries"][0]["names"]) == {"en", "zh"}
    assert told["errata"][0]["right"]["zh"]


def test_csv_has_a_line_an_entry() -> None:
    entries = [("llm", entry) for entry in catalog("qwen3").entries]
    rows = list(csv.DictReader(io.StringIO(csv_text(entries))))
    assert [row["id"] for row in rows] == [entry.id for _, entry in entries]
    assert rows[0]["successors"] == "qwen3.5;qwen3-next"


def test_a_name_alone_loads_no_table_of_the_catalogue() -> None:
    code = (
        "import sys; sys.argv = ['weigh', 'name', 'Qwen3-8B', '--json']\n"
        "from weigh.cli.main import weigh\nweigh(standalone_mode=False)\n"
        "assert not {'weigh.knowledge.catalog', 'weigh.app.search', 'weigh.app.catalog'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
