"""Which commit another hub has of a model, and what it calls the reason where it has none."""

from __future__ import annotations

import os
import re
import ssl
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from weigh.cli.network import site_of
from weigh.hubs import HUBS
from weigh.serve.mirror.refusal import Code

SECONDS = 30.0
MOST = 64 << 20  # bytes of an answer
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CODES: dict[str, Code] = {"RepoNotFound": "RepoNotFound", "RevisionNotFound": "RevisionNotFound"}
_CODES |= {"GatedRepo": "GatedRepo"}


class Answer(NamedTuple):
    """`is_answered`: the hub is there, whatever it said."""

    commit: str | None = None
    code: Code | None = None
    is_answered: bool = False


class _Info(msgspec.Struct):
    sha: str


async def ask(endpoint: str | None, id: str, revision: str) -> Answer:
    """Of the hub at `endpoint`, or where the environment says Hugging Face is; with the token of its stock client."""
    import aiohttp

    site = site_of(next(hub for hub in HUBS if hub.id == "hf"))
    headers = {"Authorization": f"Bearer {site.token}"} if site.token else {}
    url = f"{(endpoint or site.endpoint).rstrip('/')}/api/models/{id}/revision/{quote(revision, safe='')}"
    trusted = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE"))
    limits = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(trust_env=True, timeout=limits) as session,
            session.get(url, headers=headers, ssl=trusted) as response,
        ):
            if response.status != 200:
                return _refused(response.status, response.headers.get("X-Error-Code", ""))
            data = bytearray()
            async for piece in response.content.iter_chunked(1 << 16):
                data += piece
                if len(data) > MOST:
                    return Answer()
            sha = msgspec.json.decode(data, type=_Info).sha
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, msgspec.MsgspecError):
        return Answer()
    return Answer(commit=sha if _COMMIT.fullmatch(sha) else None, is_answered=True)


def _refused(status: int, code: str) -> Answer:
    """Hugging Face says 401 of what is not there, so that nobody learns what is."""
    if code in _CODES:
        return Answer(code=_CODES[code], is_answered=True)
    if status in (401, 403):
        return Answer(code="GatedRepo", is_answered=True)
    return Answer(code="RepoNotFound" if status == 404 else None, is_answered=status < 500)
