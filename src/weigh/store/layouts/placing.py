"""A verified file put where it belongs, whole from its first moment."""

from __future__ import annotations

import os
from contextlib import suppress

from weigh.store.layouts.layout import Parcel
from weigh.store.quarantine import copy, move


def place(parcel: Parcel, target: str, *, linked: bool = True) -> None:
    """By a second name for what is ours (whoever fetched it takes the first away), and for another's where `linked`;
    else by a copy. Raises OSError.
    """
    if is_same_file(parcel.source, target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if (linked or parcel.is_ours) and _link(os.path.realpath(parcel.source), target):
        return
    if parcel.is_ours:
        move(parcel.source, target)
    else:
        copy(parcel.source, target)


def is_same_file(one: str, other: str) -> bool:
    """Do both names lead to one file?"""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _link(source: str, target: str) -> bool:
    temporary = f"{target}.{os.getpid()}.tmp"
    try:
        os.link(source, temporary)
        os.replace(temporary, target)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        return False
    return True
