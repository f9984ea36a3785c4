"""Answers as JSON, and refusals in the words of each family of clients."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from weigh.serve.api.refusal import Refusal
from weigh.text import Language, say

Json = dict[str, Any]


def as_json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Encoded by msgspec."""
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")


def openai_error(refusal: Refusal, language: Language) -> Json:
    """As OpenAI's clients read it."""
    kind = "invalid_request_error" if refusal.status < 500 and refusal.status != 429 else "server_error"
    return {
        "error": {
            "message": sentence(refusal, language),
            "type": "rate_limit_error" if refusal.status == 429 else kind,
            "param": refusal.param,
            "code": refusal.code,
        }
    }


def anthropic_error(refusal: Refusal, language: Language) -> Json:
    """As Anthropic's clients read it."""
    kinds = {401: "authentication_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}
    kind = kinds.get(refusal.status) or ("invalid_request_error" if refusal.status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": sentence(refusal, language)}}


def refused(refusal: Refusal, language: Language, path: str) -> Response:
    """In the form of the family that the path belongs to."""
    headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after is not None else {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if path.startswith("/api/"):
        return as_json({"error": sentence(refusal, language)}, refusal.status, headers)
    if path.startswith("/v1/messages"):
        return as_json(anthropic_error(refusal, language), refusal.status, headers)
    return as_json(openai_error(refusal, language), refusal.status, headers)


def sentence(refusal: Refusal, language: Language) -> str:
    """What went wrong, in words."""
    return say(refusal.saying, language)
