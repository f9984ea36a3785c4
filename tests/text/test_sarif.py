"""SARIF of every kind of report keeps to the schema's parts, links to files that are there, and says what was not seen."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from jsonschema import Draft7Validator

from tests.text.sarif_parts import LOG
from weigh.app.weigh import weigh
from weigh.text import LANGUAGES, Language
from weigh.text.document import to_json
from weigh.text.sarif import sarif

SYSTEM = b"cos\nsystem\n(S'true'\ntR."


def clean(at: Path) -> Path:
    at.joinpath("a.pkl").write_bytes(pickle.dumps({"a": [1, 2.5]}))
    return at / "a.pkl"


def findings(at: Path) -> Path:
    for name in ("one.pkl", "two.pkl"):
        at.joinpath(name).write_bytes(b"cmine\nNet\n)R.")
    return at


def incomplete(at: Path) -> Path:
    at.joinpath("m.bin").write_bytes(bytes(range(256)))
    return at / "m.bin"


def malicious(at: Path) -> Path:
    at.joinpath("a.pkl").write_bytes(SYSTEM)
    return at / "a.pkl"


def broken(at: Path) -> Path:
    at.joinpath("a.safetensors").write_bytes((9000).to_bytes(8, "little") + b'{"a":1')
    return at / "a.safetensors"


def member(at: Path) -> Path:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as inner:
        inner.writestr("in/模型.pkl", SYSTEM)
    with zipfile.ZipFile(at / "outer.zip", "w") as outer:
        outer.writestr("deep/inner.zip", held.getvalue())
    return at / "outer.zip"


def odd_path(at: Path) -> Path:
    folder = at / "模型 ü#?%20&a=b"
    folder.mkdir()
    (folder / "a:b\\c \N{ZERO WIDTH SPACE}.pkl").write_bytes(SYSTEM)
    with open(os.path.join(os.fsencode(folder), b"\xff\n.pkl"), "wb") as file:
        file.write(SYSTEM)
    return folder


def missing(at: Path) -> Path:
    return at / "is-not-there.gguf"


MAKERS = (clean, findings, incomplete, malicious, broken, member, odd_path, missing)


def written(path: Path, language: Language = "en") -> dict[str, Any]:
    document = json.loads(to_json(sarif([weigh(str(path))], language, version="1.0"), language))
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_every_report_keeps_to_the_schema(make: Callable[[Path], Path], language: Language, tmp_path: Path) -> None:
    document = written(make(tmp_path), language)
    assert [f"{error.json_path}: {error.message}" for error in Draft7Validator(LOG).iter_errors(document)] == []


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_every_result_has_its_rule_and_a_file_that_is_there(make: Callable[[Path], Path], tmp_path: Path) -> None:
    (run,) = written(make(tmp_path))["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        uri = urlsplit(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        assert (uri.scheme, uri.query, uri.fragment) == ("file", "", "")
        assert os.path.exists(unquote(uri.path, errors="surrogateescape"))


def test_a_member_is_named_apart_from_its_file(tmp_path: Path) -> None:
    (run,) = written(member(tmp_path))["runs"]
    place = next(one for one in run["results"] if one["ruleId"] == "pickle-import")["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"].endswith("/outer.zip")
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "deep/inner.zip!/in/模型.pkl"


@pytest.mark.parametrize(
    ("make", "done"),
    [(clean, True), (findings, True), (malicious, True), (member, True), (incomplete, False), (missing, False)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_was_not_seen_is_no_success(make: Callable[[Path], Path], done: bool, tmp_path: Path) -> None:
    (invocation,) = written(make(tmp_path))["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is done
    assert bool(invocation.get("toolExecutionNotifications")) is not done


def test_a_finding_keeps_its_fingerprint_in_another_run(tmp_path: Path) -> None:
    first, second = (written(findings(tmp_path))["runs"][0]["results"] for _ in range(2))
    prints = [one["partialFingerprints"]["weigh/v1"] for one in first]
    assert prints == [one["partialFingerprints"]["weigh/v1"] for one in second]
    assert len(set(prints)) == len(prints) == 2
