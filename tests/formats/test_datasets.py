"""Data sets: rows, columns and purpose are what was written; any bytes are answered."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest

from weigh.app.weigh import weigh
from weigh.core.errors import FormatError
from weigh.core.header import Header
from weigh.formats import detect
from weigh.sources.file import FileSource
from weigh.sources.memory import MemorySource
from weigh.text import LANGUAGES, has_words

SAMPLES = Path(__file__).parents[1] / "samples"
ALL = [
    path
    for format in ("jsonl", "json", "csv", "parquet")
    for path in sorted((SAMPLES / format).iterdir())
    if path.with_name(f"{path.name}.json").exists()
]


def header(data: bytes) -> Header:
    source = MemorySource(data, path="data")
    return detect(source).read(source)


def lines(*records: object) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.name}")
@pytest.mark.parametrize("renamed", [False, True])
def test_a_data_set_is_read_as_it_was_written(path: Path, renamed: bool, tmp_path: Path) -> None:
    oracle = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    file = tmp_path / ("model.dat" if renamed else path.name)
    file.write_bytes(path.read_bytes())
    with FileSource(file) as source:
        format = detect(source)
        found = format.read(source)
    assert (format.name, format.is_model) == (oracle["format"], False)
    assert (found.metadata["rows"], found.metadata["is_estimate"]) == (oracle["rows"], False)
    assert found.metadata["schema"] == oracle["schema"]
    for key in ("row_groups", "created_by"):
        assert found.metadata.get(key) == oracle.get(key)
    columns = found.metadata["columns"]
    assert isinstance(columns, dict)
    assert len(columns) == oracle.get("num_columns", len(columns))
    assert oracle.get("columns", {}).items() <= columns.items()


def test_every_type_of_a_parquet_column_is_named() -> None:
    found = header((SAMPLES / "parquet" / "plain.parquet").read_bytes())
    assert found.metadata["columns"] == {
        "messages[].content": "string",
        "messages[].role": "string",
        "id": "int32",
        "when": "timestamp",
        "score": "double",
        "tags[]": "string",
        "flag": "bool",
    }


def test_rows_of_a_long_file_are_estimated_and_said_to_be(tmp_path: Path) -> None:
    chance = random.Random(5)
    path = tmp_path / "long.jsonl"
    rows = 0
    with path.open("w") as file:
        while file.tell() < 66 << 20:
            file.write('{"text": "' + "word " * chance.randint(200, 4000) + '"}\n')
            rows += 1
    with FileSource(path) as source:
        found = detect(source).read(source).metadata
    assert found["is_estimate"] is True
    assert isinstance(found["rows"], int)
    assert abs(found["rows"] - rows) < 0.1 * rows
    assert found["schema"] == "pretraining"


def test_rows_beyond_the_sample_are_counted_exactly() -> None:
    found = header(b'{"text": "a line of some length"}\n' * 100_000).metadata
    assert (found["rows"], found["is_estimate"]) == (100_000, False)


def test_empty_and_invalid_lines_are_counted() -> None:
    found = header(b'{"a": 1}\n{"a": 2}\n\n{"a":\n{"a": 3}\n').metadata
    assert (found["rows"], found["empty_lines"], found["invalid_lines"]) == (4, 1, 1)


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        (b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}\r\n', "jsonl"),
        (lines({"text": "long " * 3000}, {"text": "b"}), "jsonl"),
        (lines({"text": "longer " * 100_000}, {"text": "b"}), "jsonl"),
        (b'{"a": 1}\n', "json"),
        (b'{\n "a": 1\n}\n', "json"),
        (b'[{"a": 1},\n {"a": 2}]', "json"),
        (b'{"a": 1} and more', "text"),
        (b"a,b\n1,2\n3,4\n", "csv"),
        (b'a;b\n"x\n;y";2\n3;4\n', "csv"),
        (b"one line, of prose\n", "text"),
        (b"Two lines, of prose.\nEach with a comma, as it happens.\n", "text"),
    ],
)
def test_texts_are_told_apart_by_content(data: bytes, format: str) -> None:
    assert detect(MemorySource(data, path="model.dat")).name == format


def test_a_large_list_of_records_is_sampled() -> None:
    found = header(json.dumps([{"instruction": "x" * 50, "output": "y" * 50}] * 20_000).encode()).metadata
    assert (found["schema"], found["is_estimate"]) == ("alpaca", True)
    assert isinstance(found["rows"], int) and abs(found["rows"] - 20_000) < 500


def test_a_short_list_of_settings_is_no_data_set() -> None:
    assert header(b'[{"idx": 0, "name": "0"}, {"idx": 1, "name": "1"}]').metadata == {}


def test_columns_without_end_are_counted_not_kept() -> None:
    record = {f"column {number}": number for number in range(3000)}
    found = header(lines(record, record)).metadata
    assert isinstance(found["columns"], dict)
    assert (len(found["columns"]), found["more_columns"]) == (200, 2800)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_schema_has_words(language: str) -> None:
    from weigh.knowledge.record_schemas import record_schemas

    assert [row.id for row in record_schemas() if not has_words(f"dataset.{row.id}", language)] == []  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_truncation_and_mutation_is_answered(path: Path) -> None:
    data, chance = path.read_bytes(), random.Random(3)
    changed = [data[:length] for length in range(0, len(data), max(1, len(data) // 200))]
    for _ in range(100):
        one = bytearray(data)
        at = chance.randrange(len(one))
        one[at : at + chance.randint(1, 6)] = chance.randbytes(chance.randint(0, 6))
        changed.append(bytes(one))
        footer = bytearray(data)
        footer[-chance.randint(1, min(400, len(footer)))] = chance.randrange(256)
        changed.append(bytes(footer))
    for one in changed:
        try:
            header(bytes(one))
        except FormatError:
            continue


HOSTILE = {
    "a-footer-of-4-gigabytes": b"PAR1" + bytes(40) + b"\xff\xff\xff\xffPAR1",
    "a-list-of-an-exabyte": b"PAR1\x29\xfc\xff\xff\xff\xff\xff\xff\xff\x7f\0\x0c\0\0\0PAR1",
    "structs-in-structs": b"PAR1\x2c" + b"\x1c" * 4000 + (4001).to_bytes(4, "little") + b"PAR1",
    "nested-json-lines": (b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}\n") * 2,
    "a-quote-without-end": b'a,b\n"' + b"x" * 300_000,
}  # fmt: skip


@pytest.mark.parametrize("name", list(HOSTILE))
def test_data_sets_made_to_harm_are_answered(name: str) -> None:
    try:
        assert header(HOSTILE[name]).format
    except FormatError as error:
        assert error.saying.key


def test_a_data_set_is_clean_and_no_model(tmp_path: Path) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["prompt", "response"], *[["a", "b"]] * 5])
    (tmp_path / "train.csv").write_text(out.getvalue())
    report = weigh(str(tmp_path / "train.csv"))
    assert (report.verdict, report.format) == ("clean", "csv")
    assert report.model is not None and report.model.num_parameters is None
