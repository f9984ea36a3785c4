"""A file's bytes, whole or a range of them, by the kernel: what was hashed or nothing."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

from aiohttp import web

from weigh.app.mirror.snapshot import StoredFile, look_of

PIECE = 16 << 20  # bytes between two looks at the file, and at the clock
CHUNK = 1 << 18  # bytes that are encrypted at a time
LEAST_RATE = 16 << 10  # bytes a second that a client must take
GRACE = 30.0  # seconds besides
MOST_DIGITS = 18  # of a number in a range; a longer one is beyond every file
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class Changed(Exception):
    """The file is not the one that was hashed."""


class Part(NamedTuple):
    """Which bytes are sent, and how that is called; of a 304, a 412 and a 416 none."""

    status: int
    start: int
    nbytes: int


def part_of(headers: Mapping[str, str], nbytes: int, etag: str) -> Part:
    """What the conditions and the range of a request ask for. More than one range is answered by the whole."""
    if (wanted := headers.get("If-Match")) is not None and not _names(wanted, etag, weak=False):
        return Part(412, 0, 0)
    if (known := headers.get("If-None-Match")) is not None and _names(known, etag, weak=True):
        return Part(304, 0, 0)
    found = _RANGE.fullmatch(headers.get("Range", "").strip())
    only_if = headers.get("If-Range")
    if found is None or (only_if is not None and only_if.strip('" ') != etag) or not (found[1] or found[2]):
        return Part(200, 0, nbytes)
    if not found[1]:
        count = min(_number(found[2]), nbytes)
        return Part(206, nbytes - count, count) if count else Part(416, 0, 0)
    start, last = _number(found[1]), min(_number(found[2]) if found[2] else nbytes, nbytes - 1)
    if found[2] and _number(found[2]) < start:
        return Part(200, 0, nbytes)
    return Part(206, start, last - start + 1) if start < nbytes else Part(416, 0, 0)


def _names(field: str, etag: str, *, weak: bool) -> bool:
    """Is this content among those that a condition lists? RFC 9110, 13.1."""
    if field.strip() == "*":
        return True
    listed = (one.strip() for one in field.split(","))
    return etag in [(one.removeprefix("W/") if weak else one).strip('"') for one in listed]


def _number(digits: str) -> int:
    short = digits.lstrip("0")
    return int(short or "0") if len(short) <= MOST_DIGITS else 10**MOST_DIGITS


async def send(request: web.Request, stored: StoredFile, extra: Mapping[str, str]) -> web.StreamResponse:
    """The answer to GET and HEAD. Raises Changed before anything is sent."""
    part = part_of(request.headers, stored.nbytes, stored.etag)
    with open(_descriptor(stored), "rb", buffering=0) as file:
        response = web.StreamResponse(
            status=part.status, headers=_headers(stored.nbytes, stored.etag, part) | dict(extra)
        )
        response.content_length = None if part.status == 304 else part.nbytes
        await response.prepare(request)
        if part.nbytes and request.method != "HEAD":
            await _pour(request, response, file, stored, part)
            request["sent"] = part.nbytes
        await response.write_eof()
    return response


def send_bytes(request: web.Request, body: bytes, etag: str) -> web.Response:
    """The same for what is made here and lies in memory."""
    part = part_of(request.headers, len(body), etag)
    taken = body[part.start : part.start + part.nbytes]
    return web.Response(body=taken, status=part.status, headers=_headers(len(body), etag, part))


def _headers(nbytes: int, etag: str, part: Part) -> dict[str, str]:
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{etag}"',
        "Content-Type": "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": "attachment",
    }
    if part.status == 206:
        headers["Content-Range"] = f"bytes {part.start}-{part.start + part.nbytes - 1}/{nbytes}"
    if part.status == 416:
        headers["Content-Range"] = f"bytes */{nbytes}"
    return headers


def _descriptor(stored: StoredFile) -> int:
    """The look is of the open file: what was put in its place since has another. Raises Changed."""
    try:
        descriptor = os.open(stored.real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise Changed from error
    if look_of(os.fstat(descriptor)) != stored.look:
        os.close(descriptor)
        raise Changed
    return descriptor


async def _pour(
    request: web.Request, response: web.StreamResponse, file: BinaryIO, stored: StoredFile, part: Part
) -> None:
    """Piece by piece. A client that takes too little, and one whose file changes, is cut off: it sees that it broke."""
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    is_encrypted = isinstance(request.get_extra_info("ssl_object"), ssl.SSLObject)
    at, end = part.start, part.start + part.nbytes
    while at < end:
        count = min(PIECE, end - at)
        try:
            async with asyncio.timeout(GRACE + count / LEAST_RATE):
                if is_encrypted:
                    await _write(response, file, at, count)
                elif await asyncio.get_running_loop().sendfile(transport, file, at, count) != count:
                    raise Changed
        except (TimeoutError, Changed):
            transport.abort()
            raise ConnectionResetError from None
        at += count
        if look_of(os.fstat(file.fileno())) != stored.look:
            transport.abort()
            raise ConnectionResetError


async def _write(response: web.StreamResponse, file: BinaryIO, at: int, count: int) -> None:
    """What is encrypted goes through this process."""
    end = at + count
    while at < end:
        data = os.pread(file.fileno(), min(CHUNK, end - at), at)
        if not data:
            raise Changed
        await response.write(data)
        at += len(data)
