"""llama.cpp fetches by its own code from a mirror that wants a token, and loads what came."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.faults import ID, LARGE
from tests.clients.takers import Errand, Run, arrived, llama_cpp, taker_of
from tests.clients.world import TOKEN, write_models
from tests.serve.hub import HF2, Mirror, at_hf, mirroring, ran
from tests.tiny import made


@pytest.fixture(scope="module")
def root(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "clients", lambda folder: write_models(folder, samples))


@pytest.fixture(scope="module")
def guarded(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with mirroring(root, tmp_path_factory.mktemp("guarded"), "--token", TOKEN) as mirror:
        yield mirror


def run(guarded: Mirror, home: Path) -> Run:
    return llama_cpp(Errand(guarded.url, ID, LARGE, home, home))


def test_it_brings_a_model_home_with_its_token_loads_it_and_fetches_it_once(
    root: Path, guarded: Mirror, tmp_path: Path
) -> None:
    command, environment = run(guarded, tmp_path)
    for _ in range(2):
        done = subprocess.run(
            command, env={**environment, "HF_TOKEN": TOKEN}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0 and "loaded" in done.stdout, done.stderr
    (found,) = arrived(taker_of("llama.cpp"), tmp_path, LARGE)
    assert found.read_bytes() == (root / ID / LARGE).read_bytes()
    told = guarded.log.read_text("utf-8")
    assert told.count('"method":"GET","path":"/acme/large/resolve/') == 1 and TOKEN not in told
    assert "llama-cpp" in told


def test_hf_finds_what_llama_cpp_brought_without_a_network(guarded: Mirror, tmp_path: Path) -> None:
    command, environment = run(guarded, tmp_path)
    subprocess.run(command, env={**environment, "HF_TOKEN": TOKEN}, capture_output=True, timeout=120, check=True)
    offline = at_hf(guarded.url, tmp_path, HF_HUB_OFFLINE="1")
    done = ran([HF2.bin / "hf", "download", ID, LARGE], offline)
    assert done.returncode == 0 and LARGE in done.stdout


def test_another_token_brings_nothing(guarded: Mirror, tmp_path: Path) -> None:
    command, environment = run(guarded, tmp_path)
    wrong = {**environment, "HF_TOKEN": "hf_" + "x" * 34}
    done = subprocess.run(command, env=wrong, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0 and "401" in done.stderr
    assert not list(arrived(taker_of("llama.cpp"), tmp_path, LARGE))
