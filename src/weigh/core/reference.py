"""A reference taken apart: what to weigh, and where it lives."""

from __future__ import annotations

from typing import Literal

from weigh.core.value import Value

Hub = Literal["path", "hf", "ms", "ollama", "echo", "http", "https", "name"]


class Reference(Value, frozen=True, kw_only=True):
    """`text` as typed; `hub` says which kind of reference it is.

    path: `name` is the path. http, https: `name` is what stands behind `://`. name: a bare model name, kept
    whole in `name`; it never opens a socket. hf, ms, ollama, echo: `namespace/name@revision:file`.
    """

    text: str
    hub: Hub
    name: str
    namespace: str | None = None
    revision: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        match self.hub:
            case "path" | "name":
                return self.name
            case "http" | "https":
                return f"{self.hub}://{self.name}"
            case _:
                namespace = f"{self.namespace}/" if self.namespace else ""
                revision = f"@{self.revision}" if self.revision else ""
                file = f":{self.file}" if self.file else ""
                return f"{self.hub}:{namespace}{self.name}{revision}{file}"
