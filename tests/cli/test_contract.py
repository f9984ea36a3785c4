"""Keys of JSON that others build upon are there, whatever was found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from weigh.cli.main import weigh

REPORT = {"schema", "reference", "files", "claims", "findings", "skips", "fits", "next_steps"}
CONTRACT = [
    (("report",), REPORT),
    (("check",), {"schema", "reference", "verdict", "files", "claims", "findings", "skips"}),
    (("inspect",), {"schema", "reference", "files"}),
    (("fit", "--on", "4090"), {"schema", "reference", "fits"}),
]


@pytest.mark.parametrize(("command", "keys"), CONTRACT, ids=lambda value: value[0] if isinstance(value, tuple) else "")
@pytest.mark.parametrize("reference", ["Qwen3-8B", "of-no-family", "/nowhere/at/all", "tiny-llama-chat", "hostile.bin"])
def test_every_key_is_there(samples: Path, command: tuple[str, ...], keys: set[str], reference: str) -> None:
    named = str(samples / reference) if (samples / reference).exists() else reference
    first, *options = command
    done = CliRunner().invoke(weigh, [first, named, *options, "--json", "--offline"], standalone_mode=False)
    assert keys - json.loads(done.output).keys() == set()


def test_several_references_are_a_list_and_names_are_lines(samples: Path) -> None:
    done = CliRunner().invoke(weigh, ["report", "a-7B", "b-7B", "--json"], standalone_mode=False)
    assert [one["reference"]["text"] for one in json.loads(done.output)] == ["a-7B", "b-7B"]
    done = CliRunner().invoke(weigh, ["name", "a-7B", "b-7B", "--json"], standalone_mode=False)
    assert [json.loads(line)["name"] for line in done.output.splitlines()] == ["a-7B", "b-7B"]
