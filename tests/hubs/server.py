"""Both hubs' protocols over one set of files, as their stock clients speak them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback import Asked, Content, Reply, ranged

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 20_000  # from so many bytes on a file is kept by LFS


def hub(
    files: Mapping[str, Content], *, id: str = "org/name", page: int = 1000, commit: str = COMMIT
) -> Callable[[Asked], Reply]:
    """A hub with one model; `page` is how many files one answer lists."""

    def answer(asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        path, query = unquote(parts.path), {key: said[0] for key, said in parse_qs(parts.query).items()}
        if path in (f"/api/models/{id}", f"/api/models/{id}/revision/main"):
            siblings = [{"rfilename": name} for name in files]
            return as_json({"id": id, "sha": commit, "private": False, "gated": False, "siblings": siblings})
        if path.startswith(f"/api/models/{id}/tree/"):
            return tree(files, int(query.get("cursor", 0)), page, f"http://{asked.headers['host']}{parts.path}")
        if path == f"/api/v1/models/{id}/repo/files":
            return scope(files, query)
        if path == f"/api/v1/models/{id}/repo":
            return one(asked, files, query["FilePath"])
        for revision in ("main", commit):
            if path.startswith(stem := f"/{id}/resolve/{revision}/"):
                return one(asked, files, path.removeprefix(stem))
        return missing()

    return answer


def as_json(value: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {"content-type": "application/json"} | headers, json.dumps(value).encode())


def missing() -> Reply:
    return as_json({"error": "Entry not found"}, 404, **{"x-error-code": "EntryNotFound"})


def sha256(content: Content) -> str:
    return hashlib.sha256(content[0 : len(content)]).hexdigest()


def git_sha1(content: Content) -> str:
    """Git's name of the blob; of a file in LFS what stands for it is not asked after."""
    if len(content) >= LARGE:
        return "1" * 40
    return hashlib.sha1(b"blob %d\0" % len(content) + content[0 : len(content)]).hexdigest()


def item(name: str, content: Content) -> dict[str, object]:
    said: dict[str, object] = {"type": "file", "oid": git_sha1(content), "size": len(content), "path": name}
    if len(content) >= LARGE:
        said["lfs"] = {"oid": sha256(content), "size": len(content), "pointerSize": 134}
    return said


def tree(files: Mapping[str, Content], start: int, page: int, url: str) -> Reply:
    names = sorted(files)
    headers = {}
    if start + page < len(names):
        headers["link"] = f'<{url}?recursive=true&cursor={start + page}>; rel="next"'
    folders = [{"type": "directory", "oid": "2" * 40, "size": 0, "path": "onnx"}] if start == 0 else []
    return as_json([*folders, *(item(name, files[name]) for name in names[start : start + page])], **headers)


def scope(files: Mapping[str, Content], query: Mapping[str, str]) -> Reply:
    """As the server does: 3,000 at most; without Recursive the files and folders of Root alone."""
    root, deep = query.get("Root", ""), query.get("Recursive") == "True"
    stem = f"{root}/" if root else ""
    below = {name: content for name, content in files.items() if name.startswith(stem)}
    if not deep:
        folders = {stem + name.removeprefix(stem).split("/")[0] for name in below if "/" in name.removeprefix(stem)}
        below = {name: content for name, content in below.items() if "/" not in name.removeprefix(stem)}
    else:
        folders = {name.rpartition("/")[0] for name in below if "/" in name}
    said: list[dict[str, object]] = [
        {"Path": name, "Name": name.rpartition("/")[2], "Type": "blob", "Size": len(content), "Sha256": sha256(content), "Revision": COMMIT}
        for name, content in below.items()
    ]  # fmt: skip
    said += [{"Path": name, "Name": name, "Type": "tree", "Size": 0} for name in sorted(folders)]
    return as_json({"Code": 200, "Data": {"Files": said[:3000]}, "Message": "", "RequestId": "1", "Success": True})


def one(asked: Asked, files: Mapping[str, Content], name: str) -> Reply:
    if name not in files:
        return missing()
    content = files[name]
    tag = sha256(content) if len(content) >= LARGE else git_sha1(content)
    return ranged(asked, content, etag=f'"{tag}"', X_Repo_Commit=COMMIT)
