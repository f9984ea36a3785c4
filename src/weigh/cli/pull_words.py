"""A pull on a screen and as JSON: what is planned, what came of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from weigh.core.report import Report
from weigh.core.schema import SCHEMA
from weigh.core.units import in_bytes
from weigh.text import Language, complain_about, place, safe, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from weigh.store.plan import Item, Plan

Told = tuple[str, str, str | None, int]  # status, folder, lock, files fetched
MOST_FILES, MOST_FINDINGS = 40, 8


def plan_lines(plan: Plan, language: Language) -> RenderableType:
    """A table of the files, then what there is to know before one agrees."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    for item in plan.items[:MOST_FILES]:
        size = in_bytes(item.nbytes) if item.nbytes is not None else "-"
        table.add_row(Text(f"  {safe(item.path)}"), size, say("pull.here", language) if item.here else "")
    lines: list[RenderableType] = [Text(_head(plan), style="bold"), table]
    if len(plan.items) > MOST_FILES:
        lines.append(Text("  " + say("pull.more", language, count=len(plan.items) - MOST_FILES), style="dim"))
    lines += [Text(f"  {line}") for line in _facts(plan, language)]
    return Group(*lines)


def outcome_lines(plan: Plan, told: Told, report: Report | None, language: Language) -> list[str]:
    """What came of it; the last line is all that matters."""
    status, folder, lock, _ = told
    lines = []
    if report is not None:
        lines += _reasons(report, language)
    if lock is not None:
        lines.append(say("pull.lock", language, path=lock))
    verdict = say(f"verdict.{report.verdict}", language) if report is not None and report.verdict is not None else "-"
    if status == "held":
        lines.append(say("pull.how_to_release", language, reference=reference_of(plan)))
        lines.append(say("pull.held", language, verdict=verdict, path=folder))
    elif status == "deleted":
        lines.append(say("pull.deleted", language, reference=reference_of(plan)))
    else:
        lines.append(say("pull.released", language, verdict=verdict, path=folder))
    return lines


def _reasons(report: Report, language: Language) -> list[str]:
    """What weighs against it, and what nobody could look at."""
    if report.error is not None:
        return [complain_about(report.error, language)]
    found = [(one.path, one.offset, one.detail) for one in report.findings if one.verdict is not None]
    found += [(one.path, None, one.detail) for one in report.skips if one.matters and one.detail is not None]
    return [place(path, offset, language) + say(detail, language) for path, offset, detail in found[:MOST_FINDINGS]]


def document(plan: Plan, told: Told | None, report: Report | None) -> dict[str, object]:
    """As JSON: every key always there but for what nobody says."""
    said: dict[str, object] = {
        "schema": SCHEMA,
        "reference": reference_of(plan),
        "hub": plan.hub,
        "repository": plan.address.repository,
        "revision": plan.address.revision,
        "commit": plan.address.commit,
        "licence": plan.licence,
        "gated": plan.gated,
        "quantisation": plan.tag,
        "layout": plan.layout,
        "destination": plan.destination,
        "nbytes": plan.nbytes,
        "to_fetch": plan.to_fetch,
        "room": plan.room,
        "is_remembered": plan.is_remembered or None,
        "files": [_file(item) for item in plan.items],
        "left_out": [{"path": one.path, "why": one.why, "kind": one.kind} for one in plan.left],
        "status": "planned" if told is None else told[0],
    }
    if told is not None:
        said |= {"folder": told[1], "lock": told[2], "fetched": told[3]}
    if report is not None:
        said |= {"verdict": report.verdict, "findings": list(report.findings), "skips": list(report.skips)}
    return {key: value for key, value in said.items() if value is not None}


def reference_of(plan: Plan) -> str:
    """What was pulled, as one would write it."""
    if plan.hub not in ("hf", "ms"):
        return plan.items[0].sources[0].url if plan.items and plan.items[0].sources else plan.address.name
    return f"{plan.hub}:{plan.address.repository}"


def _file(item: Item) -> dict[str, object]:
    hashes = {one.kind: one.hex for one in (item.digest, item.blob) if one is not None and one.is_of_content}
    names = {"sha256": "sha256", "git": "git_sha1"}
    return {
        "path": item.path,
        "nbytes": item.nbytes,
        **{names[kind]: value for kind, value in hashes.items()},
        "is_here": item.here is not None,
    }


def _head(plan: Plan) -> str:
    commit = f"@{plan.address.commit[:12]}" if plan.address.commit else f"@{plan.address.revision}"
    return safe(reference_of(plan)) + (commit if plan.hub in ("hf", "ms") else "")


def _facts(plan: Plan, language: Language) -> list[str]:
    """Bytes, room, licence, gate, what is left out, where it goes."""
    lines = [
        say("pull.bytes", language, count=len(plan.items), nbytes=plan.nbytes, to_fetch=plan.to_fetch),
        say("pull.to", language, path=plan.destination),
    ]
    if plan.is_remembered:
        lines.append(say("pull.remembered", language))
    if plan.room is not None:
        lines.append(say("pull.room", language, room=plan.room))
    if plan.tag is not None:
        lines.append(say("pull.quant", language, tag=plan.tag))
    if plan.licence is not None:
        lines.append(say("pull.licence", language, licence=plan.licence))
    if plan.gated is not None:
        lines.append(say("pull.gated", language))
    left = Counter(f"pull.left.{one.why}" if one.kind is None else f"pull.left.{one.kind}" for one in plan.left)
    lines += [say(key, language, count=count) for key, count in sorted(left.items())]
    if any(one.why in ("double", "quant") for one in plan.left):
        lines.append(say("pull.take_all", language))
    return lines
