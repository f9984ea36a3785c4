"""The ModelScope API: the same repositories, whose main branch is called master there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
from aiohttp import web

from weigh.app.mirror.shelf import Kind
from weigh.app.mirror.snapshot import Snapshot, StoredFile
from weigh.core.saying import Saying
from weigh.serve.mirror.access import token_role
from weigh.serve.mirror.answers import as_json, envelope, sentence
from weigh.serve.mirror.bodies import json_body
from weigh.serve.mirror.cards import Card, cards, is_found, when
from weigh.serve.mirror.giving import give
from weigh.serve.mirror.hold import pass_or_refuse
from weigh.serve.mirror.huggingface import number
from weigh.serve.mirror.library import Library, Opened
from weigh.serve.mirror.modelscope_shapes import described, file_rows, modern, page_of
from weigh.serve.mirror.refusal import Refusal, no_file

MASTER = "master"
NEWER = "modelscope_hub/"  # in what the client since 1.38 calls itself


class _Login(msgspec.Struct):
    AccessToken: str


class _Listing(msgspec.Struct):
    Path: str = ""
    PageNumber: int = 1
    PageSize: int = 10


def routes(library: Library) -> list[web.RouteDef]:
    """Both the older API and the newer one."""
    hub = _Hub(library)
    repository = "/api/v1/{kind:models|datasets}/{namespace}/{name}"
    return [
        web.get("/api/v1/repos/internalAccelerationInfo", hub.acceleration),
        web.post("/api/v1/login", hub.login),
        web.put("/api/v1/models/", hub.older_list),
        web.put("/api/v1/models", hub.older_list),
        web.get(repository, hub.info),
        web.get(f"{repository}/revisions", hub.revisions),
        web.get(f"{repository}/repo/files", hub.files),
        web.get(f"{repository}/repo/tree", hub.files),
        web.get(f"{repository}/repo", hub.file),
        web.get("/openapi/v1/{kind:models|datasets}", hub.newer_list),
        web.get("/openapi/v1/{kind:models|datasets}/{namespace}/{name}", hub.newer_info),
        web.get("/openapi/v1/users/me", hub.me),
    ]


class _Hub:
    """The routes over one library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def acceleration(self, request: web.Request) -> web.Response:
        """There is no other address to fetch from."""
        return as_json(envelope({"InternalRegionQueryAddress": "", "Enabled": False}))

    async def login(self, request: web.Request) -> web.Response:
        """The token becomes the cookie that is sent from then on."""
        token = (await json_body(request, _Login)).AccessToken
        if token_role(token, self._library.settings) == "none":
            raise Refusal(401, "Unauthorized", Saying("mirror.token"))
        user = {"Username": "weigh", "Name": "weigh", "NickName": "weigh", "Email": "", "AccessToken": token}
        answer = as_json(envelope(user))
        answer.set_cookie("m_session_id", token, httponly=True, samesite="Lax", secure=request.secure)
        return answer

    async def me(self, request: web.Request) -> web.Response:
        """Who asks."""
        return as_json({"success": True, "data": {"username": "weigh", "name": "weigh", "email": "", "id": 1}})

    async def info(self, request: web.Request) -> web.Response:
        """What a repository is, also of one that is held: the older client shows no reason of this answer, but of the
        next one it does."""
        match = request.match_info
        opened = await self._library.open(_kind(request), f"{match['namespace']}/{match['name']}")
        return as_json(envelope(described(opened)))

    async def revisions(self, request: web.Request) -> web.Response:
        """Branches alone; a tag would be taken before the branch. The older client shows why a model is held when
        the status is 200 and what is around the answer says otherwise."""
        try:
            opened = await self._open(request)
        except Refusal as refusal:
            if refusal.status != 403 or NEWER in request.headers.get("User-Agent", ""):
                raise
            return as_json(envelope(None, message=sentence(refusal, "en"), code=403))
        created = int(opened.snapshot.modified)
        branch = {"Revision": MASTER, "CreatedAt": created}
        return as_json(envelope({"RevisionMap": {"Branches": [branch], "Tags": []}, "Total": 1}))

    async def files(self, request: web.Request) -> web.Response:
        """Files and folders below Root. The list is never cut; from 3000 on the newer client asks again, by folders. Of
        a data set it asks page by page."""
        opened = await self._open(request)
        recursive = request.query.get("Recursive", "").lower() == "true"
        rows = list(file_rows(opened.snapshot, request.query.get("Root", "").strip("/"), recursive=recursive))
        if "PageSize" in request.query:
            size, at = number(request.query["PageSize"], 0), number(request.query.get("PageNumber"), 1)
            rows = rows[max(at - 1, 0) * size :][:size]
        return as_json(envelope({"Files": rows, "IsVisual": 0}))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file's bytes."""
        path = request.query.get("FilePath", "")

        async def opened() -> Snapshot:
            return (await self._open(request)).snapshot

        def picked(snapshot: Snapshot) -> tuple[StoredFile, Mapping[str, str]]:
            stored = snapshot.files.get(path)
            if stored is None:
                raise no_file(snapshot.place.id, path, snapshot.commit)
            return stored, {"X-Linked-ETag": stored.sha256, "X-Linked-Size": str(stored.nbytes)}

        return await give(request, self._library, opened, picked)

    async def older_list(self, request: web.Request) -> web.Response:
        """Of one namespace."""
        asked = await json_body(request, _Listing)
        found = await asyncio.to_thread(self._found, "models", {"author": asked.Path})
        page = page_of(found, asked.PageNumber, asked.PageSize)
        rows = [{"Path": c.place.id.partition("/")[0], "Name": c.place.id.partition("/")[2]} for c in page]
        return as_json(envelope({"Models": rows, "TotalCount": len(found)}))

    async def newer_list(self, request: web.Request) -> web.Response:
        """Searched by words, owner and task."""
        query = request.query
        wanted = {"search": query.get("search", ""), "author": query.get("owner", "")}
        wanted["pipeline_tag"] = query.get("filter.task", "")
        found = await asyncio.to_thread(self._found, _kind(request), wanted)
        if query.get("sort", "").startswith(("last_modified", "default")):
            found.sort(key=lambda card: card.modified, reverse=True)
        at, size = number(query.get("page_number"), 1), number(query.get("page_size"), 10)
        rows = [modern(card) for card in page_of(found, at, size)]
        data = {_kind(request): rows, "total_count": len(found), "page_number": at, "page_size": size}
        return as_json({"success": True, "request_id": "-", "data": data})

    async def newer_info(self, request: web.Request) -> web.Response:
        """One of them."""
        opened = await self._open(request)
        row = described(opened)
        data = {"id": opened.snapshot.place.id, "display_name": row["Name"], "license": row["License"]}
        data["last_modified"] = data["created_at"] = when(opened.snapshot.modified)
        return as_json({"success": True, "request_id": "-", "data": data | {"private": False, "gated": False}})

    async def _open(self, request: web.Request) -> Opened:
        match = request.match_info
        revision = request.query.get("Revision") or MASTER
        opened = await self._library.open(_kind(request), f"{match['namespace']}/{match['name']}", revision)
        pass_or_refuse(opened)
        return opened

    def _found(self, kind: Kind, query: dict[str, str]) -> list[Card]:
        return [card for card in cards(self._library.shelf, kind) if is_found(card, query, [])]


def _kind(request: web.Request) -> Kind:
    return "datasets" if request.match_info["kind"] == "datasets" else "models"
