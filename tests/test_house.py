"""The house is complete: every key has words, every table its order and sources, and a name loads little."""

from __future__ import annotations

import ast
import importlib
import json
import pickle
import pkgutil
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import weigh
from weigh import knowledge
from weigh.text import LANGUAGES, Language, has_words

PROJECT = Path(__file__).parents[1]
ROOT = Path(weigh.__file__).parent
DOCS = tuple(PROJECT / "tools" / name for name in ("make_docs.py", "make_guide.py", "make_parity.py"))
SOURCES = sorted(ROOT.rglob("*.py"))
TABLES = sorted((ROOT / "knowledge").glob("*.json"))


ERRORS = {"Malformed", "Truncated", "OverBudget", "SourceError", "BadReference", "NotFetched", "Refused", "TableError"}
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 40
SOURCE = re.compile(r"https://\S+|pkg:pypi/[A-Za-z0-9._-]+@[A-Za-z0-9.+!-]+")


def calls_in(path: Path) -> Iterator[tuple[str, set[str] | None]]:
    """Every literal key of a Saying, a `say` or an error of ours, and the holes the call fills; None if by `**`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=called), args=[ast.Constant(value=str(key)), *_], keywords=keywords):
                filled = {keyword.arg for keyword in keywords if keyword.arg is not None}
                known = filled if len(filled) == len(keywords) else None
                if called in ERRORS:
                    yield f"error.{key}", known and known - {"path", "offset"}
                elif called in ("Saying", "say"):
                    yield key, known


def words_of(language: Language) -> dict[str, str]:
    """Every sentence by its whole key."""
    return dict(flat(tomllib.loads((ROOT / "text" / f"{language}.toml").read_text("utf-8")), ""))


def flat(table: dict[str, object], stem: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{stem}{key}.")
        else:
            yield stem + key, str(value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_in_the_code_has_words_with_the_holes_that_the_code_fills(language: Language) -> None:
    words = words_of(language)
    calls = [(path.stem, key, filled) for path in SOURCES for key, filled in calls_in(path)]
    assert len({key for _, key, _ in calls}) > 100
    assert sorted((where, key) for where, key, _ in calls if key not in words) == []
    assert [
        (where, key, filled)
        for where, key, filled in calls
        if filled is not None and filled != {hole for _, hole, _, _ in Formatter().parse(words[key]) if hole}
    ] == []


def test_every_sentence_is_said_somewhere() -> None:
    """By its key, by a key put together in the code, or in the docs that are made from the tables and rules."""
    literal: set[str] = set()
    put_together: list[str] = []
    for path in [*SOURCES, *DOCS]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Constant(value=str(text)):
                    literal |= {text, f"error.{text}"}
                case ast.JoinedStr(values=[ast.Constant(value=str(stem)), *_] as parts) if "." in stem:
                    put_together.append(
                        "".join(
                            re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in parts
                        )
                    )
    unsaid = words_of("en").keys() - literal
    assert sorted(key for key in unsaid if not any(re.fullmatch(pattern, key) for pattern in put_together)) == []


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_is_sorted_without_doubles_and_every_row_has_a_source(path: Path) -> None:
    rows = json.loads(path.read_text("utf-8"))
    ids = [row["id"] for row in rows]
    assert ids == sorted(set(ids))
    assert [row["id"] for row in rows if not SOURCE.match(row["source"])] == []
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) == len(rows) + 2


def test_every_table_has_a_loader_and_loads_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def read_and_note(name: str, row: type[knowledge.Row]) -> tuple[knowledge.Row, ...]:
        asked.append(name)
        return knowledge.read_table(name, row)

    for one in pkgutil.iter_modules(knowledge.__path__):
        module = importlib.import_module(f"weigh.knowledge.{one.name}")
        monkeypatch.setattr(module, "read_table", read_and_note, raising=False)
        for loader in list(vars(module).values()):
            if hasattr(loader, "cache_clear"):
                assert loader.__wrapped__()
    assert set(asked) >= {path.stem for path in TABLES}


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

    names = {format.name for format in formats.FORMATS} | {format.name for format in formats.folder_formats()}
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
    assert len(text.splitlines()) <= MOST_LINES


def test_a_function_is_short() -> None:
    """Its docstring is not counted."""
    assert [
        f"{path.stem}.{node.name}: {length} lines"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := lines_of(node)) > MOST_LINES_OF_A_FUNCTION
    ] == []


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    text = ast.get_docstring(function, clean=False)
    return (function.end_lineno or 0) - function.lineno + 1 - (len(text.splitlines()) if text else 0)


def test_every_command_is_in_both_readmes() -> None:
    from weigh.cli.main import COMMANDS

    for name in ("README.md", "README.zh.md"):
        text = (PROJECT / name).read_text("utf-8")
        assert [command for command in COMMANDS if command != "report" and f"`weigh {command}" not in text] == [], name


def test_a_path_of_a_machine_stands_nowhere() -> None:
    """What is true on one desk alone, or in one registry, has no place in the project."""
    folders = ("src", "docs", "tests", "bench", "fuzz", "tools", "requirements")
    files = [path for folder in folders for path in (PROJECT / folder).rglob("*") if path.is_file()]
    files += [path for path in PROJECT.iterdir() if path.is_file() and path.name != ".git"]
    desks = re.compile(r"(?<![\w./-])/(?:work|root|home)/\w|pypi\.org/simple|index-url")
    readable = [path for path in files if path.suffix in (".py", ".md", ".txt", ".toml", ".json", ".sh", "")]
    assert [str(path) for path in readable if path != Path(__file__) and desks.search(path.read_text("utf-8"))] == []


COMMAND = "import sys; sys.argv = ['weigh', {}]; from weigh.cli.main import weigh as w; w(standalone_mode=False)"
HEAVY = {"httpx", "rich", "jinja2", "numpy", "torch"}
# What the standard library takes long to load, and no command needs to start.
SLOW = {
    "asyncio", "concurrent.futures", "dataclasses", "importlib.metadata", "importlib.resources", "logging",
    "multiprocessing", "pathlib", "statistics", "string", "subprocess", "tempfile", "tomllib", "urllib.parse",
}  # fmt: skip
OF_THE_CHILD = {
    "weigh.app.weigh",
    "weigh.formats",
    "weigh.rules",
    "weigh.describe",
    "weigh.codecs",
    "weigh.names.decode",
}


def loads_none_of(modules: set[str], code: str) -> None:
    """In a fresh process."""
    check = f"{code}\nimport sys\nassert not {modules} & set(sys.modules), {modules} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", ["import weigh", COMMAND.format("'name', 'x', '--json'")])
def test_a_name_loads_nothing_heavy(code: str) -> None:
    loads_none_of(HEAVY | SLOW, code)


@pytest.fixture
def small(tmp_path: Path) -> dict[str, str]:
    """A file of each of the three kinds that are met most."""
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / "small.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    (tmp_path / "small.bin").write_bytes(pickle.dumps([1, 2], protocol=4))
    with zipfile.ZipFile(tmp_path / "small.pt", "w") as archive:
        archive.writestr("small/data.pkl", b"\x80\x02ccollections\nOrderedDict\n)R.")
        archive.writestr("small/version", "3\n")
        archive.writestr("small/data/0", bytes(64))
    return {path.suffix: str(path) for path in tmp_path.iterdir()}


def test_a_file_is_inspected_with_nothing_heavy(small: dict[str, str]) -> None:
    loads_none_of(HEAVY | SLOW, COMMAND.format(f"'inspect', {small['.safetensors']!r}, '--json'"))


@pytest.mark.parametrize("suffix", [".bin", ".pt", ".safetensors"])
def test_a_check_leaves_all_but_its_words_to_the_child(suffix: str, small: dict[str, str]) -> None:
    loads_none_of(HEAVY | SLOW | OF_THE_CHILD, COMMAND.format(f"'check', {small[suffix]!r}, '--json'"))


@pytest.mark.parametrize("suffix", [".bin", ".pt", ".safetensors"])
def test_a_file_loads_no_reader_of_quite_another_kind(suffix: str, small: dict[str, str]) -> None:
    code = f"from weigh.app.weigh import weigh_as; from weigh.app.wish import PLAIN; weigh_as({small[suffix]!r}, PLAIN)"
    others = {f"weigh.formats.{name}" for name in ("gguf", "hdf5", "keras", "keras_h5", "onnx", "tflite", "tfjs")}
    others |= {"weigh.codecs.hdf5", "weigh.codecs.jinja", "weigh.codecs.protobuf", "weigh.codecs.pysource"}
    loads_none_of(HEAVY | SLOW | others, code)
