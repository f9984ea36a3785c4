"""`weigh check`: its forms, what it allows, its exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from weigh.cli.main import weigh

EVIL = b"cposix\nsystem\n(S'true'\ntR."
UNKNOWN = b"cmine\nNet\n(tR."


def run(*arguments: object) -> Result:
    return CliRunner().invoke(weigh, ["check", *map(str, arguments)], standalone_mode=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "evil.pkl").write_bytes(EVIL)
    (folder / "unknown.pkl").write_bytes(UNKNOWN)
    (folder / "clean.json").write_bytes(b"{}")
    return folder


def test_json_has_every_key_even_where_nothing_was_found(files: Path) -> None:
    done = run(files / "clean.json", "--format", "json")
    document = json.loads(done.output)
    assert list(document) == ["schema", "reference", "verdict", "files", "claims", "findings", "skips", "imports"]
    assert (document["verdict"], document["findings"], document["skips"], done.return_value) == ("clean", [], [], 0)


def test_several_references_are_a_list(files: Path) -> None:
    done = run(files / "evil.pkl", files / "clean.json", "--json")
    assert [one["verdict"] for one in json.loads(done.output)] == ["malicious", "clean"]
    assert done.return_value == 1


def test_imports_are_listed_with_their_tiers(files: Path) -> None:
    document = json.loads(run(files, "--json", "--allow", "mine.Net").output)
    assert [(one["name"], one["tier"]) for one in document["imports"]] == [
        ("posix.system", "dangerous"),
        ("mine.Net", "allowed"),
    ]
    assert {one["path"] for one in document["findings"]} == {"evil.pkl"}


def test_a_name_that_is_allowed_is_no_finding(files: Path) -> None:
    assert json.loads(run(files / "unknown.pkl", "--json").output)["verdict"] == "suspicious"
    assert json.loads(run(files / "unknown.pkl", "--json", "--allow", "mine.Net").output)["verdict"] == "clean"


def _nulls(value: Any) -> Iterator[str]:
    match value:
        case None:
            yield "null"
        case dict():
            for key, one in value.items():
                yield from (f"{key}.{below}" for below in _nulls(one))
        case list():
            for one in value:
                yield from _nulls(one)


def test_sarif_holds_to_its_rules(files: Path) -> None:
    """What the schema of 2.1.0 asks of the parts that are written."""
    done = run(files, "--format", "sarif")
    document = json.loads(done.output)
    assert list(_nulls(document)) == []
    assert (document["version"], len(document["runs"])) == ("2.1.0", 1)
    execution = document["runs"][0]
    rules = execution["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(execution["results"]) == 2
    for result in execution["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note") and result["message"]["text"]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert "!/" not in uri and Path(uri.removeprefix("file://")).is_file()
        assert all(isinstance(one, str) for one in result["partialFingerprints"].values())
    assert execution["invocations"] == [{"executionSuccessful": True}]


def test_sarif_says_what_was_not_seen(tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_bytes(bytes(range(256)))
    (invocation,) = json.loads(run(tmp_path / "m.bin", "--format", "sarif").output)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False and len(invocation["toolExecutionNotifications"]) == 1


@pytest.mark.parametrize(
    ("policy", "verdict", "status"),
    [
        ('fail_on = "medium"', "suspicious", 1),
        ('[levels]\npickle-import = "off"', "clean", 0),
        ('[levels]\npickle-import = "high"', "suspicious", 1),
        ('[levels]\npickle-import = "info"', "clean", 0),
        ('allow = ["mine.Net"]', "clean", 0),
        ("safetensors_only = true", "suspicious", 1),
        ('allowed_formats = ["safetensors"]', "suspicious", 1),
        ('allowed_formats = ["pickle"]', "suspicious", 0),
        ('licences = ["mit"]', "suspicious", 1),
    ],
)
def test_a_policy_is_laid_over(files: Path, tmp_path: Path, policy: str, verdict: str, status: int) -> None:
    (tmp_path / "policy.toml").write_text(policy)
    done = run(files / "unknown.pkl", "--json", "--policy", tmp_path / "policy.toml")
    assert (json.loads(done.output)["verdict"], done.return_value) == (verdict, status)


@pytest.mark.parametrize("policy", ["nonsense = 1", 'fail_on = "worst"', "[levels", 'allow = "x"'])
def test_a_policy_that_does_not_hold_is_refused(files: Path, tmp_path: Path, policy: str) -> None:
    (tmp_path / "policy.toml").write_text(policy)
    assert run(files, "--policy", tmp_path / "policy.toml").return_value == 2


def test_a_baseline_leaves_out_what_is_known(files: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "known.json"
    assert run(files, "--json", "--write-baseline", baseline).return_value == 1
    done = run(files, "--json", "--baseline", baseline)
    assert (json.loads(done.output)["findings"], done.return_value) == ([], 0)
    (files / "new.pkl").write_bytes(EVIL)
    assert [one["path"] for one in json.loads(run(files, "--json", "--baseline", baseline).output)["findings"]] == [
        "new.pkl"
    ]


def test_a_baseline_that_is_none_is_refused(files: Path, tmp_path: Path) -> None:
    (tmp_path / "known.json").write_text("[]")
    assert run(files, "--baseline", tmp_path / "known.json").return_value == 2
