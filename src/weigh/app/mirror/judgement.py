"""What `check` says of a snapshot, kept by its contents: served, or held and why."""

from __future__ import annotations

import hashlib
import os
import time
from typing import Literal

import msgspec
from msgspec.structs import replace

from weigh.app.arrival import is_held
from weigh.app.mirror.snapshot import Snapshot, look_of
from weigh.app.policy import Policy, laid_over, read_policy
from weigh.app.wall import check
from weigh.app.wish import Wish
from weigh.core.finding import Verdict
from weigh.core.report import Report
from weigh.core.value import Value
from weigh.store.guard import alone
from weigh.store.quarantine import write

VERSION = 2  # of what is kept; another one is judged anew
MOST_REASONS = 5
DAMAGED, UNSEEN = "damaged", "unseen"


class Reason(Value, frozen=True, kw_only=True):
    """Why: a rule, or `damaged`, `unseen` or `operator`, and the file."""

    rule: str
    path: str


class Judgement(Value, frozen=True, kw_only=True):
    """`by` is who said so last: `check`, or the operator of the mirror."""

    verdict: Verdict
    is_held: bool
    by: Literal["check", "operator"]
    reasons: tuple[Reason, ...] = ()


def judge(snapshot: Snapshot, state: str, policy_path: str | None) -> Judgement:
    """Once for each content and policy, by one process at a time.

    Raises WeighError for a policy that is none, OSError for files that change meanwhile.
    """
    if (said := recall(snapshot, state, policy_path)) is not None:
        return said
    path = _kept_at(snapshot, state, policy_path)
    with alone(os.path.join(state, "locks", f"judge-{snapshot.fingerprint}.lock"), time.sleep):
        said = _read(path)
        if said is None:
            said = _judged(snapshot, policy_path)
            write(path, msgspec.json.encode(said))
    return said


def recall(snapshot: Snapshot, state: str, policy_path: str | None) -> Judgement | None:
    """What is known of this content already, by the operator or by a check."""
    return _read(_operators(snapshot, state)) or _read(_kept_at(snapshot, state, policy_path))


def decide(snapshot: Snapshot, state: str, *, held: bool) -> Judgement:
    """What the operator says of this content stands above what was found."""
    said = Judgement(
        verdict="suspicious" if held else "clean",
        is_held=held,
        by="operator",
        reasons=(Reason(rule="operator", path="."),) if held else (),
    )
    write(_operators(snapshot, state), msgspec.json.encode(said))
    return said


def _kept_at(snapshot: Snapshot, state: str, policy_path: str | None) -> str:
    return os.path.join(state, "judgements", f"{snapshot.fingerprint}.{_policy_key(policy_path)}.json")


def _operators(snapshot: Snapshot, state: str) -> str:
    return os.path.join(state, "decisions", f"{snapshot.fingerprint}.json")


def _judged(snapshot: Snapshot, policy_path: str | None) -> Judgement:
    if snapshot.damaged:
        reasons = tuple(Reason(rule=DAMAGED, path=path) for path in snapshot.damaged[:MOST_REASONS])
        return Judgement(verdict="broken", is_held=True, by="check", reasons=reasons)
    policy = read_policy(policy_path) if policy_path is not None else None
    wish = Wish(allow=policy.allow if policy is not None else (), only=frozenset(snapshot.files))
    wish = replace(wish, jobs=os.cpu_count() or 1)
    report = laid_over(check(snapshot.folder, wish), policy or Policy())
    if any(look_of(os.stat(file.real)) != file.look for file in snapshot.files.values()):
        raise BlockingIOError(snapshot.folder)  # it changed under the eyes of the check
    held = is_held(report, policy)
    return Judgement(
        verdict=report.verdict or "incomplete",
        is_held=held,
        by="check",
        reasons=_reasons(report) if held else (),
    )


def _reasons(report: Report) -> tuple[Reason, ...]:
    """The worst come first in a report."""
    found = tuple(Reason(rule=one.rule, path=one.path) for one in report.findings[:MOST_REASONS])
    return found or (Reason(rule=UNSEEN, path="."),)


def _policy_key(path: str | None) -> str:
    data = b""
    if path is not None:
        with open(path, "rb") as file:
            data = file.read()
    return hashlib.sha256(b"%d %d " % (VERSION, path is not None) + data).hexdigest()[:16]


def _read(path: str) -> Judgement | None:
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=Judgement)
    except (OSError, msgspec.DecodeError):
        return None
