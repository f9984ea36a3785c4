"""Files put where other programs look, on systems of every kind."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from weigh.store import guard, quarantine
from weigh.store.digest import Digest, digest_of_name, of_file
from weigh.store.guard import alone
from weigh.store.layouts import LAYOUTS, huggingface
from weigh.store.layouts.layout import Address, Parcel, Shipment
from weigh.store.listings import of_cache
from weigh.store.partial import cannot_write
from weigh.store.quarantine import Quarantine, near, verified

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ADDRESS = Address(namespace="org", name="name", revision="refs/pr/1", commit=COMMIT)
DATA = b"some weights"


def parcel(source: Path, *, path: str = "sub/w.bin", is_ours: bool = False) -> Parcel:
    digest = Digest(kind="sha256", hex=of_file(str(source), Digest(kind="sha256", hex="")).sha256)
    return Parcel(path=path, nbytes=len(DATA), digest=digest, source=str(source), is_ours=is_ours)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(DATA)
    return path


def refuse(*arguments: object, **options: object) -> None:
    raise OSError(errno.EPERM, "no links here")


@pytest.mark.parametrize("without", [(), ("symlink",), ("link",), ("symlink", "link")])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_file_is_released_with_links_and_without(
    tmp_path: Path,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    without: tuple[str, ...],
    layout: object,
    is_ours: bool,
) -> None:
    for name in without:
        monkeypatch.setattr(os, name, refuse)
    assert isinstance(layout, type(LAYOUTS[0]))
    one = parcel(source, is_ours=is_ours)
    for _ in range(2):
        source.write_bytes(DATA)
        folder = layout.release(str(tmp_path / "root"), Shipment(address=ADDRESS, parcels=(one,)))
        assert Path(folder, "sub", "w.bin").read_bytes() == DATA
    assert Path(layout.find(str(tmp_path / "root"), ADDRESS, one.path, one.digest)).read_bytes() == DATA
    assert [str(path) for path in tmp_path.rglob("*.tmp")] == []


def test_a_ref_with_a_slash_leads_to_its_commit(tmp_path: Path, source: Path) -> None:
    huggingface.release(str(tmp_path), Shipment(address=ADDRESS, parcels=(parcel(source),)))
    assert (tmp_path / "models--org--name" / "refs" / "refs" / "pr" / "1").read_text() == COMMIT


def test_blobs_are_known_by_the_hash_they_are_called_by(tmp_path: Path, source: Path) -> None:
    one = parcel(source)
    huggingface.release(str(tmp_path), Shipment(address=ADDRESS, parcels=(one,)))
    (tmp_path / "models--org--name" / "blobs" / f"{'a' * 40}.1234.incomplete").write_bytes(b"")
    assert [digest for digest, _ in huggingface.contents(str(tmp_path))] == [one.digest]


def test_the_tree_that_the_stock_client_keeps_is_a_listing(tmp_path: Path) -> None:
    home = tmp_path / "models--org--name"
    (home / "trees").mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)
    (home / "trees" / f"{COMMIT}.json").write_text(
        '{"format_version": 1, "files": {"a": {"size": 3, "blob_id": "' + "1" * 40 + '", "xet_hash": "x"}}}'
    )
    for revision in ("main", COMMIT):
        found = of_cache(str(home), revision)
        assert found is not None and found.files["a"].nbytes == 3 and found.about.commit == COMMIT
    assert of_cache(str(home), "other") is None


@pytest.mark.parametrize(
    ("name", "kind"), [("a" * 64, "sha256"), ("a" * 40, "git"), ("a" * 50, None), ("A" * 64, None)]
)
def test_a_name_claims_a_hash_or_none(name: str, kind: str | None) -> None:
    found = digest_of_name(name)
    assert (found.kind if found is not None else None) == kind


def test_what_was_verified_is_read_again_only_after_it_changed(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, digest = Quarantine(root=str(tmp_path / "q")), parcel(source).digest
    read: list[str] = []

    def of_file_noted(path: str, digest: Digest) -> object:
        read.append(path)
        return of_file(path, digest)

    monkeypatch.setattr(quarantine, "of_file", of_file_noted)
    assert [verified(str(source), digest, own) for _ in range(3)] == [True] * 3 and len(read) == 1
    source.write_bytes(b"other weights")
    assert not verified(str(source), digest, own) and len(read) == 2


def test_the_quarantine_is_on_the_file_system_of_its_destination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination, preferred = str(tmp_path / "to" / "come"), str(tmp_path / "own")
    assert near(destination, preferred).root == preferred
    real = os.stat

    def elsewhere(path: str, **options: object) -> os.stat_result:
        found = real(path)
        return os.stat_result((*found[:2], found.st_dev + 1, *found[3:10])) if path == preferred else found

    monkeypatch.setattr(os, "stat", elsewhere)
    assert near(destination, preferred).root == os.path.join(destination, ".weigh")


# One at a time


@pytest.mark.parametrize("by_name", [True, False])
def test_a_lock_is_held_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_name: bool) -> None:
    if by_name:
        monkeypatch.setattr(guard, "_has_flock", lambda: False)
    path, inside, most = str(tmp_path / "locks" / "x.lock"), [], []

    def work() -> None:
        for _ in range(20):
            with alone(path, lambda seconds: threading.Event().wait(0.001)):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert max(most) == 1 and len(most) == 80 and not os.path.exists(path)


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    path = str(tmp_path / "x.lock")
    code = f"import os\nfrom weigh.store.guard import alone\nwith alone({path!r}, print): os._exit(9)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, timeout=30).returncode == 9
    told: list[str] = []
    with alone(path, lambda seconds: told.append("waited"), lambda: told.append("waits")):
        assert told == []


def test_a_lock_that_nobody_renewed_for_long_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_has_flock", lambda: False)
    path = tmp_path / "x.lock"
    path.write_text("")
    os.utime(path, (1, 1))
    with alone(str(path), lambda seconds: None):
        pass


def test_whoever_waits_may_give_up(tmp_path: Path) -> None:
    path = str(tmp_path / "x.lock")

    def give_up(seconds: float) -> None:
        raise TimeoutError

    with alone(path, give_up), pytest.raises(TimeoutError), alone(path, give_up):
        pass


def test_a_full_disk_is_said_to_be_full() -> None:
    assert cannot_write(OSError(errno.ENOSPC, "no space"), "x").saying.key == "error.store.full"
    assert cannot_write(OSError(errno.EACCES, "no"), "x").saying.values["reason"] == "no"
