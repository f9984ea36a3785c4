"""What a verification found, on a screen and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from weigh.core.schema import SCHEMA
from weigh.core.units import in_bytes
from weigh.text import Language, place, safe, say

if TYPE_CHECKING:
    from weigh.app.verify import Proof
    from weigh.store.compare import Checked

MOST = 40
Written = Sequence[tuple[str, str]]


def proof_lines(proof: Proof, written: Written, language: Language) -> list[str]:
    """Who says what it should be, each file that is not, what was written; the last line is the verdict."""
    lines = [safe(proof.reference)]
    lines += [f"  {say(f'verify.by.{basis}', language, path=where)}" for basis, where in proof.by]
    wrong = [one for one in proof.files if one.status != "ok"]
    wrong.sort(key=lambda one: (not one.counts, one.path))
    lines += [place(one.path, None, language) + _what(one, language) for one in wrong[:MOST]]
    if len(wrong) > MOST:
        lines.append(say("verify.more", language, count=len(wrong) - MOST))
    lines += [say(f"verify.written.{what}", language, path=path) for what, path in written]
    return [*lines, verdict_line(proof, language)]


def verdict_line(proof: Proof, language: Language) -> str:
    """How many files are what, and what that comes to."""
    counts = Counter(one.status for one in proof.files)
    nbytes = sum(one.nbytes or 0 for one in proof.files if one.status == "ok")
    parts = [say("verify.count.ok", language, count=counts.pop("ok", 0), nbytes=nbytes)]
    parts += [say(f"verify.count.{status}", language, count=counts[status]) for status in sorted(counts)]
    said = say("explain.comma", language).join(parts)
    return say(f"verify.status.{_status(proof)}", language) + said


def document(proof: Proof, written: Written) -> dict[str, object]:
    """As JSON: every key always there."""
    counts = Counter[str](one.status for one in proof.files)
    return {
        "schema": SCHEMA,
        "reference": proof.reference,
        "folder": proof.folder,
        "status": proof.status,
        "against": [{"kind": basis, "where": where} for basis, where in proof.by],
        "counts": {status: counts[status] for status in ("ok", "changed", "missing", "extra", "unchecked")},
        "files": list(proof.files),
        "written": {what: path for what, path in written},
    }


def _status(proof: Proof) -> str:
    return "nothing" if not proof.by and proof.status == "unchecked" else proof.status


def _what(one: Checked, language: Language) -> str:
    if one.trouble is not None:
        return say(f"verify.trouble.{one.trouble}", language)
    if one.differs == "size":
        said, found = (in_bytes(int(size or 0)) for size in (one.said, one.found))
        if said == found:
            said, found = f"{one.said} B", f"{one.found} B"
        return say("verify.changed.size", language, said=said, found=found)
    if one.differs is not None:
        return say("verify.changed.hash", language, kind=one.differs, said=one.said or "", found=one.found or "")
    key = one.status if one.counts or one.status != "missing" else "not_taken"
    return say(f"verify.file.{key}", language)
