"""ModelScope: repositories by branch or tag, files by query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote, urlencode

import msgspec

from weigh.core.reference import Reference
from weigh.hubs.hub import Hub, Site
from weigh.hubs.repository import RemoteFile, Repository, answer_of, check_path, check_revision, id_of
from weigh.sources.client import Client
from weigh.sources.http import HttpSource
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Access, Ask, origin_of

CUT_OFF = 3000  # the server lists no more at once: then each folder is asked for
MOST_FOLDERS = 2000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PAGES = frozenset({"summary", "files", "feedback"})


class _File(msgspec.Struct):
    Path: str
    Type: str = "blob"
    Size: int | None = None
    Sha256: str | None = None


class _Files(msgspec.Struct):
    Files: list[_File] | None = None


class _Answer(msgspec.Struct):
    Success: bool | None = None
    Message: str | None = None
    Data: _Files | None = None


def list_files(reference: Reference, site: Site, client: Client) -> Repository:
    """The files of the branch or tag as it is now. Raises NotFetched."""
    id, path = _id(reference), str(reference)
    what = Ask(url=f"{site.endpoint}/api/v1/models/{id}/repo/files", path=path, access=_access(site))
    found = _asked(client, what, _revision(reference), Recursive="True")
    if len(found) >= CUT_OFF:
        found = list(_folder_by_folder(client, what, _revision(reference)))
    files = (
        RemoteFile(
            path=file.Path,
            nbytes=file.Size or 0,
            url=_url(site, id, _revision(reference), file.Path),
            sha256=file.Sha256 if file.Sha256 and _SHA256.fullmatch(file.Sha256) else None,
        )
        for file in found
        if file.Type == "blob"
    )
    return Repository(client, path, files, access=what.access)


def open_file(reference: Reference, site: Site, client: Client) -> HttpSource:
    """The one file that the reference names. Raises NotFetched."""
    return HttpSource(client, address(reference, site))


def address(reference: Reference, site: Site) -> Ask:
    """Where the bytes of the one file that the reference names are. Raises NotFetched."""
    file = reference.file or ""
    check_path(file, str(reference))
    url = _url(site, _id(reference), _revision(reference), file)
    return Ask(url=url, path=file, access=_access(site))


def of_page(path: str) -> Mapping[str, str | None] | None:
    """`/models/org/name`, its files, `/models/org/name/file/view/rev/file`, `/models/org/name/resolve/rev/file`."""
    match [unquote(piece) for piece in path.strip("/").split("/")]:
        case ["models", namespace, name, *rest] if len(rest) < 2 and set(rest) <= _PAGES:
            return {"namespace": namespace, "name": name}
        case ["models", namespace, name, "file", "view", revision, *file] | [
            "models",
            namespace,
            name,
            "resolve",
            revision,
            *file,
        ] if file:
            return {"namespace": namespace, "name": name, "revision": revision, "file": "/".join(file)}
    return None


def _id(reference: Reference) -> str:
    if reference.namespace is None:
        raise NotFetched("hub.id", path=str(reference), id=reference.name)
    return id_of(reference.namespace, reference.name, "ms")


def _revision(reference: Reference) -> str:
    """The branch that others call main is master here."""
    revision = reference.revision
    return "master" if revision is None or revision == "main" else check_revision(revision, str(reference))


def _access(site: Site) -> Access:
    """Old servers look at the cookie, new ones at either."""
    told = {"authorization": f"Bearer {site.token}", "cookie": f"m_session_id={site.token}"} if site.token else {}
    return Access(origin=origin_of(site.endpoint), headers=told, variable="MODELSCOPE_API_TOKEN")


def _url(site: Site, id: str, revision: str, path: str) -> str:
    query = urlencode({"Revision": revision, "FilePath": path}, quote_via=quote, safe="")
    return f"{site.endpoint}/api/v1/models/{id}/repo?{query}"


def _asked(client: Client, what: Ask, revision: str, **query: str) -> list[_File]:
    url = f"{what.url}?{urlencode({'Revision': revision, **query})}"
    said = answer_of(client, msgspec.structs.replace(what, url=url), _Answer)[0]
    if said.Success is False or said.Data is None:
        raise NotFetched("hub.says", path=what.path, reason=said.Message or "-")
    return said.Data.Files or []


def _folder_by_folder(client: Client, what: Ask, revision: str) -> Iterator[_File]:
    pending, seen = [""], {""}
    while pending:
        for file in _asked(client, what, revision, Recursive="False", Root=pending.pop()):
            check_path(file.Path, what.path)
            if file.Type == "blob":
                yield file
            elif file.Path not in seen:
                seen.add(file.Path)
                pending.append(file.Path)
        if len(seen) > MOST_FOLDERS:
            raise NotFetched("hub.pages", path=what.path, most=MOST_FOLDERS)


HUB = Hub(
    id="ms",
    endpoint="https://www.modelscope.cn",
    list=list_files,
    open=open_file,
    address=address,
    of_page=of_page,
    hosts=("modelscope.cn", "www.modelscope.cn"),
    mirrors=("modelscope.ai", "www.modelscope.ai"),
    endpoint_variables=("MODELSCOPE_ENDPOINT", "MODELSCOPE_DOMAIN"),
    token_variables=("MODELSCOPE_API_TOKEN",),
    token_jars=(
        "$MODELSCOPE_CREDENTIALS_PATH/cookies",
        "$MODELSCOPE_HOME/credentials/cookies",
        "~/.modelscope/credentials/cookies",
    ),
    token_cookie="m_session_id",
)
