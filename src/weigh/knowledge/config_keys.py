"""One quantity, many spellings: the keys of config.json and of GGUF for each."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class ConfigKey(Row, frozen=True, kw_only=True):
    """`config`: keys of config.json, the usual one first; `gguf`: the key behind the architecture's name."""

    config: tuple[str, ...]
    gguf: str | None = None


@functools.cache
def config_keys() -> Mapping[str, ConfigKey]:
    """Rows by the quantity's own name."""
    return {row.id: row for row in read_table("config_keys", ConfigKey)}
