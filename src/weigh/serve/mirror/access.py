"""Who may ask what: tokens as the stock clients send them."""

from __future__ import annotations

import hmac
from typing import Literal

from aiohttp import web

from weigh.core.saying import Saying
from weigh.serve.mirror.refusal import Refusal
from weigh.serve.mirror.settings import Settings

Role = Literal["none", "read", "admin"]


def role_of(request: web.Request, settings: Settings) -> Role:
    """By a bearer token, or by ModelScope's cookie; each compared in constant time."""
    given = _given(request)
    if _knows(given, settings.admin_tokens):
        return "admin"
    return "read" if not settings.tokens or _knows(given, settings.tokens) else "none"


def token_role(token: str, settings: Settings) -> Role:
    """The same for a token that stands in a body."""
    if _knows(token, settings.admin_tokens):
        return "admin"
    return "read" if _knows(token, settings.tokens) else "none"


def refusal() -> Refusal:
    """Who may not read."""
    return Refusal(401, "Unauthorized", Saying("mirror.token"))


def require_admin(request: web.Request) -> None:
    """Raises Refusal."""
    if request["role"] != "admin":
        raise Refusal(403, "Other", Saying("mirror.admin"))


def _given(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    return request.cookies.get("m_session_id", "")


def _knows(given: str, tokens: tuple[str, ...]) -> bool:
    data = given.encode("utf-8", "surrogateescape")
    return any([hmac.compare_digest(data, token.encode()) for token in tokens])
