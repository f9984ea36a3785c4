"""Which formats a file of some suffix may hold; `*` for a suffix that many makers use for what they like."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class SuffixClaim(Row, frozen=True, kw_only=True):
    """`id` is the suffix with its dot; `formats` are format identifiers."""

    formats: tuple[str, ...]


@functools.cache
def suffix_claims() -> Mapping[str, frozenset[str]]:
    """Formats by suffix."""
    return {row.id: frozenset(row.formats) for row in read_table("suffix_claims", SuffixClaim)}
