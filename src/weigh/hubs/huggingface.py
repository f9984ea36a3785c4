"""Hugging Face and what answers as it does: repositories by their revision, files by their paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote, urlsplit

import msgspec

from weigh.core.reference import Reference
from weigh.hubs.hub import Hub, Site
from weigh.hubs.repository import About, RemoteFile, Repository, answer_of, check_path, check_revision, id_of
from weigh.sources.client import Client
from weigh.sources.http import HttpSource
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Access, Ask, origin_of

MOST_PAGES = 500
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
_NOT_MODELS = frozenset({"datasets", "spaces", "api", "docs", "models", "blog", "collections", "papers", "settings"})


class _Card(msgspec.Struct):
    license: str | list[str] | None = None


class _Info(msgspec.Struct):
    sha: str
    gated: bool | str | None = None
    cardData: _Card | None = None


class _Lfs(msgspec.Struct):
    oid: str
    size: int


class _Item(msgspec.Struct):
    type: str
    path: str
    oid: str = ""
    size: int = 0
    lfs: _Lfs | None = None


def list_files(reference: Reference, site: Site, client: Client) -> Repository:
    """The files of the commit that the revision is now. Raises NotFetched."""
    id, path = _id(reference), str(reference)
    revision = _revision(reference)
    what = Ask(url=f"{site.endpoint}/api/models/{id}/revision/{revision}", path=path, access=_access(site))
    info = answer_of(client, what, _Info)[0]
    commit = info.sha
    if not _COMMIT.fullmatch(commit):
        raise NotFetched("hub.answer", path=path, url=what.url)
    items = _tree(client, msgspec.structs.replace(what, url=f"{site.endpoint}/api/models/{id}/tree/{commit}"))
    stem = f"{site.endpoint}/{id}/resolve/{commit}/"
    files = (_file(item, stem) for item in items if item.type == "file")
    return Repository(client, path, files, access=what.access, about=_about(info))


def open_file(reference: Reference, site: Site, client: Client) -> HttpSource:
    """The one file that the reference names. Raises NotFetched."""
    return HttpSource(client, address(reference, site))


def address(reference: Reference, site: Site) -> Ask:
    """Where the bytes of the one file that the reference names are. Raises NotFetched."""
    file = reference.file or ""
    check_path(file, str(reference))
    revision = _revision(reference)
    url = f"{site.endpoint}/{_id(reference)}/resolve/{revision}/{quote(file)}"
    return Ask(url=url, path=file, access=_access(site))


def of_page(path: str) -> Mapping[str, str | None] | None:
    """`/org/name`, `/org/name/tree/rev`, `/org/name/blob/rev/file` (or resolve, or raw)."""
    pieces = [unquote(piece) for piece in path.strip("/").split("/")]
    match pieces:
        case [first, *_] if first in _NOT_MODELS:
            return None
        case [namespace, name] | [namespace, name, "tree"]:
            return {"namespace": namespace, "name": name}
        case [namespace, name, "tree", revision, *_]:
            return {"namespace": namespace, "name": name, "revision": revision}
        case [namespace, name, "blob" | "resolve" | "raw", revision, *file] if file:
            return {"namespace": namespace, "name": name, "revision": revision, "file": "/".join(file)}
    return None


def _id(reference: Reference) -> str:
    return id_of(reference.namespace, reference.name, "hf")


def _revision(reference: Reference) -> str:
    return quote(check_revision(reference.revision or "main", str(reference)), safe="")


def _access(site: Site) -> Access:
    headers = {"authorization": f"Bearer {site.token}"} if site.token else {}
    return Access(origin=origin_of(site.endpoint), headers=headers, variable="HF_TOKEN")


def _tree(client: Client, what: Ask) -> Iterator[_Item]:
    """Page by page. Of the address of the next page only the query is taken: a mirror may pass on another's host."""
    query, seen = "recursive=true&expand=false", set[str]()
    while query not in seen and len(seen) < MOST_PAGES:
        seen.add(query)
        page = msgspec.structs.replace(what, url=f"{what.url}?{query}")
        items, answered = answer_of(client, page, list[_Item])
        yield from items
        found = _NEXT.search(answered.answer.headers.get("link", ""))
        if found is None:
            return
        query = urlsplit(found[1]).query
    raise NotFetched("hub.pages", path=what.path, most=MOST_PAGES)


def _about(info: _Info) -> About:
    licence = info.cardData.license if info.cardData is not None else None
    gated = info.gated if isinstance(info.gated, str) else None
    return About(commit=info.sha, licence=licence if isinstance(licence, str) else None, gated=gated)


def _file(item: _Item, stem: str) -> RemoteFile:
    sha256 = item.lfs.oid.removeprefix("sha256:") if item.lfs is not None else None
    return RemoteFile(
        path=item.path,
        nbytes=item.lfs.size if item.lfs is not None else item.size,
        url=stem + quote(item.path),
        sha256=sha256 if sha256 is not None and _SHA256.fullmatch(sha256) else None,
        oid=item.oid if _COMMIT.fullmatch(item.oid) else None,
    )


HUB = Hub(
    id="hf",
    endpoint="https://huggingface.co",
    list=list_files,
    open=open_file,
    address=address,
    of_page=of_page,
    hosts=("huggingface.co", "www.huggingface.co", "hf.co"),
    mirrors=("hf-mirror.com",),
    endpoint_variables=("HF_ENDPOINT",),
    token_variables=("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
    token_files=(
        "$HF_TOKEN_PATH",
        "$HF_HOME/token",
        "$XDG_CACHE_HOME/huggingface/token",
        "~/.cache/huggingface/token",
    ),
)
