"""Protocol Buffers written by hand, where no library of the format installs."""

from __future__ import annotations

import struct


def varint(value: int) -> bytes:
    """Seven bits a byte, the last one without its high bit."""
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, content: bytes | int | str) -> bytes:
    """A number as a varint, anything else behind its length."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def floats(*values: float) -> bytes:
    """Packed."""
    return struct.pack(f"<{len(values)}f", *values)
