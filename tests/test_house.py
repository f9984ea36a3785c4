"""The house is complete: every key has words, every table its order and sources, and a name loads little."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import weigh
from weigh.text import LANGUAGES, has_words

ROOT = Path(weigh.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
TABLES = sorted((ROOT / "knowledge").glob("*.json"))


def keys_in(path: Path) -> set[str]:
    """Every literal key of a Saying, a `say` or an error of ours."""
    errors = {"Malformed", "Truncated", "OverBudget", "SourceError", "BadReference", "TableError"}
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        first = node.args[0]
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            continue
        if node.func.id in ("Saying", "say"):
            found.add(first.value)
        elif node.func.id in errors:
            found.add(f"error.{first.value}")
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_in_the_code_has_words(language: str) -> None:
    keys = set().union(*(keys_in(path) for path in SOURCES))
    assert len(keys) > 100
    assert sorted(key for key in keys if not has_words(key, language)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_is_sorted_without_doubles_and_every_row_has_a_source(path: Path) -> None:
    rows = json.loads(path.read_text("utf-8"))
    ids = [row["id"] for row in rows]
    assert ids == sorted(set(ids))
    assert all(row["source"] for row in rows)
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) == len(rows) + 2


def test_every_table_loads_strictly() -> None:
    for name in ("architectures", "config_keys", "dtypes", "gguf_mixes", "imports"):
        assert getattr(importlib.import_module(f"weigh.knowledge.{name}"), name)()


def test_every_rule_is_listed_and_has_words() -> None:
    from weigh import rules

    listed = {rule.id for rule in rules.RULES}
    modules = [importlib.import_module(f"weigh.rules.{one.name}") for one in pkgutil.iter_modules(rules.__path__)]
    assert {module.RULE.id for module in modules} == listed
    for language in LANGUAGES:
        assert [
            id for id in listed for part in ("title", "why", "fix") if not has_words(f"rule.{id}.{part}", language)
        ] == []


def test_every_format_is_listed_and_has_words() -> None:
    from weigh import formats

    names = {format.name for format in formats.FORMATS} | {format.name for format in formats.FOLDER_FORMATS}
    for language in LANGUAGES:
        assert sorted(name for name in names if not has_words(f"format.{name}", language)) == []
    for one in pkgutil.iter_modules(formats.__path__):
        module = importlib.import_module(f"weigh.formats.{one.name}")
        own = [value for value in vars(module).values() if type(value).__name__ in ("Format", "FolderFormat")]
        assert own and all(value.name in names for value in own), one.name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_opens_with_one_sentence_and_is_short(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize(
    "code",
    [
        "import weigh",
        "import sys; sys.argv = ['weigh', 'name', 'x', '--json']; from weigh.cli.main import weigh as w; w(standalone_mode=False)",
    ],
)
def test_a_name_loads_nothing_heavy(code: str) -> None:
    check = f"{code}\nimport sys\nassert not {{'httpx', 'rich', 'jinja2', 'numpy', 'torch'}} & set(sys.modules), sys.modules"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
