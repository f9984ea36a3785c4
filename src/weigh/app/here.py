"""Where a reference lies on this machine: a path, or what a cache of a hub's client holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

import msgspec

from weigh.app.stores import Stores
from weigh.core.errors import BadReference
from weigh.core.reference import Reference
from weigh.core.value import Value
from weigh.knowledge.catalog import families
from weigh.names.reference import parse
from weigh.store.layouts import huggingface, modelscope
from weigh.store.layouts.layout import Address
from weigh.store.quants import DEFAULT, is_quant_file, with_tag

MOST_MANIFEST = 1 << 20
MOST_FILES = 100_000
_WEIGHTS = (".safetensors", ".gguf", ".bin", ".pt", ".pth", ".onnx", ".h5", ".keras", ".tflite", ".pb", ".ckpt", ".xml")
_MODEL = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_PIECE = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,200}")


class Here(Value, frozen=True, kw_only=True):
    """A reference, and the path that can be opened; None where it is not on this machine.

    `meant` is a hub's reference for what was named without one.
    """

    text: str
    path: str | None = None
    meant: str | None = None


def here(text: str, stores: Stores, ollama: str) -> Here:
    """Opens no connection. Raises BadReference for what cannot be a reference.

    `ollama` is the folder of its models. A name without a hub is looked for in the caches, then among the catalogue's.
    """
    reference = parse(text, exists=os.path.lexists)
    match reference.hub:
        case "path" | "echo":
            return Here(text=text, path=text)
        case "hf" | "ms" | "ollama":
            return Here(text=text, path=_in(reference, stores, ollama), meant=text)
        case "name":
            return _named(reference, stores, ollama)
    return Here(text=text)


def ids_of(name: str) -> tuple[str, ...]:
    """The hub references that the catalogue knows by this name: `org/name`, or its last part."""
    wanted = name.casefold()
    found = (
        f"{hub}:{id}"
        for family in families().values()
        for hub, ids in (("hf", family.hf), ("ms", family.ms))
        for id in ids
        if wanted in (id.casefold(), id.rpartition("/")[2].casefold())
    )
    return tuple(dict.fromkeys(found))


def _named(reference: Reference, stores: Stores, ollama: str) -> Here:
    name, _, tag = reference.name.partition(":")
    suffix = f":{tag}" if tag else ""
    for meant in dict.fromkeys((*_cached(name, stores), *ids_of(name), *_as_typed(name))):
        try:
            found = _in(parse(f"{meant}{suffix}", exists=lambda path: False), stores, ollama)
        except BadReference:
            continue
        if found is not None:
            return Here(text=reference.text, path=found, meant=f"{meant}{suffix}")
    ids = ids_of(name)
    return Here(text=reference.text, meant=f"{ids[0]}{suffix}" if ids else None)


def _as_typed(name: str) -> tuple[str, ...]:
    return (f"hf:{name}", f"ms:{name}", f"ollama:{name}") if name.count("/") == 1 else (f"ollama:{name}",)


def _cached(name: str, stores: Stores) -> Iterator[str]:
    """Repositories in the caches whose last part this is."""
    wanted = name.casefold()
    for hub, root in (("hf", stores.roots.get("hf", "")), ("ms", os.path.join(stores.roots.get("ms", ""), "models"))):
        for folder in _listed(root):
            parts = folder.removeprefix("models--").split("--")
            if (hub == "ms" or folder.startswith("models--")) and len(parts) == 2 and parts[1].casefold() == wanted:
                yield f"{hub}:{parts[0]}/{parts[1]}"


def _in(reference: Reference, stores: Stores, ollama: str) -> str | None:
    if reference.hub == "ollama":
        return _of_ollama(reference, ollama)
    folders = _of_huggingface if reference.hub == "hf" else _of_modelscope
    address = Address(namespace=reference.namespace, name=reference.name, revision=reference.revision or "main")
    for folder in folders(stores.roots.get(reference.hub, ""), address):
        if (found := _chosen(folder, reference.file)) is not None:
            return found
    return None


def _of_huggingface(root: str, address: Address) -> Iterator[str]:
    """The snapshot of the commit that the revision is, as it was last seen here."""
    home = huggingface.folder(root, address)
    commit = _text(os.path.join(home, "refs", *address.revision.split("/"))) or address.revision
    if _PIECE.fullmatch(commit):
        yield os.path.join(home, "snapshots", commit)


def _of_modelscope(root: str, address: Address) -> Iterator[str]:
    """As its client lays it out now, and as it did before."""
    yield modelscope.snapshot(root, address)
    flat = os.path.join(*address.repository.replace(".", "___").split("/"))
    for before in ("hub/models", "hub", "models"):
        yield os.path.join(root, *before.split("/"), flat)


def _of_ollama(reference: Reference, root: str) -> str | None:
    """The blob of a manifest's model."""
    pieces = [*(reference.namespace or "library").split("/"), reference.name, reference.file or "latest"]
    host = [] if len(pieces) == 4 else ["registry.ollama.ai"]
    if not all(_PIECE.fullmatch(piece) for piece in pieces):
        return None
    manifest = _text(os.path.join(root, "manifests", *host, *pieces))
    try:
        layers = msgspec.json.decode(manifest or "", type=_Manifest).layers
    except (msgspec.MsgspecError, UnicodeError):
        return None
    digest = next((_DIGEST.fullmatch(layer.digest) for layer in layers if layer.mediaType == _MODEL), None)
    path = os.path.join(root, "blobs", f"sha256-{digest[1]}") if digest is not None else ""
    return path if os.path.isfile(path) else None


