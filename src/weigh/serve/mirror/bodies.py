"""What a client sends along, within bounds of size and time."""

from __future__ import annotations

import asyncio
from typing import TypeVar
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from weigh.core.saying import Saying
from weigh.serve.mirror.refusal import Refusal

SECONDS = 20.0
MOST_FIELDS = 10_000
S = TypeVar("S")


async def json_body(request: web.Request, shape: type[S]) -> S:
    """By shape. Raises Refusal."""
    try:
        return msgspec.json.decode(await _body(request), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "Other", Saying("mirror.body")) from None


async def form_body(request: web.Request, field: str) -> list[str]:
    """Every value of a field of a form. Raises Refusal."""
    try:
        text = (await _body(request)).decode("utf-8", "replace")
        return parse_qs(text, max_num_fields=MOST_FIELDS).get(field, [])
    except ValueError:
        raise Refusal(400, "Other", Saying("mirror.body")) from None


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(SECONDS):
            return await request.read()
    except TimeoutError:
        raise Refusal(408, "Other", Saying("mirror.body")) from None
