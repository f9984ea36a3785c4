"""Progress is a line on standard error, for a terminal alone and only once it takes long."""

from __future__ import annotations

import itertools
import sys
import time

import pytest

from weigh.cli import check


def test_nobody_watches_what_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    assert check._progress() is None


@pytest.mark.parametrize(("step", "shown"), [(0.1, False), (2.0, True)])
def test_files_are_counted_once_it_takes_longer_than_a_second(
    step: float, shown: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    clock = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: next(clock) * step)
    tell = check._progress()
    assert tell is not None
    tell(3, 9)
    out, err = capsys.readouterr()
    assert (out, "3/9" in err) == ("", shown)
