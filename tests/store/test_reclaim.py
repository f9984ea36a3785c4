"""A double becomes a name for another's bytes at once or not at all; only orphans that nobody writes to are deleted."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace as but

from weigh.store import reclaim
from weigh.store.inventory.walk import OURS
from weigh.store.reclaim import Step, delete, replace
from weigh.store.rows import identity

DATA = b"the same bytes" * 1000
NOW = 2_000_000_000.0
pytestmark = pytest.mark.skipif(os.name == "nt", reason="identities of files are asked of the system in another way")


def file(path: Path, data: bytes = DATA) -> Path:
    path.write_bytes(data)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def step(folder: Path, act: reclaim.Act = "link", *, claims: tuple[str, ...] = ()) -> Step:
    """Two files of one content."""
    one, other = file(folder / "one"), file(folder / "other")
    return Step(
        act=act,
        path=str(other),
        nbytes=len(DATA),
        looked=identity(other.lstat()),
        keeper=str(one),
        keeper_looked=identity(one.lstat()),
        claims=claims,
    )


def orphan(path: Path) -> Step:
    return Step(act="delete", path=str(path), nbytes=7, looked=identity(path.lstat()))


def clone(target: int, source: int) -> None:
    """As a file system would that lends blocks."""
    os.write(target, os.read(source, 1 << 20))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_double_becomes_a_second_name(tmp_path: Path) -> None:
    assert replace(step(tmp_path, claims=(sha256(DATA).hexdigest(),)), clone) == "done"
    assert (tmp_path / "one").samefile(tmp_path / "other") and contents(tmp_path) == {"one": DATA, "other": DATA}


def test_a_clone_keeps_the_rights_and_times_of_what_it_replaces(tmp_path: Path) -> None:
    planned = step(tmp_path, "clone")
    (tmp_path / "other").chmod(0o640)
    assert replace(planned, clone) == "done"
    assert not (tmp_path / "one").samefile(tmp_path / "other") and contents(tmp_path) == {"one": DATA, "other": DATA}
    status = (tmp_path / "other").stat()
    assert (status.st_mode & 0o777, status.st_mtime) == (0o640, 1_700_000_000)


def changed_size(folder: Path) -> None:
    (folder / "other").write_bytes(DATA + b"!")


def changed_bytes(folder: Path) -> None:
    (folder / "other").write_bytes(DATA[::-1])


def changed_keeper(folder: Path) -> None:
    (folder / "one").write_bytes(DATA[::-1])


def replaced(folder: Path) -> None:
    file(folder / "new", DATA[::-1]).replace(folder / "other")


def linked(folder: Path) -> None:
    file(folder.parent / "elsewhere").replace(folder / "real")
    (folder / "other").unlink()
    (folder / "other").symlink_to("real")


@pytest.mark.parametrize("change", [changed_size, changed_bytes, changed_keeper, replaced, linked])
def test_what_changed_since_it_was_looked_at_is_not_touched(change: object, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    planned = step(folder)
    change(folder)  # type: ignore[operator]
    before = contents(folder)
    assert replace(planned, clone) == "changed" and contents(folder) == before


def test_what_only_looked_alike_is_not_touched(tmp_path: Path) -> None:
    planned = step(tmp_path)
    odd = file(tmp_path / "other", DATA[:-1] + b"!")
    planned = but(planned, looked=identity(odd.lstat()))
    assert replace(planned, clone) == "differs"
    assert contents(tmp_path) == {"one": DATA, "other": DATA[:-1] + b"!"}


def test_a_blob_that_is_not_what_its_name_claims_lends_nothing(tmp_path: Path) -> None:
    assert replace(step(tmp_path, claims=("0" * 64,)), clone) == "differs"
    assert not (tmp_path / "one").samefile(tmp_path / "other")


def test_a_change_while_it_is_read_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_whole = reclaim._sha256

    def read_and_change(path: str) -> str:
        found = read_whole(path)
        if path.endswith("one"):
            file(tmp_path / "other", b"newer")
        return found

    monkeypatch.setattr(reclaim, "_sha256", read_and_change)
    assert replace(step(tmp_path), clone) == "changed"
    assert contents(tmp_path) == {"one": DATA, "other": b"newer"}


def test_a_file_system_that_cannot_lend_blocks_leaves_all_as_it_was(tmp_path: Path) -> None:
    def refuse(target: int, source: int) -> None:
        raise OSError("not supported")

    assert replace(step(tmp_path, "clone"), refuse) == "refused"
    assert contents(tmp_path) == {"one": DATA, "other": DATA}


def test_where_a_clone_is_refused_a_link_will_do_for_what_may_be_linked(tmp_path: Path) -> None:
    planned = but(step(tmp_path, "clone"), may_link=True)
    assert replace(planned, lambda target, source: None) == "done"
    assert (tmp_path / "one").samefile(tmp_path / "other") and set(contents(tmp_path)) == {"one", "other"}


def test_a_clone_that_is_cut_short_is_thrown_away(tmp_path: Path) -> None:
    assert replace(step(tmp_path, "clone"), lambda target, source: None) == "refused"
    assert contents(tmp_path) == {"one": DATA, "other": DATA}


KILLED = """
import os, sys
from pathlib import Path
from tests.store.test_reclaim import clone, step
from weigh.store import reclaim

