"""What `weigh check` says of a reference as JSON: every key always there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from weigh.core.report import Report
from weigh.core.saying import Saying
from weigh.text import Language, say


def check_document(report: Report, imports: Sequence[Mapping[str, str]], language: Language) -> dict[str, Any]:
    """Keys in the order of the contract; `error` only where it could not be done."""

    def put_into_words(value: object) -> object:
        if isinstance(value, Saying):
            return say(value, language)
        raise TypeError(type(value))

    plain = msgspec.to_builtins(report, enc_hook=put_into_words, str_keys=True)
    document = {
        "schema": report.schema,
        "reference": plain["reference"],
        "verdict": report.verdict,
        "files": plain.get("files", []),
        "claims": plain.get("claims", []),
        "findings": plain.get("findings", []),
        "skips": plain.get("skips", []),
        "imports": list(imports),
    }
    return document | ({"error": plain["error"]} if report.error is not None else {})
