"""Memory by term, with its sum."""

from __future__ import annotations

from weigh.core.fit import Memory


def summed(**terms: int) -> Memory:
    """With their total."""
    return Memory(**terms, total=sum(terms.values()))
