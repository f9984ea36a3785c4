"""`weigh catalog sync` as a command: what it writes, where, what it says, and what the catalogue shows afterwards."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.loopback import Reply, serving
from tests.publishers import publishers
from weigh.cli.main import weigh as command

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = [
    command
    for language in ("en", "zh")
    for command in re.findall(r"^weigh catalog sync[^#\n]*", (DOCS / language / "sync.md").read_text("utf-8"), re.M)
]


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the kept file would lie."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1796000000")
    return tmp_path / "data" / "weigh" / "catalog.json"


def weigh(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["catalog", *arguments], standalone_mode=False)


def synced(monkeypatch: pytest.MonkeyPatch, *arguments: str, broken: str = "") -> Result:
    answer = publishers()
    with serving(lambda asked: Reply(500) if broken and broken in asked.path else answer(asked)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
        monkeypatch.setenv("OPENCODE_MODELS_URL", server.url)
        monkeypatch.setenv("LITELLM_MODEL_COST_MAP_URL", f"{server.url}/litellm.json")
        monkeypatch.setattr("weigh.sources.client.HttpxClient.wait", lambda self, seconds: None)
        return weigh("sync", *arguments)


def test_a_sync_is_kept_and_then_shown_with_origin_and_day(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = synced(monkeypatch, "--lang", "en")
    assert done.return_value == 0 and "disagree" in done.stdout and kept.is_file()
    shown = weigh("zither", "--lang", "en")
    assert shown.return_value == 0 and "models.dev 2026-" in shown.stdout
    assert "models.dev 65536" in " ".join(weigh("qwen3", "--lang", "en").stdout.split())
    told = json.loads(weigh("zither", "--json").stdout)
    assert told["entries"] == [] and "Zither" in told["met"][0]["name"] + told["met"][0]["id"].title()


def test_a_dry_run_shows_the_same_and_writes_nothing(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(synced(monkeypatch, "--dry-run", "--json").stdout)
    assert told["written"] is None and told["changes"] and told["disagreements"] and not kept.parent.exists()


def test_the_second_time_nothing_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    synced(monkeypatch)
    told = json.loads(synced(monkeypatch, "--json").stdout)
    assert [change for change in told["changes"] if change["source"] != "hf"] == [] and told["written"]


def test_one_source_alone_is_asked(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(synced(monkeypatch, "--source", "litellm", "--json").stdout)
    assert [source["id"] for source in told["sources"]] == ["litellm"]


def test_a_source_that_fails_is_one_line_and_the_others_are_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = synced(monkeypatch, "--lang", "zh", broken="/api.json")
    assert done.return_value == 2 and done.stderr.count("\n") == 1 and "models.dev" in done.stderr
    assert b"litellm" in kept.read_bytes() and b'"models.dev"' not in kept.read_bytes()


@pytest.mark.usefixtures("socket_disabled")
def test_offline_says_so_and_writes_nothing(kept: Path) -> None:
    done = weigh("sync", "--offline", "--lang", "en")
    assert done.return_value == 2 and "--offline" in done.stderr and not kept.parent.exists()


def test_unreachable_says_so_and_leaves_what_was_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced(monkeypatch)
    before = kept.read_bytes()
    done = synced(monkeypatch, "--quiet", broken="/")
    assert done.return_value == 2 and done.stderr.count("\n") == 4 and kept.read_bytes() == before
    assert [file.name for file in kept.parent.iterdir()] == ["catalog.json"]


@pytest.mark.usefixtures("socket_disabled")
def test_a_source_of_another_name_is_one_line() -> None:
    done = weigh("sync", "--source", "nobody")
    assert (done.return_value, done.stdout) == (2, "") and done.stderr.count("\n") == 1


@pytest.mark.usefixtures("socket_disabled")
def test_a_kept_file_that_is_damaged_hides_no_shipped_row(kept: Path) -> None:
    kept.parent.mkdir(parents=True)
    kept.write_text("{")
    done = weigh("qwen3", "--json")
    assert done.return_value == 0 and json.loads(done.stdout)["entries"][0]["id"] == "qwen3"
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_what_the_page_shows_runs(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = synced(monkeypatch, *command.split()[3:])
    assert done.exception is None and done.return_value == (2 if "--offline" in command else 0)


def test_both_pages_show_the_same_commands() -> None:
    assert len(COMMANDS) == 8 and COMMANDS[:4] == COMMANDS[4:]
