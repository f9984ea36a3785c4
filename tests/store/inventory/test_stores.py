"""What lies in each program's cache: which model, which part of it, and what of it nobody uses."""

from __future__ import annotations

import importlib
import os
import pkgutil
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.caches import CACHES, COMMIT, HASH, OLDER, hub_file, manifest, put, put_all, shared
from tests.hubs.server import hub
from tests.loopback import serving
from weigh.store import inventory
from weigh.store.inventory import FOLDER, STORES
from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import stem_of

# store, role, model, name, revision, why
FOUND = f"""
hf                     file      org/name               model.safetensors              main          -
hf                     file      org/name               onnx/model.onnx                main          -
hf                     file      org/name               model.safetensors              {OLDER[:12]}  -
hf                     dangling  org/name               gone.bin                       main          -
hf                     orphan    org/name               {"a" * 64}.0123abcd.incomplete  -           never-resumed
hf                     orphan    org/name               {HASH}.incomplete              -             whole-is-there
hf                     orphan    org/name               {"c" * 64}                     -             unreferenced
hf                     partial   org/name               {"b" * 40}.incomplete          -             -
ms                     file      org/name               model.safetensors              master        -
ms                     file      org/name               model.safetensors              v1            -
ms                     file      org/name               whole.bin                      master        -
ms                     file      org/name               in_2024_12                     master        -
ms                     orphan    org/name               whole.bin.incomplete           master        whole-is-there
ms                     partial   org/name               sub/a.bin.incomplete           master        -
ms                     partial   org/name               b.bin.parallel_tmp             master        -
ms                     partial   org/name               b.bin_0_99                     master        -
ms-old                 file      org/name.1             model.safetensors              -             -
ms-old                 file      old/style              pytorch_model.bin              -             -
ms-old                 partial   org/other              big.bin                        -             -
ollama                 file      qwen3:8b               model                          -             -
ollama                 file      qwen3:8b               layer                          -             -
ollama                 file      someone/thing:latest   model                          -             -
ollama                 file      someone/thing:latest   layer                          -             -
ollama                 dangling  someone/thing:latest   sha256-{"e" * 64}              -             -
ollama                 orphan    -                      sha256-{"f" * 64}              -             unreferenced
llama.cpp              file      org_name_model-Q4_K_M  org_name_model-Q4_K_M.gguf     -             -
llama.cpp              file      org_big                org_big-00001-of-00002.gguf    -             -
llama.cpp              file      org_big                org_big-00002-of-00002.gguf    -             -
llama.cpp              partial   org_other              org_other.gguf.downloadInProgress  -         -
llama.cpp              orphan    org_name_model-Q4_K_M  org_name_model-Q4_K_M.gguf.downloadInProgress  -  whole-is-there
lm-studio              file      publisher/model        file-Q4_K_M.gguf               -             -
lm-studio              file      publisher/model        mmproj.gguf                    -             -
lm-studio              partial   publisher/next         file.gguf.part                 -             -
jan                    file      qwen                   model.gguf                     -             -
jan                    file      far                    elsewhere.gguf                 -             -
jan                    dangling  org/gone               model.yml                      -             -
gpt4all                file      orca-mini              orca-mini.gguf                 -             -
gpt4all                partial   incomplete-falcon      incomplete-falcon.gguf         -             -
comfyui                file      checkpoints/sd_xl_base_1.0  sd_xl_base_1.0.safetensors  -           -
comfyui                file      loras/style/ink        ink.safetensors                -             -
comfyui                file      diffusers/sd           model_index.json               -             -
comfyui                file      diffusers/sd           unet/model.safetensors         -             -
comfyui                file      checkpoints/a          a.safetensors                  -             -
comfyui                file      checkpoints/b          b.ckpt                         -             -
comfyui                file      loras/c                c.safetensors                  -             -
comfyui                file      unet/f                 f.safetensors                  -             -
a1111                  file      Stable-diffusion/mine  mine.safetensors               -             -
a1111                  file      VAE/soft               soft.pt                        -             -
a1111                  file      Lora/ink               ink.safetensors                -             -
a1111                  file      hands                  hands.pt                       -             -
a1111                  file      Stable-diffusion/v1-5  v1-5.ckpt                      -             -
a1111                  file      bad-hands              bad-hands.pt                   -             -
whisper                file      large-v3               large-v3.pt                    -             -
torch-hub              file      resnet50-0676ba61      resnet50-0676ba61.pth          -             -
torch-hub              orphan    vgg.pth.{"0" * 32}     vgg.pth.{"0" * 32}.partial     -             never-resumed
keras                  file      vgg16_weights_tf_dim_ordering_tf_kernels  vgg16_weights_tf_dim_ordering_tf_kernels.h5  -  -
kagglehub              file      google/gemma/keras/gemma_2b_en  model.weights.h5      3             -
kagglehub              file      google/gemma/keras/gemma_2b_en  config.json           3             -
kagglehub              partial   google/gemma/keras/gemma_2b_en  4.archive             -             -
sentence-transformers  file      BAAI/bge-m3            pytorch_model.bin              {COMMIT[:12]}  -
sentence-transformers  file      sentence-transformers/all-MiniLM-L6-v2  pytorch_model.bin  -        -
"""
# whose owners put files in the place of others and never write into one
REPLACED = {"hf", "ms", "ollama"}


