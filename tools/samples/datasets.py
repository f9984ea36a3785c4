"""Data sets: Parquet by pyarrow, JSON Lines and CSV by the standard library.

`python -m tools.samples.datasets OUT` writes a folder a format.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tools.samples.oracles import main, note

CHAT = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "hello"}]
RECORDS = {
    "alpaca": {"instruction": "add", "input": "1 2", "output": "3"},
    "chat": {"messages": CHAT},
    "classification": {"text": "fine", "label": 1},
    "code": {"content": "print(1)", "path": "a.py"},
    "dpo-chat": {"chosen": CHAT, "rejected": CHAT},
    "evaluation": {"question": "?", "choices": ["a", "b"], "answer": 0},
    "function-calling": {"query": "?", "tools": "[]", "answers": "[]"},
    "kto": {"prompt": "a", "completion": "b", "label": True},
    "multimodal-sharegpt": {"image": "a.png", "conversations": [{"from": "human", "value": "<image>"}]},
    "pangu-multi-turn": [{"context": "你好", "target": "你好"}, {"context": "再见", "target": "再见"}],
    "pangu-single-turn": {"context": "你好", "target": "我是盘古大模型"},
    "preference": {"prompt": "a", "chosen": "b", "rejected": "c"},
    "pretraining": {"id": 1, "text": "盘古开天地", "meta": {"source": "web"}},
    "prompts": {"prompt": "a"},
    "question-answer": {"question": "a", "answer": "b"},
    "sharegpt": {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
    "tool-calling": {"messages": CHAT, "tools": [{"type": "function"}]},
}


def write(folder: Path) -> None:
    """Every sample and its oracle, in a folder a format."""
    (folder / "jsonl").mkdir(parents=True, exist_ok=True)
    for schema, record in RECORDS.items():
        path = folder / "jsonl" / f"{schema}.jsonl"
        path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for _ in range(5)), "utf-8")
        note(path, "jsonl", rows=5, schema=schema)
    (folder / "json").mkdir(parents=True, exist_ok=True)
    path = folder / "json" / "alpaca.json"
    path.write_text(json.dumps([RECORDS["alpaca"]] * 4, indent=1), "utf-8")
    note(path, "json", rows=4, schema="alpaca")
    _tables(folder / "csv")
    _parquets(folder / "parquet")


def _tables(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, mark in {"comma.csv": ",", "tab.tsv": "\t", "semicolon.csv": ";"}.items():
        path = folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=mark)
            writer.writerow(["question", "answer", "score"])
            writer.writerows([[f"what, is {number}?", "two\nlines", number / 2] for number in range(20)])
        note(path, "csv", rows=20, schema="question-answer", columns={"question": "string", "score": "float"})


def _parquets(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            "messages": [CHAT] * 50,
            "id": pa.array(range(50), pa.int32()),
            "when": pa.array([0] * 50, pa.timestamp("ms")),
            "score": [0.5] * 50,
            "tags": [["a"]] * 50,
            "flag": [True] * 50,
        }
    )
    for name, options in {"plain": {}, "groups": {"row_group_size": 20}, "zstd": {"compression": "zstd"}}.items():
        path = folder / f"{name}.parquet"
        pq.write_table(table, path, **options)
        seen = pq.read_metadata(path)
        columns = [seen.schema.column(number).path for number in range(seen.num_columns)]
        said = {"rows": seen.num_rows, "row_groups": seen.num_row_groups, "created_by": seen.created_by}
        note(path, "parquet", schema="chat", num_columns=len(columns), **said)


if __name__ == "__main__":
    main(write)
