"""A model that is not here is pulled before it runs, if somebody agrees; one that is here opens no connection."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.hubs.server import COMMIT, hub
from tests.loopback import Content, Loopback, serving
from tests.store.faults import environment
from tests.tiny import made
from tools.tiny import text
from weigh.app.here import Here, here, ids_of
from weigh.app.stores import Stores
from weigh.cli.main import weigh
from weigh.knowledge.catalog import families

QUESTION = ("weigh", "--temperature", "0", "--lang", "en")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "text", text.write)


@pytest.fixture
def server(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A hub with one quantisation of one model; everything is kept below the test's own folder."""
    files: dict[str, Content] = {"tiny-F32.gguf": (tiny / "model-F32.gguf").read_bytes()}
    with serving(hub(files)) as running:
        for name, value in environment(running, tmp_path, OLLAMA_MODELS=str(tmp_path / "ollama")).items():
            monkeypatch.setenv(name, value)
        yield running


def run(*arguments: str, command: str = "run") -> tuple[Result, int]:
    result = CliRunner().invoke(weigh, [command, *arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    return result, int(result.return_value)


def test_what_is_not_here_is_pulled_once_and_then_runs(server: Loopback) -> None:
    result, status = run("hf:org/name", *QUESTION, "--yes")
    assert (status, result.stdout) == (0, text.TEXT + "\n"), result.stderr
    asked = len(server.asked)
    for named in ("hf:org/name", "hf:org/name:F32", "org/name", "name", "hf:org/name:tiny-F32.gguf"):
        result, status = run(named, *QUESTION, "--offline")
        assert (status, result.stdout) == (0, text.TEXT + "\n"), (named, result.stderr)
    assert len(server.asked) == asked > 0


def test_a_model_at_an_address_is_pulled_once_and_then_runs(server: Loopback) -> None:
    address = f"{server.url}/org/name/resolve/main/tiny-F32.gguf"
    result, status = run(address, *QUESTION, "--yes")
    assert (status, result.stdout) == (0, text.TEXT + "\n"), result.stderr
    asked = len(server.asked)
    result, status = run(address, *QUESTION, "--offline")
    assert (status, result.stdout) == (0, text.TEXT + "\n"), result.stderr
    assert len(server.asked) == asked > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("hf:org/name",), "weigh pull hf:org/name, or say --yes"),
        (("hf:org/name", "--yes", "--offline"), "--offline opens no connection"),
        (("hf:org/name:Q9_X", "--offline"), "--offline opens no connection"),
        (("org/name", "--yes"), "no name that the catalogue knows"),
        (("no-such-model", "--yes"), "no name that the catalogue knows"),
        (("ollama:no-such:1b", "--yes"), "ollama pull no-such:1b"),
        (("https://example.org/model.gguf",), "weigh pull https://example.org/model.gguf, or say --yes"),
        (("https://example.org/model.gguf", "--yes", "--offline"), "--offline opens no connection"),
        (("../../etc/no", "--yes"), "there is no such file"),
    ],
)
@pytest.mark.parametrize("command", ["run", "bench", "serve"])
def test_what_may_not_be_fetched_opens_no_connection(
    server: Loopback, command: str, arguments: tuple[str, ...], said: str
) -> None:
    result, status = run(*arguments, "--lang", "en", command=command)
    assert status == 2 and said in result.stderr and result.stderr.count("\n") == 1
    assert server.asked == []


@pytest.mark.parametrize(("answer", "status", "out"), [("n", 2, ""), ("y", 0, text.TEXT + "\n")])
def test_whoever_sits_at_a_terminal_is_asked(server: Loopback, answer: str, status: int, out: str) -> None:
    ours, theirs = os.openpty()
    paths = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(
        [sys.executable, "-m", "weigh", "run", "hf:org/name", *QUESTION],
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths, "LC_ALL": "C.UTF-8"},
    )
    os.close(theirs)
    seen = b""
    while b"]:" not in seen:
        seen += os.read(ours, 1000)
    os.write(ours, answer.encode() + b"\n")
    said, _ = process.communicate(timeout=120)
    os.close(ours)
    assert b"hf:org/name is not on this machine. Pull 1 files" in b" ".join(seen.split())
    assert (process.returncode, said.decode()) == (status, out)
    assert any("/resolve/" in asked.path for asked in server.asked) is (status == 0)


def test_a_name_of_the_catalogue_is_that_of_its_hub_id(server: Loopback) -> None:
    known = next(family.hf[0] for family in families().values() if family.hf)
    assert f"hf:{known}" in ids_of(known) and f"hf:{known}" in ids_of(known.rpartition("/")[2].upper())
    result, status = run(known, "x", "--offline", "--lang", "en")
    assert status == 2 and f"weigh pull hf:{known}" in result.stderr
    assert server.asked == []


def test_what_is_held_on_arrival_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = {"pytorch_model.bin": b"cposix\nsystem\n(S'true'\ntR.", "config.json": b"{}"}
    with serving(hub(evil)) as server:
        for name, value in environment(server, tmp_path).items():
            monkeypatch.setenv(name, value)
        result, status = run("hf:org/name", "x", "--yes", "--lang", "en")
    assert status == 2 and "held back on its arrival" in result.stderr and result.stdout == ""


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(roots={"hf": str(tmp_path / "hf"), "ms": str(tmp_path / "ms")}, home=str(tmp_path / "home"))


