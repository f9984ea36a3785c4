"""Routes that say which shape they take, so that the OpenAPI document can be made from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STREAMED = ("application/json", "text/event-stream")
Endpoint = Callable[[Request], Awaitable[Response]]


class Door(Route):
    """One path; `shape` is the msgspec Struct of its body, `is_form` where that comes as multipart/form-data.

    `answers` are the media types of what it says.
    """

    def __init__(
        self,
        path: str,
        endpoint: Endpoint,
        shape: type | None = None,
        *,
        methods: Sequence[str] = (),
        is_form: bool = False,
    ) -> None:
        super().__init__(path, endpoint, methods=list(methods or (("POST",) if shape is not None else ("GET",))))
        self.shape = shape
        self.is_form = is_form
        self.answers: tuple[str, ...] = ("application/json",)

    def says(self, *kinds: str) -> Door:
        """The same, which answers in these media types."""
        self.answers = kinds
        return self
