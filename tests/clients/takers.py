"""Every client: how it is told to fetch a file from a hub, and where it puts it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clients.faults import LARGE
from tests.serve.hub import HF0, HF2, MS137, MS140, at_hf, at_ms, plain

PATIENCE = ("--patience", "3")  # seconds that a busy server is waited for
QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


class Errand(NamedTuple):
    """What is wanted: `file` of the repository `id` at the hub `url`, to somewhere below `home`."""

    url: str
    id: str
    file: str
    home: Path
    certificate: Path


class Run(NamedTuple):
    """A command and its environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


class Taker(NamedTuple):
    """A client: `run` says how, skipping by name what is not here; `under` are the folders of finished files."""

    name: str
    run: Callable[[Errand], Run]
    under: str
    is_encrypted: bool = False


def weigh_pull(errand: Errand) -> Run:
    """Into Hugging Face's cache."""
    more = {"HF_HUB_CACHE": str(errand.home / "hub"), "WEIGH_HOME": str(errand.home / "weigh")}
    environment = at_hf(errand.url, errand.home, PYTHONPATH=os.pathsep.join(one for one in sys.path if one), **more)
    return Run(
        (sys.executable, "-m", "weigh", "pull", f"hf:{errand.id}", "--yes", "--lang", "en", *PATIENCE), environment
    )


def hf_2(errand: Errand) -> Run:
    """The whole repository."""
    return Run((str(HF2.bin / "hf"), "download", errand.id), at_hf(errand.url, errand.home, **QUIET))


def hf_0(errand: Errand) -> Run:
    """The whole repository."""
    return Run((str(HF0.bin / "hf"), "download", errand.id), at_hf(errand.url, errand.home, **QUIET))


def transformers(errand: Errand) -> Run:
    """By the way its models go for a file; the configuration as its classes read it."""
    pytest.importorskip("transformers")
    code = f"from transformers.utils import cached_file as take; take({errand.id!r}, {errand.file!r})"
    if errand.file != LARGE:
        code = f"from transformers import AutoConfig; AutoConfig.from_pretrained({errand.id!r})"
    return Run((str(HF2.bin / "python"), "-c", code), at_hf(errand.url, errand.home, **QUIET))


def ms_140(errand: Errand) -> Run:
    """The whole repository."""
    return Run((str(MS140.bin / "ms-hub"), "download", errand.id), at_ms(errand.url, errand.home))


def ms_137(errand: Errand) -> Run:
    """The whole repository, over TLS."""
    told = {"MODELSCOPE_DOMAIN": errand.url.removeprefix("https://"), "REQUESTS_CA_BUNDLE": str(errand.certificate)}
    environment = plain(MODELSCOPE_CACHE=str(errand.home), HOME=str(errand.home), **told)
    line = ("download", "--model", errand.id, "--local_dir", str(errand.home / "here"))
    return Run((str(MS137.bin / "modelscope"), *line), environment)


def curl(errand: Errand) -> Run:
    """The one file, taken up where it broke off, tried again whatever goes wrong."""
    flags = ("-sSfL", "--retry", "5", "--retry-all-errors", "--retry-delay", "1", "-C", "-", "--create-dirs")
    return Run((_here("curl"), *flags, "-o", str(errand.home / "here" / errand.file), _address(errand)), plain())


def aria2(errand: Errand) -> Run:
    """The one file, taken up where it broke off."""
    flags = ("-c", "--console-log-level=warn", "--summary-interval=0", "-d", str(errand.home / "here"))
    return Run((_here("aria2c"), *flags, "-o", errand.file, _address(errand)), plain())


LLAMA = """
import os, sys, xllamacpp
given = xllamacpp.CommonParams()
given.model.hf_repo, given.model.path, given.hf_token = sys.argv[1], "-", os.environ.get("HF_TOKEN", "")
given.warmup, given.n_ctx, given.n_parallel, given.fit_params = False, 64, 1, False
given.api_keys = ["x" * 16]
server = xllamacpp.Server(given)
print("loaded", flush=True)
os._exit(0)
"""


def llama_cpp(errand: Errand) -> Run:
    """The one quantisation, by llama.cpp's own code, and loaded."""
    pytest.importorskip("xllamacpp")
    environment = at_hf(errand.url, errand.home, LLAMA_CACHE=str(errand.home / "hub"))
    return Run((sys.executable, "-c", LLAMA, f"{errand.id}:Q8_0"), environment)


def _address(errand: Errand) -> str:
    return f"{errand.url}/{errand.id}/resolve/main/{errand.file}"


def _here(program: str) -> str:
    """In our environment, else wherever it is."""
    own = Path(sys.executable).parent / program
    found = str(own) if own.exists() else shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not here")
    return found


def arrived(taker: Taker, home: Path, file: str) -> Iterator[Path]:
    """Every place where the client has the file under its own name."""
    yield from (path for path in home.glob(f"{taker.under}/{file}") if path.is_file())


TAKERS = (
    Taker("weigh pull", weigh_pull, "hub/*/snapshots/*"),
    Taker("hf 2.4", hf_2, "hub/*/snapshots/*"),
    Taker("hf 0.36", hf_0, "hub/*/snapshots/*"),
    Taker("transformers", transformers, "hub/*/snapshots/*"),
    Taker("modelscope 1.40", ms_140, "models/*/snapshots/*"),
    Taker("modelscope 1.37", ms_137, "here", is_encrypted=True),
    Taker("curl", curl, "here"),
    Taker("aria2", aria2, "here"),
    Taker("llama.cpp", llama_cpp, "hub/*/snapshots/*"),
)


def taker_of(name: str) -> Taker:
    """By its name in the table."""
    return next(one for one in TAKERS if one.name == name)
