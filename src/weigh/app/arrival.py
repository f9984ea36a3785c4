"""What arrived, looked at before anybody loads it: released into its layout, or held."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from weigh.app.policy import Policy, laid_over
from weigh.app.stores import Finder, Goal
from weigh.app.wish import Weighed
from weigh.core.errors import SourceError
from weigh.core.finding import SEVERITIES, Skip
from weigh.core.report import Report
from weigh.store.digest import Digest, of_file
from weigh.store.layouts.layout import Parcel, Shipment
from weigh.store.partial import cannot_write
from weigh.store.plan import Item, Plan
from weigh.store.quarantine import Quarantine, twin, verified

HELD = ("malicious", "broken")
Examine = Callable[[str], Weighed]


class Gate(NamedTuple):
    """How what arrived is looked at: `policy` None holds what is malicious or broken alone; `is_open` lets all pass."""

    examine: Examine
    policy: Policy | None = None
    is_open: bool = False


def look_at(plan: Plan, parcels: Sequence[Parcel], quarantine: Quarantine, gate: Gate) -> tuple[Report, str]:
    """What `check` says of the files under their own names, and the folder where it saw them."""
    view = view_of(plan, quarantine)
    try:
        shutil.rmtree(view, ignore_errors=True)
        for parcel in parcels:
            twin(parcel.source, os.path.join(view, *parcel.path.split("/")))
    except OSError as error:
        raise cannot_write(error, view) from error
    seen = os.path.join(view, *parcels[0].path.split("/")) if len(parcels) == 1 else view
    report = laid_over(gate.examine(seen), gate.policy or Policy())
    return report, view


def is_held(report: Report, policy: Policy | None) -> bool:
    """Is it kept from being loaded? By default only for what is malicious or broken, or could not be looked at: its
    reader died of it."""
    if report.verdict in HELD or report.error is not None or any(map(_is_unseen, report.skips)):
        return True
    if policy is None:
        return False
    limit = SEVERITIES.index(policy.fail_on) if policy.fail_on is not None else -1
    return any(one.rule == "policy" or SEVERITIES.index(one.severity) <= limit for one in report.findings)


def _is_unseen(skip: Skip) -> bool:
    return skip.detail is not None and skip.detail.key == "problem.reader_died"


def parcels_of(plan: Plan, finder: Finder, quarantine: Quarantine) -> tuple[Parcel, ...]:
    """Every file where its verified content lies now. Raises SourceError where one is gone."""
    seen: set[str] = set()
    found = []
    for item in plan.items:
        parcel = _parcel(item, finder, quarantine, is_first=item.digest.key not in seen)
        found.append(_named(parcel) if plan.layout == "hf" else parcel)
        seen.add(item.digest.key)
    return tuple(found)


def _parcel(item: Item, finder: Finder, quarantine: Quarantine, *, is_first: bool) -> Parcel:
    """Of two files with one content the second is a copy: who edits one does not mean the other."""
    ours = quarantine.object(item.digest)
    is_ours = os.path.exists(ours)
    source = ours if is_ours else finder.place_of(item)
    if source is None or not (is_ours or verified(source, item.digest, quarantine)):
        raise SourceError("store.gone", path=item.path)
    return Parcel(
        path=item.path,
        nbytes=os.stat(source).st_size,
        digest=item.blob or item.digest,
        source=source,
        is_ours=is_ours and is_first,
    )


def _named(parcel: Parcel) -> Parcel:
    """Under the hash that it has, where nobody told one: a cache calls it by no other."""
    if parcel.digest.is_of_content:
        return parcel
    found = of_file(parcel.source, Digest(kind="sha256", hex="")).sha256
    return msgspec.structs.replace(parcel, digest=Digest(kind="sha256", hex=found))


def release(plan: Plan, parcels: tuple[Parcel, ...], goal: Goal) -> str:
    """Into the layout: the folder that loaders open. Raises SourceError."""
    try:
        return goal.layout.release(goal.root, Shipment(address=plan.address, parcels=parcels, tree=plan.tree))
    except OSError as error:
        raise cannot_write(error, goal.root) from error


def view_of(plan: Plan, quarantine: Quarantine) -> str:
    """Where the files lie under their own names while they are looked at, and when they are held."""
    address = plan.address
    return quarantine.view(f"models--{address.flat}", (address.commit or address.revision).replace("/", "--"))


def forget(plan: Plan, quarantine: Quarantine, *, objects: bool) -> None:
    """Take the view away; with `objects` also what was fetched and is nowhere else."""
    view = view_of(plan, quarantine)
    shutil.rmtree(view, ignore_errors=True)
    for item in plan.items if objects else ():
        with suppress(OSError):
            os.unlink(quarantine.object(item.digest))
    with suppress(OSError):
        os.removedirs(os.path.dirname(view))
