"""One step of a reclaim, done at once or not at all: a double becomes a name for another's bytes, an orphan goes.

Killed at any moment, every name leads to its whole content; at most a second name that ends in OURS is left beside,
which takes no room and is taken away by the next run.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import msgspec

from weigh.core.value import Value
from weigh.store.digest import Digest, of_file
from weigh.store.inventory.walk import OURS
from weigh.store.rows import identity

QUIET = 3600.0  # seconds since anyone wrote to a file that is deleted, where nobody can tell who has it open

Act = Literal["link", "clone", "delete"]
# changed: it is not what it was when it was looked at. differs: the bytes are not the same, or not what a name claims.
# busy: somebody has it open, or may. refused: the system does not allow it.
Result = Literal["done", "changed", "differs", "busy", "refused"]
Clone = Callable[[int, int], None]  # descriptors of the new file and of the one that lends its bytes; may raise OSError
Held = Callable[[str], bool | None]  # has a process the file open? None where nobody can tell
Identity = tuple[str, int, int]


class Step(Value, frozen=True, kw_only=True):
    """`keeper` lends its bytes to `path`; None where that is deleted. The identities are as they were looked at.

    `may_link` says that a link will do where a clone is refused.
    """

    act: Act
    path: str
    nbytes: int
    looked: Identity
    keeper: str | None = None
    keeper_looked: Identity | None = None
    claims: tuple[str, ...] = ()
    may_link: bool | None = None


def delete(step: Step, now: float, is_held: Held = lambda path: None) -> Result:
    """An orphan that nobody writes to any more."""
    try:
        status = os.lstat(step.path)
        if not _is_itself(step.path) or identity(status) != step.looked:
            return "changed"
        if is_busy(status, now, is_held(step.path)) and not step.path.endswith(OURS):
            return "busy"
        os.unlink(step.path)
    except OSError:
        return "refused"
    return "done"


def is_busy(status: os.stat_result, now: float, is_held: bool | None) -> bool:
    """Has somebody got it open? Where nobody can tell: was it written to, or named, within QUIET?"""
    return is_held if is_held is not None else now - max(status.st_mtime, status.st_ctime) < QUIET


def replace(step: Step, clone: Clone) -> Result:
    """Both read whole, found equal, and only then one renamed over by a second name, or a clone, of the other."""
    assert step.keeper is not None
    try:
        if not _are_same(step):
            return "changed"
        if not _have_one_content(step):
            return "differs"
        return _put_in_place(step, clone)
    except OSError:
        return replace(msgspec.structs.replace(step, act="link", may_link=None), clone) if step.may_link else "refused"


def _are_same(step: Step) -> bool:
    """Are both still the files that were looked at, reached without a link?"""
    assert step.keeper is not None
    pairs = ((step.path, step.looked), (step.keeper, step.keeper_looked))
    return all(_is_itself(path) and identity(os.lstat(path)) == looked for path, looked in pairs)


def _have_one_content(step: Step) -> bool:
    """By sha256; what is not what its name claims is kept out of it."""
    assert step.keeper is not None
    one, other = _sha256(step.path), _sha256(step.keeper)
    return one == other and all(claim == one for claim in step.claims)


def _sha256(path: str) -> str:
    return of_file(path, Digest(kind="sha256", hex="")).sha256


def _put_in_place(step: Step, clone: Clone) -> Result:
    assert step.keeper is not None
    temporary = f"{step.path}{OURS}"
    with suppress(FileNotFoundError):
        os.unlink(temporary)  # of a run that was cut off: a second name, or a clone that nobody saw
    try:
        if step.act == "link":
            _flush(step.keeper)
            _link(step.keeper, temporary)
        else:
            _clone(step, temporary, clone)
        lent = os.lstat(temporary)
        if not _are_same(step) or (step.act == "link" and identity(lent) != step.keeper_looked):
            return "changed"
        os.replace(temporary, step.path)
    finally:
        with suppress(OSError):
            os.unlink(temporary)
    _flush_folder(os.path.dirname(step.path))
    return "done"


def _link(keeper: str, name: str) -> None:
    """A second name; where the system can be told so, never for the aim of a link."""
    if os.link in os.supports_follow_symlinks:
        os.link(keeper, name, follow_symlinks=False)
    else:
        os.link(keeper, name)


def _clone(step: Step, temporary: str, clone: Clone) -> None:
    """A file of its own that shares its blocks with the keeper, with the rights and times of the one it replaces."""
    assert step.keeper is not None
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    target = os.open(temporary, flags, 0o600)
    try:
        source = os.open(step.keeper, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            clone(target, source)
            if os.fstat(target).st_size != step.nbytes:
                raise OSError(errno.EIO, "a clone of another size")
            os.fsync(target)
        finally:
            os.close(source)
    finally:
        os.close(target)
    shutil.copystat(step.path, temporary)
    if hasattr(os, "chown"):
        status = os.lstat(step.path)
        os.chown(temporary, status.st_uid, status.st_gid)


def reflink(target: int, source: int) -> None:
    """Linux' FICLONE: the file system lends the blocks until one side writes. Raises OSError where it cannot."""
    try:
        import fcntl
    except ImportError as error:
        raise OSError(errno.EOPNOTSUPP, "no reflinks here") from error
    fcntl.ioctl(target, 0x40049409, source)


def _is_itself(path: str) -> bool:
    return os.path.realpath(path) == path


def _flush(path: str) -> None:
    """What it lends must be on the disk before the other copy goes."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(path: str) -> None:
    if hasattr(os, "O_DIRECTORY"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
