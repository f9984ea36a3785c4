"""ms-swift's registry, read by its syntax tree from the package that is installed here."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from weigh.app.sync.belonging import family_of
from weigh.app.sync.inquiry import Inquiry, Publisher
from weigh.core.errors import Malformed, SourceError
from weigh.knowledge.synced import Heard, Told, clean_id
from weigh.sources.folder import Folder

MOST_BYTES, MOST_FILES, MOST_NODES = 1 << 20, 500, 200_000
_FOLDERS = ("model/models/", "llm/model/model/")


def hear(inquiry: Inquiry) -> Heard:
    """Every model that it can train, with its ids on both hubs. Raises SourceError, FormatError."""
    installed = inquiry.installed.get("ms-swift")
    if installed is None:
        raise SourceError("sync.not_installed", path="ms-swift", package="ms-swift")
    folder = Folder(installed.folder)
    paths = [entry.path for entry in folder.entries if entry.path.startswith(_FOLDERS) and entry.path.endswith(".py")]
    found: dict[str, Told] = {}
    for path in paths[:MOST_FILES]:
        for ms, hf in _models(folder.read(path, MOST_BYTES + 1), path):
            if (told := _told(ms, hf)) is not None:
                found.setdefault(told.id, told)
    place = f"pkg:pypi/ms-swift@{installed.version}"
    return Heard(source="ms-swift", day=inquiry.day, place=place, models=tuple(found[id] for id in sorted(found)))


def _models(data: bytes, path: str) -> Iterator[tuple[str | None, str | None]]:
    """The literal arguments of every `Model(ms, hf)`."""
    for number, node in enumerate(ast.walk(_tree(data, path))):
        if number > MOST_NODES:
            raise Malformed("registry", path=path, problem=f"> {MOST_NODES} nodes")
        match node:
            case ast.Call(func=ast.Name(id="Model"), args=[ast.Constant(value=ms)]):
                yield _text(ms), None
            case ast.Call(func=ast.Name(id="Model"), args=[ast.Constant(value=ms), ast.Constant(value=hf), *_]):
                yield _text(ms), _text(hf)


def _tree(data: bytes, path: str) -> ast.Module:
    if len(data) > MOST_BYTES:
        raise Malformed("registry", path=path, problem=f"> {MOST_BYTES} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Malformed("registry", path=path, problem=str(error)) from error


def _text(value: object) -> str | None:
    return clean_id(value) if isinstance(value, str) else None


def _told(ms: str | None, hf: str | None) -> Told | None:
    id = hf or ms
    if id is None:
        return None
    family = (family_of(hf) if hf else None) or (family_of(ms) if ms else None)
    return Told(id=id, family=family, weights="open", hf=(hf,) if hf else (), ms=(ms,) if ms else ())


PUBLISHER = Publisher("ms-swift", hear, far=False)
