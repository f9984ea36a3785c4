"""`weigh catalog` as a command: statuses, JSON, CSV, errata, comparison, in both languages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def weigh(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "weigh", "catalog", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)


def test_a_family_as_json_has_the_published_form() -> None:
    done = weigh("qwen3", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (told["schema"], told["query"]) == (1, "qwen3")
    assert told["entries"][0]["id"] == "qwen3" and told["entries"][0]["kind"] == "llm"
    assert told["entries"][0]["licences"][0]["commercial"] == "yes"


def test_nonsense_is_status_two_with_both_lists_empty() -> None:
    done = weigh("zork-13b", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["entries"], told["errata"]) == (2, [], [])
    assert done.stderr.count("\n") == 1


def test_a_name_that_does_not_exist_is_said_not_to() -> None:
    done = weigh("GPT-4o-Max", "--lang", "zh")
    assert done.returncode == 2
    assert "没有这个名字" in done.stdout and "gpt-4o-mini" in done.stdout


def test_a_family_is_shown_with_what_replaced_it() -> None:
    shown = weigh("qwen2.5", "--lang", "en").stdout
    assert "superseded by Qwen3" in shown and "[qwen2.5] →" in " ".join(shown.split())


def test_two_are_shown_side_by_side() -> None:
    shown = weigh("--compare", "qwen3", "Llama 3.1", "--lang", "en").stdout
    assert "Alibaba" in shown and "Meta" in shown and "700,000,000" in shown


def test_errata_are_listed() -> None:
    told = json.loads(weigh("--errata", "--json").stdout)
    assert len(told["errata"]) == 127 and told["entries"] == []


def test_csv_begins_with_its_columns() -> None:
    shown = weigh("通义", "--csv", "--open").stdout.splitlines()
    assert shown[0].startswith("id,kind,name_en,name_zh,vendor") and len(shown) > 20


def test_a_wrong_filter_is_one_line() -> None:
    done = weigh("qwen", "--since", "soon", "--lang", "en")
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1


def test_quiet_prints_ids_alone() -> None:
    assert weigh("QwQ", "--quiet").stdout == "qwq\n"


# what is run in a fresh process, and whether it opens a table of the catalogue or loads a module of it
WATCHED = """
import os, sys
opened = []
sys.addaudithook(lambda event, of: opened.append(str(of[0])) if event == "open" else None)
from weigh.cli.main import weigh
weigh(sys.argv[1:], standalone_mode=False)
tables = {os.path.basename(path) for path in opened if os.path.basename(os.path.dirname(path)) == "knowledge"}
catalogue = {f"{name}.json" for name in "families vendors kinds tasks errata trends licences".split()}
print(sorted(tables & catalogue), [name for name in sys.modules if "catalog" in name or "sync" in name and "weigh" in name], file=sys.stderr)
"""


@pytest.mark.parametrize(
    "command",
    [
        "name Qwen3-8B --json",
        "inspect tiny-llama-chat --json",
        "check tiny-llama-chat --json",
        "fit Qwen3-8B --on 4090 --json",
        "schema",
        "--version",
    ],
)
def test_a_command_that_needs_no_catalogue_loads_none_of_it(samples: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *command.split()],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        cwd=samples,
    )
    assert done.stderr.splitlines()[-1] == "[] []", done.stderr


def test_errata_alone_load_no_other_table() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, "catalog", "--errata", "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.stderr.splitlines()[-1].startswith("['errata.json'] ")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_erratum_is_shown_with_what_is_right_and_its_source(language: str) -> None:
    shown = weigh("--errata", "--lang", language).stdout
    assert [f"E{number:03}" for number in range(1, 128) if f"E{number:03} " not in shown] == []
    assert shown.count("https://") + shown.count("pkg:pypi/") >= 127


def test_csv_has_every_entry_and_no_line_too_many() -> None:
    import csv
    import io

    whole = list(csv.DictReader(io.StringIO(weigh("--csv").stdout)))
    told = json.loads(weigh("--json").stdout)["entries"]
    assert [row["id"] for row in whole] == [entry["id"] for entry in told] and len(whole) > 600
