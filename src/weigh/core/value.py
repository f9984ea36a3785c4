"""The one base of our values: frozen, named arguments only, defaults left out of JSON."""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Defaults of fields are None or empty: None means nobody says."""