def counted(name):
    done = getattr(os, name)
    def call(*given, **named):
        pass_one()
        result = done(*given, **named)
        pass_one()
        return result
    return call

def pass_one():
    global left
    left -= 1
    if left == 0:
        os._exit(9)

for left in range(1, 100):
    folder = Path(sys.argv[1], str(left))
    folder.mkdir()
    planned = step(folder, sys.argv[2])
    child = os.fork()
    if child == 0:
        for name in ("open", "read", "readv", "link", "write", "fsync", "replace", "unlink", "chmod", "utime", "chown"):
            setattr(os, name, counted(name))
        os._exit(0 if reclaim.replace(planned, clone) == "done" else 1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(status)
    if status != 9:
        break
"""


@pytest.mark.parametrize("act", ["link", "clone"])
def test_killed_at_any_step_every_name_leads_to_its_whole_content(act: str, tmp_path: Path) -> None:
    around = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])}
    run = [sys.executable, "-c", KILLED, str(tmp_path), act]
    done = subprocess.run(run, capture_output=True, text=True, env=around, timeout=60)
    *killed, last = done.stdout.split()
    assert set(killed) == {"9"} and last == "0" and len(killed) > 10, done.stderr
    for folder in tmp_path.iterdir():
        there = contents(folder)
        assert {name: there[name] for name in ("one", "other")} == {"one": DATA, "other": DATA}, folder.name
        assert there.keys() <= {"one", "other", f"other{OURS}"}


def test_after_a_kill_the_next_run_does_the_same_step(tmp_path: Path) -> None:
    planned = step(tmp_path)
    os.link(tmp_path / "one", tmp_path / f"other{OURS}")
    assert replace(planned, clone) == "done" and contents(tmp_path) == {"one": DATA, "other": DATA}


def test_an_orphan_is_deleted_once_it_is_quiet(tmp_path: Path) -> None:
    planned = orphan(file(tmp_path / "a.incomplete"))
    written = (tmp_path / "a.incomplete").stat().st_ctime
    assert delete(planned, written + reclaim.QUIET - 1) == "busy" and contents(tmp_path)
    assert delete(planned, written + reclaim.QUIET + 1) == "done" and not contents(tmp_path)


def test_an_orphan_that_grew_or_went_is_left(tmp_path: Path) -> None:
    planned = orphan(file(tmp_path / "a.incomplete"))
    file(tmp_path / "a.incomplete", b"more of it")
    assert delete(planned, NOW * 2) == "changed" and contents(tmp_path)
    (tmp_path / "a.incomplete").unlink()
    assert delete(planned, NOW * 2) in ("changed", "refused")


def test_a_link_in_the_place_of_an_orphan_is_left(tmp_path: Path) -> None:
    planned = orphan(file(tmp_path / "a.incomplete"))
    (tmp_path / "a.incomplete").rename(tmp_path / "b")
    (tmp_path / "a.incomplete").symlink_to("b")
    assert delete(planned, NOW * 2) == "changed" and set(contents(tmp_path)) == {"a.incomplete", "b"}