def store_of(id: str) -> Store:
    return next(store for store in STORES if store.id == id)


def told(item: Item) -> tuple[str, ...]:
    return item.role, item.model or "-", item.name, item.revision or "-", item.why or "-"


def roles(root: Path, id: str) -> dict[str, list[str]]:
    """Names by their roles."""
    found: dict[str, list[str]] = {}
    for item in store_of(id).walk(str(root)):
        found.setdefault(item.role, []).append(item.name)
    return found


def test_every_store_is_listed_and_has_a_cache_made_up_for_it() -> None:
    modules = [
        importlib.import_module(f"weigh.store.inventory.{one.name}") for one in pkgutil.iter_modules(inventory.__path__)
    ]
    written = {module.STORE.id for module in modules if hasattr(module, "STORE")}
    assert written == {store.id for store in STORES} | {FOLDER.id}
    assert [store.id for store in STORES] == list(CACHES) and all(store.places for store in STORES)


@pytest.mark.parametrize("id", CACHES)
def test_a_cache_is_read_as_its_program_means_it(id: str, tmp_path: Path) -> None:
    CACHES[id](tmp_path)
    expected = [tuple(line.split()[1:]) for line in FOUND.splitlines() if line.split()[:1] == [id]]
    items = list(store_of(id).walk(str(tmp_path)))
    assert sorted(map(told, items)) == sorted(expected) and expected
    assert all(stat.S_ISREG(item.status.st_mode) for item in items if item.role != "dangling")
    if id in REPLACED:
        assert all(item.is_replaced for item in items if item.role == "file")


@pytest.mark.parametrize("id", sorted(set(CACHES) - REPLACED - {"sentence-transformers"}))
def test_what_users_edit_is_never_said_to_be_replaced(id: str, tmp_path: Path) -> None:
    CACHES[id](tmp_path)
    assert not any(item.is_replaced for item in store_of(id).walk(str(tmp_path)))


@pytest.mark.parametrize("id", CACHES)
def test_nothing_there_is_nothing_found(id: str, tmp_path: Path) -> None:
    assert list(store_of(id).walk(str(tmp_path / "not" / "there"))) == []


@pytest.mark.parametrize("id", CACHES)
def test_no_link_leads_out_of_a_store(id: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put_all(outside, "secret.safetensors models--org--secret/blobs/a models/secret/model.gguf")
    root = tmp_path / "store"
    CACHES[id](root)
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir() and not path.is_symlink())]:
        (folder / "out").symlink_to(outside)
        (folder / "out.safetensors").symlink_to(outside / "secret.safetensors")
    paths = [os.path.realpath(item.path) for item in store_of(id).walk(str(root)) if item.role != "dangling"]
    assert [path for path in paths if path.startswith(str(outside))] == []


def test_a_pickle_of_modelscopes_is_never_opened(tmp_path: Path) -> None:
    CACHES["ms-old"](tmp_path)
    put(tmp_path, "models/org/name___1/.msc", b"cos\nabort\n(tR.")
    assert ".msc" not in {item.name for item in store_of("ms-old").walk(str(tmp_path))}


