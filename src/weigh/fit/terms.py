"""Memory by term, with its sum."""

from __future__ import annotations

import msgspec

from weigh.core.fit import Memory


def summed(**terms: int) -> Memory:
    """With their total."""
    return Memory(**terms, total=sum(terms.values()))


def with_more(need: Memory, **terms: int) -> Memory:
    """The same with some terms put anew."""
    fields = {**msgspec.structs.asdict(need), **terms}
    fields.pop("total")
    return summed(**fields)
