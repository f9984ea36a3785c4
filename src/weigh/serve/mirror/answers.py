"""Answers and refusals in the form of the API that was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from aiohttp import web

from weigh.core.saying import Saying
from weigh.serve.mirror.refusal import Refusal
from weigh.text import Language, has_words, say

RETRY_AFTER = "5"  # seconds
_REGISTRY_CODES = {401: "UNAUTHORIZED", 403: "DENIED", 404: "MANIFEST_UNKNOWN"}
_COMMAND = re.compile(r"huggingface-cli/.*\bhf_hub/[1-9]")
# What Hugging Face's client knows by heart: it then speaks of the token, not of a repository that is not there.
_BAD_TOKEN = "Invalid credentials in Authorization header"


def as_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    body = msgspec.json.encode(value)
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def refused(refusal: Refusal, request: web.Request, language: Language) -> web.Response:
    """The refusal as the clients of this path read it."""
    path = request.path
    headers = {"Retry-After": RETRY_AFTER} if refusal.status == 503 else {}
    told = sentence(refusal, language)
    if path.startswith(("/api/v1/", "/openapi/")):
        return as_json(envelope(None, message=told, code=refusal.status), refusal.status, headers)
    if path.startswith("/v2/"):
        code = _REGISTRY_CODES.get(refusal.status, "UNKNOWN")
        return as_json({"errors": [{"code": code, "message": told}]}, refusal.status, headers)
    return as_json(
        {"error": told}, refusal.status, headers | _huggingface(refusal, request.headers.get("User-Agent", ""))
    )


def envelope(data: object, *, message: str = "", code: int = 200) -> dict[str, object]:
    """What ModelScope puts around everything."""
    return {"Code": code, "Data": data, "Message": message, "RequestId": "-", "Success": code == 200}


def sentence(refusal: Refusal, language: Language) -> str:
    """Why, with what a model is held for."""
    values = dict(refusal.saying.values)
    if refusal.reason is not None:
        values["reason"] = _reason(refusal.reason, language)
    return say(Saying(refusal.saying.key, **values), language)


def _huggingface(refusal: Refusal, agent: str) -> dict[str, str]:
    """In English: a header holds nothing but ASCII.

    The command hf of huggingface_hub 1 and later shows the reason of a plain 403 alone; libraries, and the command
    before that, show the reason of a gated repository, and take a plain 403 for a connection that failed.
    """
    message = sentence(refusal, "en").encode("ascii", "replace").decode()
    if refusal.code == "Unauthorized":
        message = _BAD_TOKEN
    headers = {"X-Error-Message": message}
    if refusal.code == "Held" and not _COMMAND.search(agent):
        headers["X-Error-Code"] = "Held" if agent.startswith("weigh/") else "GatedRepo"
    if refusal.code not in ("Other", "Held", "Unauthorized"):
        headers["X-Error-Code"] = refusal.code
    if refusal.commit is not None:
        headers["X-Repo-Commit"] = refusal.commit
    return headers


def _reason(rule: str, language: Language) -> str:
    key = f"mirror.reason.{rule}"
    return say(key if has_words(key, language) else f"rule.{rule}.title", language)