def test_repositories_that_share_a_file_both_have_it_and_it_is_one(tmp_path: Path) -> None:
    shared(tmp_path)
    items = list(store_of("hf").walk(str(tmp_path)))
    files = [item for item in items if item.role == "file"]
    assert [(item.model, item.claim) for item in files] == [("org/one", HASH), ("org/other", HASH)]
    assert len({item.path for item in files}) == 1
    assert [(item.name, item.why) for item in items if item.role == "orphan"] == [("6" * 64, "shared")]


def test_a_folder_called_blobs_without_the_marker_is_nobodys_store(tmp_path: Path) -> None:
    shared(tmp_path)
    (tmp_path / "blobs" / ".huggingface-shared-blobs").unlink()
    assert [item for item in store_of("hf").walk(str(tmp_path)) if item.role in ("file", "orphan")] == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is unreadable to the administrator")
def test_no_blob_is_an_orphan_while_a_snapshot_cannot_be_read(tmp_path: Path) -> None:
    hub_file(tmp_path, "org/name", "model.safetensors")
    snapshots = tmp_path / "models--org--name" / "snapshots"
    snapshots.chmod(0)
    try:
        assert roles(tmp_path, "hf") == {"file": [HASH]}
    finally:
        snapshots.chmod(0o700)


def test_no_blob_is_an_orphan_beyond_the_depth_that_is_looked_at(tmp_path: Path) -> None:
    put(tmp_path, f"models--org--name/blobs/{HASH}")
    put(tmp_path, f"models--org--name/snapshots/{COMMIT}/{'deep/' * 20}model.bin")
    assert roles(tmp_path, "hf") == {"file": [HASH]}


@pytest.mark.parametrize(
    "ruin", [b"{", b"[]", b'{"layers": 5}', b'{"layers": [' + b"[" * 100_000, b"\xff", b" " * (2 << 20)]
)
def test_no_blob_of_ollamas_is_an_orphan_while_a_manifest_cannot_be_read(ruin: bytes, tmp_path: Path) -> None:
    CACHES["ollama"](tmp_path)
    put(tmp_path, "manifests/registry.ollama.ai/library/odd/latest", ruin)
    assert "orphan" not in roles(tmp_path, "ollama")


def test_what_an_open_pull_of_ollamas_has_fetched_is_no_orphan(tmp_path: Path) -> None:
    CACHES["ollama"](tmp_path)
    put_all(tmp_path, f"blobs/sha256-{'7' * 64}-partial blobs/sha256-{'7' * 64}-partial-0")
    found = roles(tmp_path, "ollama")
    assert "orphan" not in found and f"sha256-{'f' * 64}" in found["partial"]


def test_a_manifest_that_names_a_path_names_no_file(tmp_path: Path) -> None:
    put(tmp_path, "secret")
    put(tmp_path, "store/manifests/host/ns/name/tag", manifest("../../secret"))
    put_all(tmp_path / "store", "blobs/other")
    assert {item.role for item in store_of("ollama").walk(str(tmp_path / "store"))} == {"dangling"}


def test_what_hf_leaves_in_a_folder_of_its_users_is_an_orphan(tmp_path: Path) -> None:
    put_all(tmp_path, "config.json model.safetensors .cache/huggingface/download/model.safetensors.metadata")
    put(tmp_path, f".cache/huggingface/download/abc.{'a' * 64}.0123abcd.incomplete")
    found = [(item.role, item.name.rpartition("/")[2]) for item in FOLDER.walk(str(tmp_path))]
    assert sorted(found) == [
        ("file", "config.json"),
        ("file", "model.safetensors"),
        ("orphan", f"abc.{'a' * 64}.0123abcd.incomplete"),
    ]


@pytest.mark.parametrize(
    "line",
    """
    a/model-00001-of-00002.safetensors   a/model
    model.gguf                           model
    model.gguf.part                      model
    model-v1.5.gguf.incomplete           model-v1.5
    notes-of-2024                        notes-of-2024
    .part                                .part
    """.strip().splitlines(),
)
def test_a_file_is_called_without_suffix_and_number(line: str) -> None:
    name, expected = line.split()
    assert stem_of(name) == expected


