"""GPT4All: files side by side in one folder, the program's and its Python package's."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import files_in, is_partial, single


def walk(root: str) -> Iterator[Item]:
    """Each file of weights by itself; the program's own data base and settings are left out."""
    for seen in files_in(root):
        if seen.name.startswith("incomplete-"):
            yield single(seen)._replace(role="partial")
        elif seen.name.lower().endswith((".gguf", ".bin")) or is_partial(seen.name):
            yield single(seen)


STORE = Store(
    id="gpt4all",
    places=(
        ("$XDG_DATA_HOME/nomic.ai/GPT4All", "~/.local/share/nomic.ai/GPT4All"),
        ("~/Library/Application Support/nomic.ai/GPT4All",),
        ("$LOCALAPPDATA/nomic.ai/GPT4All",),
        ("~/.cache/gpt4all",),
    ),
    walk=walk,
)
