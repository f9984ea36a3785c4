"""The Hugging Face API: lists, what a repository holds, and its files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from weigh.app.mirror.shelf import Kind, commit_of
from weigh.app.mirror.snapshot import Snapshot, StoredFile
from weigh.core.saying import Saying
from weigh.serve.mirror.answers import as_json
from weigh.serve.mirror.bodies import form_body, json_body
from weigh.serve.mirror.cards import Card, cards, is_found, when
from weigh.serve.mirror.giving import give
from weigh.serve.mirror.hold import pass_or_refuse
from weigh.serve.mirror.huggingface_shapes import brief, folders_of, info, listed
from weigh.serve.mirror.library import Library, Opened
from weigh.serve.mirror.refusal import bad_request, no_file, no_route

MOST_PATHS = 1000
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_TIMES = ("lastModified", "last_modified", "createdAt", "created_at", "trendingScore", "downloads", "likes")


class _Wanted(msgspec.Struct):
    paths: list[str] | str = ""


def routes(library: Library) -> list[web.RouteDef]:
    """The exact ones before those that take any name."""
    hub = _Hub(library)
    found: list[web.RouteDef] = [
        web.get("/api/agent-harnesses", _nothing),
        web.get("/api/whoami-v2", _whoami),
    ]
    for kind in ("models", "datasets"):
        repository = f"/api/{{kind:{kind}}}/{{namespace}}/{{name}}"
        stem = "" if kind == "models" else f"/{{kind:{kind}}}"
        found += [
            web.get(f"/api/{{kind:{kind}}}", hub.all),
            web.get(repository, hub.info),
            web.get(f"{repository}/revision/{{revision}}", hub.info),
            web.get(f"{repository}/tree/{{revision}}", hub.tree),
            web.get(f"{repository}/tree/{{revision}}/{{path:.+}}", hub.tree),
            web.post(f"{repository}/paths-info/{{revision}}", hub.paths_info),
            web.get(f"{repository}/refs", hub.refs),
            web.get(f"{repository}/commits/{{revision}}", hub.commits),
            web.get(f"{stem}/{{namespace}}/{{name}}/resolve/{{revision}}/{{path:.+}}", hub.resolve),
        ]
    return found


class _Hub:
    """The routes over one library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def all(self, request: web.Request) -> web.Response:
        """Page by page: the next one is in the header Link."""
        query = request.query
        found = await asyncio.to_thread(self._found, _kind(request), dict(query), query.getall("filter", []))
        start, limit = number(query.get("cursor"), 0), min(number(query.get("limit"), 1000), 1000) or 1000
        page = found[start : start + limit]
        headers = _next(request, str(start + limit)) if start + limit < len(found) else {}
        return as_json([brief(card, full="full" in query or "expand" in query) for card in page], headers=headers)

    async def info(self, request: web.Request) -> web.Response:
        """What a revision holds."""
        opened = await self._open(request)
        return as_json(info(opened, blobs=request.query.get("blobs", "").lower() in ("true", "1")))

    async def tree(self, request: web.Request) -> web.Response:
        """Files and folders, page by page."""
        opened = await self._open(request)
        snapshot = opened.snapshot
        below = request.match_info.get("path", "").strip("/")
        rows = listed(snapshot, below, recursive=request.query.get("recursive", "").lower() in ("true", "1"))
        if below and not rows:
            raise no_file(snapshot.place.id, below, snapshot.commit)
        size = min(number(request.query.get("limit"), self._library.settings.page), self._library.settings.page)
        start = number(request.query.get("cursor"), 0)
        headers = _next(request, str(start + size)) if start + size < len(rows) else {}
        return as_json(rows[start : start + size], headers=headers | {"X-Repo-Commit": snapshot.commit})

    async def paths_info(self, request: web.Request) -> web.Response:
        """Those of the paths that are there."""
        opened = await self._open(request)
        paths = await _paths(request)
        rows = {str(row["path"]): row for row in listed(opened.snapshot, "", recursive=True)}
        rows |= {str(row["path"]): row for row in folders_of(opened.snapshot)}
        return as_json([rows[path] for path in paths if path in rows])

    async def refs(self, request: web.Request) -> web.Response:
        """Every name of a revision."""
        opened = await self._open(request)
        place = opened.snapshot.place
        commits = {name: commit_of(folder) for name, folder in place.folders.items()}
        named = {name: commit for name, commit in commits.items() if commit is not None and commit != name}
        named["main"] = opened.snapshot.commit
        branches = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit}
            for name, commit in sorted(named.items())
        ]
        return as_json({"branches": branches, "converts": [], "tags": []})

    async def commits(self, request: web.Request) -> web.Response:
        """The one commit that is known."""
        snapshot = (await self._open(request)).snapshot
        moment = when(snapshot.modified)
        return as_json(
            [{"id": snapshot.commit, "title": "-", "message": "", "authors": [{"user": "weigh"}], "date": moment}]
        )

    async def resolve(self, request: web.Request) -> web.StreamResponse:
        """A file's bytes. The answer is never a redirect: clients read the commit from the last answer."""
        path = request.match_info["path"]

        async def opened() -> Snapshot:
            return (await self._open(request)).snapshot

        def picked(snapshot: Snapshot) -> tuple[StoredFile, Mapping[str, str]]:
            stored = snapshot.files.get(path)
            if stored is None:
                raise no_file(snapshot.place.id, path, snapshot.commit)
            return stored, {"X-Repo-Commit": snapshot.commit}

        return await give(request, self._library, opened, picked)

    async def _open(self, request: web.Request) -> Opened:
        match = request.match_info
        id = f"{match['namespace']}/{match['name']}"
        opened = await self._library.open(_kind(request), id, match.get("revision", "main"))
        pass_or_refuse(opened)
        return opened

    def _found(self, kind: Kind, query: dict[str, str], filters: list[str]) -> list[Card]:
        found = [card for card in cards(self._library.shelf, kind) if is_found(card, query, filters)]
        if query.get("sort") in _TIMES:
            found.sort(key=lambda card: card.modified, reverse=True)
        return found


def number(text: str | None, otherwise: int) -> int:
    """A number of a query. Raises Refusal."""
    if text is None:
        return otherwise
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise bad_request(Saying("mirror.number", text=text[:20]))
    return int(text)


def _kind(request: web.Request) -> Kind:
    return "datasets" if request.match_info.get("kind") == "datasets" else "models"


def _next(request: web.Request, cursor: str) -> dict[str, str]:
    """By the host that the client called us by. Raises Refusal where that is none."""
    if not _HOST.fullmatch(request.host):
        raise bad_request(Saying("mirror.body"))
    pairs = [(key, value) for key, value in request.query.items() if key != "cursor"]
    url = f"{request.scheme}://{request.host}{request.rel_url.raw_path}?{urlencode([*pairs, ('cursor', cursor)])}"
    return {"Link": f'<{url}>; rel="next"'}


async def _paths(request: web.Request) -> list[str]:
    if request.content_type == "application/json":
        said = (await json_body(request, _Wanted)).paths
        return [said] if isinstance(said, str) else said[:MOST_PATHS]
    return (await form_body(request, "paths"))[:MOST_PATHS]


async def _nothing(request: web.Request) -> web.Response:
    raise no_route()


async def _whoami(request: web.Request) -> web.Response:
    role = request["role"]
    token = {"displayName": "weigh", "role": "write" if role == "admin" else "read"}
    return as_json(
        {
            "type": "user",
            "id": "weigh",
            "name": "weigh",
            "fullname": "weigh",
            "orgs": [],
            "auth": {"accessToken": token},
        }
    )
