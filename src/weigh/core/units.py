"""Figures as people write them: bytes in GiB, parameters in B."""

from __future__ import annotations

_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def in_bytes(nbytes: int) -> str:
    """Binary units, three figures.

    >>> in_bytes(134), in_bytes(4920733696)
    ('134 B', '4.58 GiB')
    """
    if nbytes < 1024:
        return f"{nbytes} B"
    size, unit = float(nbytes), 0
    while size >= 1023.5 and unit < len(_BYTES) - 1:
        size, unit = size / 1024, unit + 1
    return f"{_three(size)} {_BYTES[unit]}"


def in_parameters(count: int | float) -> str:
    """Parameters with K, M, B or T, three figures.

    >>> in_parameters(8030261248), in_parameters(568), in_parameters(1.04e12)
    ('8.03 B', '568', '1.04 T')
    """
    for unit, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if count >= scale * 0.9995:
            return f"{_three(count / scale)} {unit}"
    return str(round(count))


def _three(size: float) -> str:
    return f"{size:.2f}" if size < 9.995 else f"{size:.1f}" if size < 99.95 else f"{size:.0f}"