def kept(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def found(text: str, stores: Stores, tmp_path: Path) -> str | None:
    path = here(text, stores, str(tmp_path / "ollama")).path
    return os.path.relpath(path, tmp_path) if path is not None else None


SNAPSHOT = "hf/models--o--n/snapshots"


@pytest.mark.parametrize(
    ("files", "asked", "path"),
    [
        (("config.json", "model.safetensors"), "hf:o/n", f"{SNAPSHOT}/{COMMIT}"),
        (("config.json", "model.safetensors"), "o/n", f"{SNAPSHOT}/{COMMIT}"),
        (("config.json", "model.safetensors"), f"hf:o/n@{COMMIT}", f"{SNAPSHOT}/{COMMIT}"),
        (("config.json", "model.safetensors"), "hf:o/n@other", None),
        (("config.json",), "hf:o/n", None),
        (("n-Q8_0.gguf", "n-Q4_K_M.gguf"), "hf:o/n", f"{SNAPSHOT}/{COMMIT}/n-Q4_K_M.gguf"),
        (("n-Q8_0.gguf", "n-Q4_K_M.gguf"), "hf:o/n:Q8_0", f"{SNAPSHOT}/{COMMIT}/n-Q8_0.gguf"),
        (("n-Q8_0.gguf", "n-Q4_K_M.gguf"), "hf:o/n:q8_0", f"{SNAPSHOT}/{COMMIT}/n-Q8_0.gguf"),
        (("n-Q8_0.gguf",), "hf:o/n:Q4_K_M", None),
        (("n-Q8_0-00001-of-00002.gguf",), "hf:o/n:Q8_0", None),
        (
            ("n-Q8_0-00001-of-00002.gguf", "n-Q8_0-00002-of-00002.gguf"),
            "hf:o/n:Q8_0",
            f"{SNAPSHOT}/{COMMIT}/n-Q8_0-00001-of-00002.gguf",
        ),
    ],
)
def test_the_cache_of_hugging_face_is_looked_into(
    stores: Stores, tmp_path: Path, files: tuple[str, ...], asked: str, path: str | None
) -> None:
    kept(tmp_path / SNAPSHOT / COMMIT, *files)
    refs = kept(tmp_path / "hf/models--o--n/refs")
    (refs / "main").write_text(COMMIT)
    assert found(asked, stores, tmp_path) == path


def test_a_repository_of_which_a_shard_is_missing_is_not_here(stores: Stores, tmp_path: Path) -> None:
    folder = kept(tmp_path / SNAPSHOT / COMMIT, "a.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": "a.safetensors", "y": "b"}}))
    assert found(f"hf:o/n@{COMMIT}", stores, tmp_path) is None
    (folder / "b").write_bytes(b"x")
    assert found(f"hf:o/n@{COMMIT}", stores, tmp_path) is not None


@pytest.mark.parametrize("folder", ["ms/models/o--n.5/snapshots/master", "ms/hub/models/o/n___5", "ms/hub/o/n___5"])
def test_each_layout_of_modelscope_is_looked_into(stores: Stores, tmp_path: Path, folder: str) -> None:
    kept(tmp_path / folder, "model.safetensors")
    assert found("ms:o/n.5", stores, tmp_path) == folder
    assert found("o/n.5", stores, tmp_path) == folder


def test_ollama_s_manifest_leads_to_its_blob(stores: Stores, tmp_path: Path) -> None:
    manifest = tmp_path / "ollama/manifests/registry.ollama.ai/library/qwen3/8b"
    layers = [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + "a" * 64, "size": 1}]
    kept(tmp_path / "ollama/blobs", "sha256-" + "a" * 64)
    kept(manifest.parent)
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))
    for named in ("ollama:qwen3:8b", "qwen3:8b"):
        assert found(named, stores, tmp_path) == "ollama/blobs/sha256-" + "a" * 64
    assert found("ollama:qwen3", stores, tmp_path) is None


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "sha256:", "md5:" + "a" * 64, "sha256:" + "A" * 64])
def test_a_hostile_manifest_leads_nowhere(stores: Stores, tmp_path: Path, digest: str) -> None:
    manifest = kept(tmp_path / "ollama/manifests/registry.ollama.ai/library/evil") / "latest"
    layers = [{"mediaType": "application/vnd.ollama.image.model", "digest": digest}]
    manifest.write_text(json.dumps({"layers": layers}))
    assert found("ollama:evil", stores, tmp_path) is None


@pytest.mark.parametrize("commit", ["../../../../etc", "", "a/b", "\0", "x" * 5000])
def test_a_hostile_ref_leads_nowhere(stores: Stores, tmp_path: Path, commit: str) -> None:
    refs = kept(tmp_path / "hf/models--o--n/refs")
    (refs / "main").write_text(commit)
    assert found("hf:o/n", stores, tmp_path) is None


def test_a_path_and_echo_are_where_they_say(stores: Stores, tmp_path: Path) -> None:
    assert here(str(tmp_path), stores, "").path == str(tmp_path)
    assert here("echo:", stores, "") == Here(text="echo:", path="echo:")
    shutil.rmtree(tmp_path, ignore_errors=True)
    assert here("hf:o/n", stores, str(tmp_path)).path is None
