"""The pages on `weigh serve` tell every route and every key, and what they show runs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.serve.server import serving
from weigh.serve.api.settings import ModelSetting, Settings
from weigh.text import LANGUAGES


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving("echo:") as address:
        yield address


def page(lang: str) -> str:
    return (Path(__file__).parents[2] / "docs" / lang / "serve.md").read_text("utf-8")


def blocks(lang: str) -> list[str]:
    """Indented lines that follow each other; an empty line within one is kept where the next is no beginning."""
    text = "\n".join(line for line in page(lang).splitlines() if line.startswith("    ") or not line)
    found = [block.replace("\n    ", "\n").strip() for block in re.split(r"\n{3,}|\n\n(?=    import )", text)]
    return [block for block in found if block]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_example_runs(lang: str, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    examples = [block for block in blocks(lang) if block.startswith("import ")]
    assert len(examples) == 3
    for example in examples:
        exec(example.replace("http://127.0.0.1:8000", address), {})
        assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_file_that_is_shown_is_one(lang: str) -> None:
    (shown,) = (block for block in blocks(lang) if block.startswith("host = "))
    assert msgspec.convert(tomllib.loads(shown), Settings).models["talker"].pinned


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_route_and_every_key_is_told(lang: str, address: str) -> None:
    told = re.findall(r"^\| `([^`]+)` \|", page(lang), re.MULTILINE)
    routes = set(httpx.get(f"{address}/openapi.json").json()["paths"])
    keys = set(Settings.__struct_fields__) - {"models"}
    assert sorted(told) == sorted(routes | keys)
    assert [key for key in ModelSetting.__struct_fields__ if f"`{key}`" not in page(lang)] == []