def test_a_name_in_no_encoding_is_a_name(tmp_path: Path) -> None:
    try:
        put(tmp_path, os.fsdecode(b"odd-\xff.pt"))
    except OSError:
        pytest.skip("this file system takes no such name")
    assert [os.fsencode(item.name) for item in store_of("whisper").walk(str(tmp_path))] == [b"odd-\xff.pt"]


SCAN = """
import sys
from pathlib import Path
from huggingface_hub import scan_cache_dir, snapshot_download
from huggingface_hub.utils import _shared_blobs as shared
snapshot_download("org/name", cache_dir=sys.argv[1])
for blob in Path(sys.argv[1]).glob("models--*/blobs/*"):
    if sys.argv[2] == "shared" and len(blob.name) == 64:
        size = blob.stat().st_size
        assert shared.publish_blob_to_shared_store(
            blob_path=str(blob), xet_hash="7" * 64, cache_dir=sys.argv[1], expected_size=size
        )
    Path(f"{blob}.0123abcd.incomplete").write_bytes(b"some")
found = scan_cache_dir(sys.argv[1])
for repository in found.repos:
    for revision in repository.revisions:
        for file in revision.files:
            print("file", file.blob_path.resolve(), file.size_on_disk)
for file in found.incomplete_files:
    print("orphan", file.file_path, file.size_on_disk)
"""


@pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed")
@pytest.mark.parametrize("way", ["own", "shared"])
def test_a_cache_that_huggingface_hub_wrote_is_read_as_it_reads_it(way: str, tmp_path: Path) -> None:
    files = {"config.json": b"{}", "sub/model.safetensors": b"w" * 30_000}
    with serving(hub(files)) as server:
        around = os.environ | {"HF_ENDPOINT": server.url, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1"}
        run = [sys.executable, "-c", SCAN, str(tmp_path), way]
        done = subprocess.run(run, capture_output=True, text=True, env=around, timeout=60)
    assert done.returncode == 0, done.stderr
    items = list(store_of("hf").walk(str(tmp_path)))
    ours = [f"{item.role} {item.path} {item.status.st_size}" for item in items]
    assert sorted(ours) == sorted(done.stdout.splitlines()) and len(ours) == 4
    assert [item.name for item in items if item.role == "file"] == list(files)
    assert any(f"{os.sep}77{os.sep}" in item.path for item in items) == (way == "shared")


@pytest.mark.skipif(find_spec("modelscope") is None, reason="modelscope is not installed")
def test_a_cache_that_modelscope_wrote_is_read_as_its_own(tmp_path: Path) -> None:
    files = {"config.json": b"{}", "sub/model.safetensors": b"w" * 30_000}
    code = "import sys; from modelscope import snapshot_download; print(snapshot_download('org/name'))"
    with serving(hub(files)) as server:
        around = os.environ | {"MODELSCOPE_ENDPOINT": server.url, "MODELSCOPE_CACHE": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=around, timeout=60)
    assert done.returncode == 0, done.stderr
    found = [(item.role, item.model, item.name) for item in store_of("ms").walk(str(tmp_path))]
    assert sorted(found) == [("file", "org/name", "config.json"), ("file", "org/name", "sub/model.safetensors")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("extra_model_paths.yaml", "a:\n  base_path: /\n  all: .\n"),
        ("extra_model_paths.yaml", "a:\n  base_path: ..\n  all: .\n"),
        ("extra_model_paths.yaml", "a:\n  all: \0\n"),
        ("extra_model_paths.yaml", "  stray: x\n- -\n: :\n" + "[" * 10_000),
        ("extra_model_paths.yaml", "a:\n" + "  loras: x\n" * 100_000),
        ("webui-user.sh", 'COMMANDLINE_ARGS="--ckpt-dir / --data-dir .. --lora-dir $(id) --vae-dir \'"\n'),
        ("config.json", "[" * 100_000),
        ("config.json", '{"models_dir": "/", "ckpt_dir": "\\u0000", "vae_dir": null}'),
    ],
)
def test_settings_that_name_nothing_or_everything_add_nothing(name: str, text: str, tmp_path: Path) -> None:
    put(tmp_path, f"store/{name}", text.encode())
    put_all(tmp_path, "beside.safetensors store/x.safetensors")
    for id in ("comfyui", "a1111"):
        assert list(store_of(id).walk(str(tmp_path / "store"))) == []
