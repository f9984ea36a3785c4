"""The Stable Diffusion web UI, A1111's, Forge's and SD.Next's: its own folders and those that its settings name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import msgspec

from weigh.store.inventory.named import Named, absolute, models_in, settings_text
from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import models_below

_STARTERS = ("webui-user.sh", "webui-user.bat", "webui-user.local.sh")
_ARGUMENTS = re.compile(r"^[ \t]*(?:export[ \t]+|@?set[ \t]+)?COMMANDLINE_ARGS=(.*)$", re.MULTILINE | re.IGNORECASE)
_FLAG = re.compile(r"""--([a-z0-9-]+)(?:=|[ \t]+)("[^"]*"|'[^']*'|(?!--)[^\s"']+)""")
# Options of the command line, and settings of the same name with `_`, by the folder of `models` they stand for.
_KINDS = {
    "ckpt-dir": "Stable-diffusion",
    "ckpt-dirs": "Stable-diffusion",
    "codeformer-models-path": "Codeformer",
    "control-net-models-path": "ControlNet",
    "controlnet-dir": "ControlNet",
    "additional-networks-extra-lora-path": "Lora",
    "diffusers-dir": "Diffusers",
    "embeddings-dir": "",
    "esrgan-models-path": "ESRGAN",
    "gfpgan-models-path": "GFPGAN",
    "hypernetwork-dir": "hypernetworks",
    "lora-dir": "Lora",
    "lora-dirs": "Lora",
    "models-dir": "",
    "realesrgan-models-path": "RealESRGAN",
    "text-encoder-dir": "text_encoder",
    "text-encoder-dirs": "text_encoder",
    "te-dir": "Text-encoder",
    "unet-dir": "UNET",
    "vae-dir": "VAE",
    "vae-dirs": "VAE",
}


def walk(root: str) -> Iterator[Item]:
    """Its own folders, then the others."""
    own = [os.path.join(root, folder) for folder in ("models", "embeddings")]
    for folder in own:
        yield from models_below(folder)
    named = [one for one in _named(root) if os.path.realpath(one.path) not in map(os.path.realpath, own)]
    yield from models_in(root, named)


def _named(root: str) -> Iterator[Named]:
    for name, value in [*_started_with(root), *_set(root)]:
        path = absolute(root, value)
        if path is None:
            continue
        if name == "data-dir":
            yield Named("", os.path.join(path, "models"))
            yield Named("", os.path.join(path, "embeddings"))
        elif name in _KINDS:
            yield Named(_KINDS[name], path)


def _started_with(root: str) -> Iterator[tuple[str, str]]:
    """Options that the script passes which starts it."""
    for name in _STARTERS:
        for line in _ARGUMENTS.findall(settings_text(os.path.join(root, name))):
            said = line.strip()
            said = said[1:-1] if len(said) > 1 and said[0] == said[-1] and said[0] in "'\"" else said
            for option, value in _FLAG.findall(said):
                yield option, value.strip("'\"")


def _set(root: str) -> Iterator[tuple[str, str]]:
    """What was set on its page of settings."""
    try:
        said = msgspec.json.decode(settings_text(os.path.join(root, "config.json")), type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return
    for key, value in said.items():
        if isinstance(value, str):
            yield key.replace("_", "-"), value


STORE = Store(
    id="a1111",
    places=(
        ("~/stable-diffusion-webui",),
        ("~/stable-diffusion-webui-forge",),
        ("~/stable-diffusion-webui-reForge",),
        ("~/sdnext",),
        ("~/automatic",),
    ),
    walk=walk,
)
