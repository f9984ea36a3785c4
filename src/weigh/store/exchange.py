"""Two folders change places, in one step where the system has one."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE, renameat2(2)


def exchange(one: str, other: str) -> None:
    """Afterwards each is where the other was. Raises OSError, with both where they were.

    On Linux nobody sees a moment in which one is missing; elsewhere, and on file systems that cannot, there is one.
    """
    if _at_once(one, other):
        return
    away = f"{other}.{os.getpid()}.away"
    os.rename(other, away)
    try:
        os.rename(one, other)
    except OSError:
        with suppress(OSError):
            os.rename(away, other)
        raise
    os.rename(away, one)


def _at_once(one: str, other: str) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)
