"""What is here held against what was said of it: every file right, changed, missing, extra or unchecked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from weigh.core.value import Value
from weigh.store.digest import Known
from weigh.store.members import Member

Status = Literal["ok", "changed", "missing", "extra", "unchecked"]
Basis = Literal["lock", "hub", "pull", "name", "signature"]
STATUSES: tuple[Status, ...] = ("changed", "missing", "extra", "unchecked", "ok")  # the worst first


class Said(NamedTuple):
    """What somebody says of one file; None where they do not."""

    nbytes: int | None = None
    sha256: str | None = None
    git: str | None = None


class Witness(NamedTuple):
    """Who says what of which files. `where` is what it was read from. To one that is `whole` a file that it does not
    name is extra; to one that `demands`, what it names and is not here is a difference. `ignored` it leaves out on
    purpose.
    """

    basis: Basis
    where: str
    files: Mapping[str, Said]
    whole: bool = True
    demands: bool = False
    ignored: tuple[str, ...] = ()


class Checked(Value, frozen=True, kw_only=True):
    """`by` are those who say something of it; of a file that is changed `differs` tells in what, `said` and `found` the
    two; `trouble` why it could not be read. `counts`: it is a difference by which the whole is not as it should be.
    """

    path: str
    status: Status
    counts: bool = False
    nbytes: int | None = None
    sha256: str | None = None
    by: tuple[Basis, ...] = ()
    differs: Literal["size", "sha256", "git_sha1"] | None = None
    said: str | None = None
    found: str | None = None
    trouble: str | None = None


def compare(
    members: Sequence[Member],
    known: Mapping[str, Known | None],
    witnesses: Sequence[Witness],
    *,
    whole: bool,
    beside: frozenset[str] = frozenset(),
) -> tuple[Checked, ...]:
    """Every file that is here or should be, by its path. `whole`: all that is named must be here; `beside` are files
    that are no part of the model unless somebody names them."""
    found = {member.path: member for member in members}
    named = {path for witness in witnesses for path in witness.files}
    part = {path: member for path, member in found.items() if path in named or path not in beside}
    rows = [_checked(member, known.get(path), witnesses) for path, member in part.items()]
    rows += [_missing(path, witnesses, whole=whole) for path in named - found.keys()]
    return tuple(sorted((row for row in rows if row is not None), key=lambda row: row.path))


def _checked(member: Member, known: Known | None, witnesses: Sequence[Witness]) -> Checked | None:
    path = member.path
    about = [(one.basis, one.files[path]) for one in witnesses if path in one.files]
    by = tuple(basis for basis, _ in about)
    if member.trouble == "gone":
        return _missing(path, witnesses, whole=True)
    if not about:
        return _stranger(member, known, witnesses)
    if known is None:
        return Checked(path=path, status="unchecked", by=by, trouble=member.trouble or "unreadable", counts=True)
    row = Checked(path=path, status="unchecked", nbytes=member.nbytes, sha256=known.sha256, by=by, counts=True)
    for _, said in about:
        for what, theirs, ours in _pairs(said, member, known):
            if theirs != ours:
                return _with(row, what, theirs, ours)
    if any(said.sha256 or said.git for _, said in about):
        return Checked(path=path, status="ok", nbytes=member.nbytes, sha256=known.sha256, by=by)
    return row


def _pairs(
    said: Said, member: Member, known: Known
) -> list[tuple[Literal["size", "sha256", "git_sha1"], str, str | None]]:
    """What they say beside what is found."""
    pairs: list[tuple[Literal["size", "sha256", "git_sha1"], str, str | None]] = []
    if said.nbytes is not None:
        pairs.append(("size", str(said.nbytes), str(member.nbytes)))
    if said.sha256 is not None:
        pairs.append(("sha256", said.sha256, known.sha256))
    elif said.git is not None:
        pairs.append(("git_sha1", said.git, known.git))
    return pairs


def _with(row: Checked, what: Literal["size", "sha256", "git_sha1"], theirs: str, ours: str | None) -> Checked:
    return Checked(
        path=row.path,
        status="changed",
        counts=True,
        nbytes=row.nbytes,
        sha256=row.sha256,
        by=row.by,
        differs=what,
        said=theirs,
        found=ours,
    )


def _stranger(member: Member, known: Known | None, witnesses: Sequence[Witness]) -> Checked | None:
    """A file of which nobody says anything: extra to whoever names all there should be."""
    path = member.path
    if any(path == left or path.startswith(f"{left}/") for one in witnesses for left in one.ignored):
        return None
    is_extra = any(one.whole for one in witnesses)
    return Checked(
        path=path,
        status="extra" if is_extra else "unchecked",
        counts=True,
        nbytes=member.nbytes if member.trouble is None else None,
        sha256=known.sha256 if known is not None else None,
        trouble=member.trouble,
    )


def _missing(path: str, witnesses: Sequence[Witness], *, whole: bool) -> Checked:
    about = [one for one in witnesses if path in one.files]
    counts = whole or any(one.demands for one in about)
    return Checked(path=path, status="missing", counts=counts, by=tuple(one.basis for one in about))
