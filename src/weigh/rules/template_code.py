"""A chat template reaches for the interpreter that renders it."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.templates import templates_in
from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule
from weigh.core.saying import Saying

TRAITS = ("internals", "computed", "load")


def check(evidence: Evidence) -> Iterator[Finding]:
    """One finding for each template, by the first such trait."""
    for path, seen, traits in templates_in(evidence):
        trait = next((one for one in traits if one.trait in TRAITS), None)
        if trait is not None:
            where, line = seen.where or path, trait.line or 1
            yield Finding(
                rule=RULE.id,
                severity="critical",
                confidence="certain",
                path=path,
                offset=seen.offset,
                verdict="malicious",
                detail=Saying(f"finding.template-code.{trait.trait}", where=where, line=line, value=trait.value),
            )


RULE = Rule(id="template-code", check=check)
