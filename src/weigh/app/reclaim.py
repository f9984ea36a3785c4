"""Room that is taken twice or for nothing: a plan of what may be given back, and its carrying out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from weigh.app.inventory import Asked, Surveyed, roots
from weigh.app.kept import Kept
from weigh.core.errors import WeighError
from weigh.core.value import Value
from weigh.store.reclaim import Act, Clone, Held, Result, Step, delete, is_busy, replace
from weigh.store.rows import identity, opened, read_rows, write_rows

# elsewhere: on another file system. edited: its owner may write into it. rights: another may read it, or owns it.
# shared: its owner's own command must do it. busy: somebody has it open, or may.
Reason = Literal["elsewhere", "edited", "rights", "shared", "busy"]


class Left(Value, frozen=True, kw_only=True):
    """A file that stays as it is, though it takes room."""

    path: str
    nbytes: int
    reason: Reason


class Plan(Value, frozen=True, kw_only=True):
    """`steps` in the order in which they are done: deletions first."""

    steps: tuple[Step, ...] = ()
    left: tuple[Left, ...] = ()

    @property
    def nbytes(self) -> int:
        """What the steps give back if all of them succeed."""
        return sum(step.nbytes for step in self.steps)


class Done(Value, frozen=True, kw_only=True):
    """One step carried out, or why not."""

    act: Act
    path: str
    nbytes: int
    result: Result


class Means(NamedTuple):
    """What it takes beside the files: the time, cloning, whether the file system at a path can, who holds a file."""

    now: Callable[[], float]
    clone: Clone
    can_clone: Callable[[str], bool]
    is_held: Held = lambda path: None


def plan(surveyed: Surveyed, means: Means) -> Plan:
    """What may be done, and what may not and why. Nothing is touched."""
    steps: list[Step] = []
    left: list[Left] = []
    for kept in surveyed.files:
        if kept.item.role in ("orphan", "ours"):
            if kept.item.why == "shared":
                left.append(Left(path=kept.item.path, nbytes=kept.row.size, reason="shared"))
            elif kept.item.role != "ours" and is_busy(kept.item.status, means.now(), means.is_held(kept.item.path)):
                left.append(Left(path=kept.item.path, nbytes=kept.row.size, reason="busy"))
            else:
                steps.append(_deletion(kept))
    for group in surveyed.groups:
        for found in _of_group(group, means):
            (steps if isinstance(found, Step) else left).append(found)  # type: ignore[arg-type]
    return Plan(steps=tuple(steps), left=tuple(left))


def carry_out(asked: Asked, what: Plan, means: Means, tell: Callable[[Done], None] = lambda done: None) -> list[Done]:
    """Step by step; whatever ends it in between, every step is done or not begun."""
    orphans = _still_orphans(asked)
    results: list[Done] = []
    for step in what.steps:
        if step.act == "delete":
            result = delete(step, means.now(), means.is_held) if step.path in orphans else "changed"
        else:
            result = replace(step, means.clone)
        done = Done(act=step.act, path=step.path, nbytes=step.nbytes, result=result)
        if step.act == "clone" and result == "done":
            _remember(asked.rows, step)
        results.append(done)
        tell(done)
    return results


def _deletion(kept: Kept) -> Step:
    alone = kept.item.status.st_nlink == 1
    nbytes = kept.row.size if alone else 0
    return Step(act="delete", path=kept.item.path, nbytes=nbytes, looked=identity(kept.item.status))


def _of_group(group: Sequence[Kept], means: Means) -> Iterator[Step | Left]:
    """On each file system one keeps its bytes, and the others share them where they may."""
    devices: dict[int, list[Kept]] = {}
    for kept in group:
        devices.setdefault(kept.item.status.st_dev, []).append(kept)
    for at, same in enumerate(devices.values()):
        keeper = max(same, key=_worth)
        if at:
            yield Left(path=keeper.item.path, nbytes=keeper.row.size, reason="elsewhere")
        for kept in same:
            if kept is not keeper:
                yield _shared(kept, keeper, means)


def _worth(kept: Kept) -> tuple[bool, int, bool, int]:
    """Who lends its bytes: one that is never written into, that many may read, that claims a hash, the oldest."""
    status = kept.item.status
    return kept.item.is_replaced, status.st_mode & 0o444, kept.item.claim is not None, -status.st_mtime_ns


def _shared(kept: Kept, keeper: Kept, means: Means) -> Step | Left:
    path, nbytes = kept.item.path, kept.row.size
    can_clone = means.can_clone(path)
    why = _why_not_linked(kept, keeper)
    if why is not None and not can_clone:
        return Left(path=path, nbytes=nbytes, reason=why)
    return Step(
        act="clone" if can_clone else "link",
        may_link=(can_clone and why is None) or None,
        path=path,
        nbytes=nbytes if kept.item.status.st_nlink == 1 else 0,
        looked=identity(kept.item.status),
        keeper=keeper.item.path,
        keeper_looked=identity(keeper.item.status),
        claims=tuple(sorted({one.item.claim for one in (kept, keeper) if one.item.claim is not None})),
    )


def _why_not_linked(kept: Kept, keeper: Kept) -> Reason | None:
    if not (kept.item.is_replaced and keeper.item.is_replaced):
        return "edited"
    return None if _same_rights(kept.item.status, keeper.item.status) else "rights"


def _same_rights(status: os.stat_result, keeper: os.stat_result) -> bool:
    """One owner, and whoever could read it before can read it after."""
    lost = status.st_mode & 0o444 & ~keeper.st_mode
    return (status.st_uid, status.st_gid) == (keeper.st_uid, keeper.st_gid) and not lost


def _still_orphans(asked: Asked) -> set[str]:
    """Looked through once more: what was named in the meantime is no orphan."""
    found: set[str] = set()
    for store, root in roots(asked):
        try:
            for item in store.walk(root):
                if item.role in ("orphan", "ours"):
                    found.add(item.path)
                else:
                    found.discard(item.path)
        except (OSError, WeighError):
            continue
    return found


def _remember(rows: str, step: Step) -> None:
    """That both share their bytes, though each has an inode of its own; forgotten as soon as one of them changes."""
    assert step.keeper is not None
    with opened(rows) as connection:
        known = read_rows(connection)
        keeper = known.get(step.keeper)
        row = known.get(step.path)
        if keeper is None or row is None:
            return
        status = os.lstat(step.path)
        clone = keeper.clone or f"clone {keeper.inode} {keeper.mtime}"
        inode, size, mtime = identity(status)
        row = row._replace(inode=inode, size=size, mtime=mtime, left=status.st_atime_ns, clone=clone)
        write_rows(connection, {step.path: row, step.keeper: keeper._replace(clone=clone)})
