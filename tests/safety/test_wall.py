"""A file that kills its reader costs that file, and nothing else."""

from __future__ import annotations

import json
import os
import time
from functools import partial
from pathlib import Path

import pytest

from weigh.app import forked, spawned, wall
from weigh.app import weigh as weighing
from weigh.app.wish import PLAIN, Wish
from weigh.core.format import Format
from weigh.core.report import Report
from weigh.core.rule import Examined
from weigh.core.source import Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.json", "deadly.json", "z.json"):
        (tmp_path / name).write_text("{}")
    return tmp_path


def _ruined(monkeypatch: pytest.MonkeyPatch, ruin: object) -> None:
    honest = weighing.examine_whole

    def examine(source: Source, own: tuple[Format, ...] = ()) -> list[Examined]:
        if "deadly" in source.path:
            ruin()  # type: ignore[operator]
        return honest(source, own)

    monkeypatch.setattr(weighing, "examine_whole", examine)


def _raise() -> None:
    raise RuntimeError("a defect")


@pytest.mark.parametrize(
    "ruin", [lambda: os._exit(9), lambda: bytearray(1 << 40), _raise], ids=["ends", "swells", "defect"]
)
def test_what_kills_its_reader_is_incomplete_and_the_rest_is_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch, ruin: object
) -> None:
    _ruined(monkeypatch, ruin)
    report = wall.check(str(folder), PLAIN).report
    assert [(file.path, file.verdict, file.covered) for file in report.files] == [
        ("a.json", "clean", True), ("deadly.json", "incomplete", False), ("z.json", "clean", True),
    ]  # fmt: skip
    assert (report.verdict, len(report.skips)) == ("incomplete", 1)


def test_what_never_ends_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ruined(monkeypatch, lambda: time.sleep(60))
    monkeypatch.setattr(wall, "LEAST_SECONDS", 1)
    began = time.monotonic()
    report = wall.check(str(folder / "deadly.json"), PLAIN).report
    assert (report.verdict, report.files[0].covered) == ("incomplete", False)
    assert time.monotonic() - began < 30


def test_an_answer_through_the_wall_is_that_without_it(folder: Path) -> None:
    (folder / "m.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    there, here = wall.check(str(folder), PLAIN), weighing.weigh_as(str(folder), PLAIN)
    assert (there.report.findings, there.report.files, there.imports) == (
        here.report.findings,
        here.report.files,
        here.imports,
    )


def test_a_child_that_is_started_afresh_answers_as_a_forked_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "m.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    there = wall.check(str(folder), PLAIN)
    monkeypatch.delattr(os, "fork")
    assert wall.check(str(folder), PLAIN) == there


@pytest.mark.parametrize("way", [forked, spawned], ids=["forked", "spawned"])
@pytest.mark.parametrize(
    ("end", "seconds"),
    [(partial(os._exit, 9), 60), (partial(time.sleep, 60), 3), (partial(int, "no number"), 60)],
    ids=["ends", "sleeps", "fails"],
)
def test_a_child_that_does_not_answer_leaves_nothing_behind(way: object, end: object, seconds: int) -> None:
    began = time.monotonic()
    (message,) = way.messages(partial(_say_and_end, end), until=began + seconds)  # type: ignore[attr-defined]
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int(message), 0)


def _say_and_end(end: object, send: object) -> None:
    send(b"%d" % os.getpid())  # type: ignore[operator]
    end()  # type: ignore[operator]


def test_a_long_message_comes_whole() -> None:
    assert [*forked.messages(_say_much, until=time.monotonic() + 60)] == [b"", b"x" * 3_000_000, b"y"]


def _say_much(send: object) -> None:
    for message in (b"", b"x" * 3_000_000, b"y"):
        send(message)  # type: ignore[operator]


def test_all_that_a_check_says_comes_through_the_wall() -> None:
    silent = {"schema", "model", "fits", "catalog"}  # what a check says nothing of, but for the licence
    assert set(Report.__struct_fields__) - silent <= set(wall._Answer.__struct_fields__)


def test_several_processes_find_what_one_finds(tmp_path: Path) -> None:
    for number in range(weighing.FEW + 1):
        (tmp_path / f"{number}.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    one, many = wall.check(str(tmp_path), PLAIN), wall.check(str(tmp_path), Wish(jobs=2))
    assert one == many and len(one.report.findings) == weighing.FEW + 1


def test_an_error_comes_through_the_wall(tmp_path: Path) -> None:
    report = wall.check(str(tmp_path / "missing"), PLAIN).report
    assert report.error is not None and json.dumps(report.error.message.key)
