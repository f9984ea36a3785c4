"""The requests of Ollama's client, as its source makes them: a manifest, then each blob by its digest and by ranges."""

from __future__ import annotations

import hashlib
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.hub import Mirror, mirroring


@pytest.fixture(scope="module")
def root(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    model = root / "acme" / "gguf"
    model.mkdir(parents=True)
    for name in ("Nova-7B-Instruct-Q8_0.gguf", "tiny-llama-Q4_K_M.gguf"):
        shutil.copy(samples / name, model / name)
    (model / "LICENSE").write_text("MIT\n")
    return root


@pytest.fixture(scope="module")
def mirror(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with mirroring(root, tmp_path_factory.mktemp("home")) as mirror:
        yield mirror


def asked(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers), timeout=60) as answer:
        assert method != "HEAD" or int(answer.headers["Content-Length"]) > 0
        return answer.status, answer.read()


TAGS = """
latest tiny-llama-Q4_K_M.gguf
Q4_K_M tiny-llama-Q4_K_M.gguf
q8_0   Nova-7B-Instruct-Q8_0.gguf
"""


@pytest.mark.parametrize("row", TAGS.strip().splitlines())
def test_a_tag_leads_to_its_file_blob_by_blob(row: str, mirror: Mirror, root: Path) -> None:
    tag, name = row.split()
    manifest = json.loads(asked(f"{mirror.url}/v2/acme/gguf/manifests/{tag}")[1])
    kinds = [layer["mediaType"].rpartition(".")[2] for layer in manifest["layers"]]
    assert kinds == ["model", "license"]
    assert (
        manifest["layers"][0]["digest"]
        == f"sha256:{hashlib.sha256((root / 'acme/gguf' / name).read_bytes()).hexdigest()}"
    )
    for layer in [manifest["config"], *manifest["layers"]]:
        blob = f"{mirror.url}/v2/acme/gguf/blobs/{layer['digest']}"
        assert asked(blob, "HEAD")[0] == 200
        data = asked(blob)[1]
        assert (len(data), f"sha256:{hashlib.sha256(data).hexdigest()}") == (layer["size"], layer["digest"])
    assert asked(blob, Range="bytes=1-2") == (206, data[1:3])


@pytest.mark.parametrize("path", ["manifests/Q2_K", f"blobs/sha256:{'0' * 64}", "blobs/sha256:../../LICENSE"])
def test_what_is_not_there_is_said_as_a_registry_says_it(path: str, mirror: Mirror) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        asked(f"{mirror.url}/v2/acme/gguf/{path}")
    with caught.value as answer:
        assert answer.status == 404 and json.loads(answer.read())["errors"]
