"""Why a request is not answered, as a value: a status, what clients know it by, a sentence for people."""

from __future__ import annotations

import re
from typing import Literal

from weigh.core.saying import Saying

Code = Literal["RepoNotFound", "RevisionNotFound", "EntryNotFound", "GatedRepo", "Unauthorized", "Held", "Other"]


# What asks for a repository of a shape that none has here: without a namespace, or an app.
_NAMELESS = re.compile(r"/api/(?:models|datasets)/([^/]+)(?:/(?:revision|tree|refs|commits|paths-info)(?:/.*)?)?")
_SPACE = re.compile(r"/api/spaces/([^/]+/[^/]+)(?:/.*)?")
_FILE = re.compile(r"/(?:(?:datasets|spaces)/)?([^/]+(?:/[^/]+)?)/resolve/.*")


class Refusal(Exception):
    """`code` is Hugging Face's name for it, as far as it has one; `commit` of the revision that lacks a file.

    `reason` is what a held model is held for: a rule's id, or `damaged`, `unseen` or `operator`.
    """

    def __init__(
        self, status: int, code: Code, saying: Saying, *, reason: str | None = None, commit: str | None = None
    ) -> None:
        self.status = status
        self.code = code
        self.saying = saying
        self.reason = reason
        self.commit = commit
        super().__init__(code)


def no_repository(id: str) -> Refusal:
    """Nothing of this name is here."""
    return Refusal(404, "RepoNotFound", Saying("mirror.repository", id=id))


def no_revision(id: str, revision: str) -> Refusal:
    """The repository is here, not this revision of it."""
    return Refusal(404, "RevisionNotFound", Saying("mirror.revision", id=id, revision=revision))


def no_file(id: str, path: str, commit: str | None) -> Refusal:
    """The revision has no such file."""
    return Refusal(404, "EntryNotFound", Saying("mirror.file", id=id, path=path), commit=commit)


def no_route(path: str = "") -> Refusal:
    """Nothing answers here; of what was a repository's path the client is told so."""
    for shape in (_NAMELESS, _SPACE, _FILE):
        if (found := shape.fullmatch(path)) is not None:
            return no_repository(found[1])
    return Refusal(404, "Other", Saying("mirror.route"))


def not_ready(id: str) -> Refusal:
    """It is being hashed and checked."""
    return Refusal(503, "Other", Saying("mirror.not_ready", id=id))


def bad_request(saying: Saying) -> Refusal:
    """What was sent cannot be read."""
    return Refusal(400, "Other", saying)
