"""Requests that come as multipart/form-data: fields by shape, files as bytes."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from weigh.core.saying import Saying
from weigh.serve.api.refusal import Refusal

S = TypeVar("S")
MOST_FILES, MOST_FIELDS = 16, 64


async def form_of(request: Request, shape: type[S], most: int) -> S:
    """Files are fields of the shape too. Raises Refusal for what is too long, no form, or of another shape."""
    _check_length(request, most)
    try:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=most) as form:
            given = await _fields(form, most)
        return msgspec.convert(given, shape, strict=False)
    except (HTTPException, MultiPartException) as error:
        raise Refusal(400, "invalid_request", Saying("refusal.shape", problem=str(error))) from error
    except msgspec.ValidationError as error:
        raise Refusal(400, "invalid_request", Saying("refusal.shape", problem=str(error))) from error


def _check_length(request: Request, most: int) -> None:
    said = request.headers.get("content-length", "")
    if not said.isdigit() or int(said) > most:  # a form of no stated length is not taken: files go to the disk first
        raise Refusal(413, "too_long", Saying("refusal.body", most=most))


async def _fields(form: FormData, most: int) -> dict[str, object]:
    """A key that ends in [] is a list."""
    found: dict[str, object] = {}
    for key, value in form.multi_items():
        content = await value.read() if isinstance(value, UploadFile) else value
        if key.endswith("[]"):
            listed = found.setdefault(key.removesuffix("[]"), [])
            assert isinstance(listed, list)
            listed.append(content)
        else:
            found[key] = content
    return found