def _chosen(folder: str, file: str | None) -> str | None:
    """The file asked for, or one of its quantisation; the folder where all that an index names is there."""
    paths = _files(folder)
    if file is not None and file in paths:
        return os.path.join(folder, *file.split("/"))
    quants = [path for path in paths if is_quant_file(path)]
    if file is not None:
        return _first_of(folder, [path for path in with_tag(paths, file) if is_quant_file(path)])
    if quants and not any(path.endswith(".safetensors") for path in paths):
        tagged = (one for tag in DEFAULT for one in with_tag(paths, tag) if is_quant_file(one))
        return _first_of(folder, [next(tagged, min(quants))])
    return folder if any(path.endswith(_WEIGHTS) for path in paths) and _is_whole(folder, paths) else None


def _first_of(folder: str, paths: list[str]) -> str | None:
    """Of shards the first, where all of them are there."""
    if not paths:
        return None
    first = min(paths)
    count = re.search(r"-00001-of-(\d{5})\.gguf$", first)
    if count is not None and len(
        {path for path in _files(folder) if path.startswith(first[: count.start()] + "-")}
    ) < int(count[1]):
        return None
    return os.path.join(folder, *first.split("/"))


def _is_whole(folder: str, paths: list[str]) -> bool:
    """Is every shard there that an index names?"""
    there = set(paths)
    for path in paths:
        if path.endswith(".safetensors.index.json"):
            text = _text(os.path.join(folder, *path.split("/")), most=64 << 20)
            try:
                named = set(msgspec.json.decode(text or "{}", type=_Index).weight_map.values())
            except (msgspec.MsgspecError, UnicodeError):
                return False
            stem = path.rpartition("/")[0]
            if not {f"{stem}/{name}" if stem else name for name in named} <= there:
                return False
    return True


class _Layer(Value, frozen=True, kw_only=True, forbid_unknown_fields=False):
    mediaType: str = ""
    digest: str = ""


class _Manifest(Value, frozen=True, kw_only=True, forbid_unknown_fields=False):
    layers: tuple[_Layer, ...] = ()


class _Index(Value, frozen=True, kw_only=True, forbid_unknown_fields=False):
    weight_map: Mapping[str, str] = {}


def _files(folder: str) -> list[str]:
    """Files that can be opened, by their paths; a link that leads nowhere is none."""
    found: list[str] = []
    for base, folders, names in os.walk(folder):
        folders.sort()
        stem = os.path.relpath(base, folder).replace(os.sep, "/")
        found += (
            name if stem == "." else f"{stem}/{name}" for name in names if os.path.isfile(os.path.join(base, name))
        )
        if len(found) > MOST_FILES:
            break
    return sorted(found)


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _text(path: str, most: int = MOST_MANIFEST) -> str | None:
    try:
        with open(path, "rb") as file:
            return file.read(most).decode("utf-8").strip()
    except (OSError, ValueError):
        return None
