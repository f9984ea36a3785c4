"""The routes of Ollama's registry: a GGUF file of a repository as a manifest and its blobs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

import msgspec
from aiohttp import web

from weigh.app.mirror.snapshot import Snapshot, StoredFile
from weigh.serve.mirror.answers import as_json
from weigh.serve.mirror.content import send_bytes
from weigh.serve.mirror.giving import give
from weigh.serve.mirror.hold import pass_or_refuse
from weigh.serve.mirror.library import Library
from weigh.serve.mirror.refusal import no_file

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
PREFERRED = ("Q4_K_M", "Q4_0", "Q8_0", "F16")  # what `latest` is, the first one that is there
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
_LABEL = re.compile(r"[.-]((?:I?Q\d[A-Z0-9_]*|BF16|F16|F32))\.gguf$", re.IGNORECASE)


def routes(library: Library) -> list[web.RouteDef]:
    """Two of them, and the one by which a registry is known."""

    async def version(request: web.Request) -> web.Response:
        return as_json({}, headers={"Docker-Distribution-API-Version": "registry/2.0"})

    async def manifest(request: web.Request) -> web.Response:
        snapshot = await _open(library, request)
        tag = request.match_info["tag"]
        weights = tagged(snapshot, tag)
        if weights is None:
            raise no_file(snapshot.place.id, tag, None)
        return web.Response(body=msgspec.json.encode(_manifest(snapshot, weights)), headers={"Content-Type": MANIFEST})

    async def blob(request: web.Request) -> web.StreamResponse:
        digest = request.match_info["digest"]
        configs = _configs(await _open(library, request))
        config = next((data for data in configs if hashlib.sha256(data).hexdigest() == digest), None)
        if config is None:
            return await give(request, library, lambda: _open(library, request), lambda one: _named(one, digest))
        return send_bytes(request, config, digest)

    stem = "/v2/{namespace}/{name}"
    return [
        web.get("/v2/", version),
        web.get(f"{stem}/manifests/{{tag}}", manifest),
        web.get(f"{stem}/blobs/sha256:{{digest:[0-9a-f]{{64}}}}", blob),
    ]


def tagged(snapshot: Snapshot, tag: str) -> StoredFile | None:
    """The file of this quantisation; `latest` is the preferred one. Ollama takes no shards."""
    found = _files(snapshot)
    if tag != "latest":
        return found.get(tag.upper())
    return next((found[label] for label in PREFERRED if label in found), next(iter(found.values()), None))


def _files(snapshot: Snapshot) -> Mapping[str, StoredFile]:
    """By the quantisation that the name says, else by the whole name."""
    found: dict[str, StoredFile] = {}
    for path, file in sorted(snapshot.files.items()):
        if path.lower().endswith(".gguf") and not _SHARD.search(path) and not _is_projector(path):
            label = _LABEL.search(path)
            found.setdefault(label[1].upper() if label else path.rpartition("/")[2][: -len(".gguf")].upper(), file)
    return found


def _is_projector(path: str) -> bool:
    return "mmproj" in path.rpartition("/")[2].lower()


def _manifest(snapshot: Snapshot, weights: StoredFile) -> dict[str, object]:
    config = _config(weights)
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": f"sha256:{hashlib.sha256(config).hexdigest()}", "size": len(config)},
        "layers": [_layer("model", weights), *(_layer(kind, file) for kind, file in _beside(snapshot))],
    }


def _beside(snapshot: Snapshot) -> Iterator[tuple[str, StoredFile]]:
    """The first projector and the licence."""
    projectors = [f for path, f in sorted(snapshot.files.items()) if path.endswith(".gguf") and _is_projector(path)]
    if projectors:
        yield "projector", projectors[0]
    if "LICENSE" in snapshot.files:
        yield "license", snapshot.files["LICENSE"]


def _layer(kind: str, file: StoredFile) -> dict[str, object]:
    return {
        "mediaType": f"application/vnd.ollama.image.{kind}",
        "digest": f"sha256:{file.sha256}",
        "size": file.nbytes,
    }


def _configs(snapshot: Snapshot) -> Iterator[bytes]:
    return (_config(file) for file in _files(snapshot).values())


def _config(weights: StoredFile) -> bytes:
    """The same bytes for the same weights, so that no copy need be kept."""
    label = _LABEL.search(weights.path)
    return msgspec.json.encode(
        {
            "model_format": "gguf",
            "file_type": label[1].upper() if label else "",
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{weights.sha256}"]},
        }
    )


def _named(snapshot: Snapshot, digest: str) -> tuple[StoredFile, Mapping[str, str]]:
    """The file with this content. Raises Refusal."""
    for stored in snapshot.files.values():
        if stored.sha256 == digest:
            return stored, {"Docker-Content-Digest": f"sha256:{digest}"}
    raise no_file(snapshot.place.id, f"sha256:{digest}", None)


async def _open(library: Library, request: web.Request) -> Snapshot:
    match = request.match_info
    opened = await library.open("models", f"{match['namespace']}/{match['name']}")
    pass_or_refuse(opened)
    return opened.snapshot
