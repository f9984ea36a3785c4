"""What time it is; SOURCE_DATE_EPOCH stands for now where it is set, so that what is written can be written again."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime


def now() -> datetime:
    """With its time zone."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(fixed), UTC) if fixed.isdigit() else datetime.now(UTC)


def today() -> date:
    """The user's own day."""
    return now().date() if os.environ.get("SOURCE_DATE_EPOCH", "").isdigit() else date.today()
