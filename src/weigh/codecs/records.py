"""Records of a data set, sampled: their columns, the types of these, what the set is made for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from weigh.core.header import Meta
from weigh.core.value import Value
from weigh.knowledge.record_schemas import RecordSchema, record_schemas

MOST_COLUMNS = 200
MOST_HIDDEN = 10_000
MOST_NAME = 100
MAJORITY = 0.8  # of the sampled records must fit a schema
_TYPES = {str: "string", bool: "bool", int: "int", float: "float", list: "list", dict: "object", type(None): "null"}


class Sample(Value, frozen=True, kw_only=True):
    """What `seen` records showed: each column with its types, the most usual first; `schema` is a table's id."""

    seen: int
    columns: Mapping[str, str] = {}
    more_columns: int = 0
    schema: str | None = None

    def metadata(self) -> dict[str, Meta]:
        """As a Header keeps it."""
        said: dict[str, Meta] = {"columns": dict(self.columns)}
        said |= {"more_columns": self.more_columns} if self.more_columns else {}
        said |= {"schema": self.schema} if self.schema is not None else {}
        return said


def sample_of(records: Iterable[object]) -> Sample:
    """Records as JSON gives them: objects, or lists of objects; anything else only counts."""
    types: dict[str, Counter[str]] = {}
    fitting: Counter[str] = Counter()
    hidden: set[str] = set()
    seen = 0
    for record in records:
        seen += 1
        for key, value in _fields(record).items():
            if key in types or len(types) < MOST_COLUMNS:
                types.setdefault(key, Counter())[_TYPES.get(type(value), "?")] += 1
            elif len(hidden) < MOST_HIDDEN:
                hidden.add(key)
        schema = _schema_of(record)
        fitting[schema.id if schema is not None else ""] += 1
    columns = {key[:MOST_NAME]: _written(counts) for key, counts in types.items()}
    best, count = fitting.most_common(1)[0] if fitting else ("", 0)
    return Sample(
        seen=seen, columns=columns, more_columns=len(hidden), schema=best if best and count >= MAJORITY * seen else None
    )


def schema_of_columns(paths: Iterable[str]) -> str | None:
    """By the names alone, where no records are read; inside a list they are written `messages[].role`."""
    leaves = set(paths)
    keys = {path.partition(".")[0].partition("[")[0] for path in leaves}
    for row in record_schemas():
        turns = {f"{row.inside}[].{turn}" for turn in row.turns} if row.inside is not None else set()
        if not row.list and _has_keys(row, keys) and turns <= leaves:
            return row.id
    return None


def _schema_of(record: object) -> RecordSchema | None:
    keys = set(_fields(record))
    is_list = isinstance(record, list)
    for row in record_schemas():
        if bool(row.list) is is_list and _has_keys(row, keys) and _has_turns(row, record):
            return row
    return None


def _has_keys(row: RecordSchema, keys: set[str]) -> bool:
    return (
        keys.issuperset(row.all)
        and (not row.any or not keys.isdisjoint(row.any))
        and (row.rest is None or keys <= {*row.all, *row.any, *row.rest})
    )


def _has_turns(row: RecordSchema, record: object) -> bool:
    if row.inside is None:
        return True
    turns = record.get(row.inside) if isinstance(record, dict) else None
    return isinstance(turns, list) and bool(turns) and all(key in turn for turn in turns[:1] for key in row.turns)


def _fields(record: object) -> Mapping[str, object]:
    match record:
        case dict():
            return record
        case [dict() as first, *_]:
            return first
        case _:
            return {}


def _written(counts: Counter[str]) -> str:
    return " | ".join(kind for kind, _ in counts.most_common(4))
