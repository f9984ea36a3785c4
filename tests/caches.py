"""A cache as each program leaves it, made up file by file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OLDER = "1123456789abcdef0123456789abcdef01234567"
WEIGHTS = b"weights"
HASH = sha256(WEIGHTS).hexdigest()
LONG_AGO = 1_700_000_000


def put(root: Path, name: str, data: bytes = WEIGHTS) -> Path:
    """A file, and nothing newer about it than long ago."""
    path = root.joinpath(*name.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def put_all(root: Path, names: str) -> None:
    for name in names.split():
        put(root, name)


def link(root: Path, name: str, target: str) -> None:
    path = root.joinpath(*name.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def hub_file(root: Path, repository: str, name: str, data: bytes = WEIGHTS, commit: str = COMMIT) -> Path:
    """A blob, and its name in a snapshot."""
    home = f"models--{repository.replace('/', '--')}"
    blob = put(root, f"{home}/blobs/{sha256(data).hexdigest()}", data)
    up = "../" * (name.count("/") + 2)
    link(root, f"{home}/snapshots/{commit}/{name}", f"{up}blobs/{blob.name}")
    return blob


def hf(root: Path) -> None:
    hub_file(root, "org/name", "model.safetensors")
    hub_file(root, "org/name", "onnx/model.onnx", b"graph")
    hub_file(root, "org/name", "model.safetensors", b"as it was", OLDER)
    home = "models--org--name"
    put(root, f"{home}/refs/main", COMMIT.encode())
    link(root, f"{home}/snapshots/{COMMIT}/gone.bin", f"../../blobs/{'0' * 64}")
    put_all(root, f"{home}/blobs/{'a' * 64}.0123abcd.incomplete {home}/blobs/{'b' * 40}.incomplete")
    put_all(root, f"{home}/blobs/{HASH}.incomplete {home}/blobs/{'c' * 64}")
    put(root, f"{home}/trees/{COMMIT}.json", b"{}")
    put(root, f"{home}/.no_exist/{COMMIT}/nothing.json", b"")
    put(root, "datasets--org--data/blobs/" + "d" * 64)
    put(root, ".locks/models--org--name/a.lock", b"")


def shared(root: Path) -> None:
    """Two repositories that have one file between them, and one that nobody has any more."""
    put(root, "blobs/.huggingface-shared-blobs", b"1\n")
    for xet in ("5" * 64, "6" * 64):
        put(root, f"blobs/{xet[:2]}/{xet}").chmod(0o444)
        put(root, f"blobs/{xet[:2]}/{xet}.refs", b"")
    for name in ("one", "other"):
        link(root, f"models--org--{name}/blobs/{HASH}", f"../../blobs/55/{'5' * 64}")
        link(root, f"models--org--{name}/snapshots/{COMMIT}/model.safetensors", f"../../blobs/{HASH}")


def ms(root: Path) -> None:
    home = "models/org--name/snapshots"
    put_all(root, f"{home}/master/model.safetensors {home}/v1/model.safetensors {home}/master/sub/a.bin.incomplete")
    put_all(root, f"{home}/master/whole.bin {home}/master/whole.bin.incomplete {home}/master/in_2024_12")
    put_all(root, f"{home}/master/b.bin.parallel_tmp {home}/master/b.bin_0_99")
    put(root, "models/.lock/file_0.lock", b"")


def ms_old(root: Path) -> None:
    put_all(root, "models/org/name___1/model.safetensors models/org/name___1/.msc models/org/name___1/.mv")
    put_all(root, "models/._____temp/org/other/big.bin old/style/pytorch_model.bin")
    link(root, "models/org/name.1", "name___1")


def manifest(*digests: str) -> bytes:
    layers = [
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{one}", "size": 7} for one in digests
    ]
    return json.dumps({"schemaVersion": 2, "config": {"digest": f"sha256:{'9' * 64}"}, "layers": layers}).encode()


def ollama(root: Path) -> None:
    put(root, "manifests/registry.ollama.ai/library/qwen3/8b", manifest(HASH))
    put(root, "manifests/registry.ollama.ai/someone/thing/latest", manifest(HASH, "e" * 64))
    put_all(root, f"blobs/sha256-{HASH} blobs/sha256-{'9' * 64} blobs/sha256-{'f' * 64}")


def llamacpp(root: Path) -> None:
    put_all(root, "org_name_model-Q4_K_M.gguf org_name_model-Q4_K_M.gguf.json org_name_model-Q4_K_M.gguf.etag")
    put_all(root, "org_big-00001-of-00002.gguf org_big-00002-of-00002.gguf org_other.gguf.downloadInProgress")
    put_all(root, "org_name_model-Q4_K_M.gguf.downloadInProgress")


def lm_studio(root: Path) -> None:
    put_all(root, "publisher/model/file-Q4_K_M.gguf publisher/model/mmproj.gguf publisher/next/file.gguf.part")


def jan(root: Path) -> None:
    models = "llamacpp/models"
    put(root, f"{models}/qwen/model.gguf")
    put(root, f"{models}/qwen/model.yml", b"name: qwen\nmodel_path: llamacpp/models/qwen/model.gguf\nsize_bytes: 7\n")
    put(root, f"{models}/far/model.yml", b"model_path: kept/elsewhere.gguf\n")
    put(root, "kept/elsewhere.gguf")
    put(root, f"{models}/org/gone/model.yml", b"model_path: '/nowhere/at/all.gguf'\nname: gone\n")


def gpt4all(root: Path) -> None:
    put_all(root, "orca-mini.gguf incomplete-falcon.gguf localdocs_v3.db")


COMFYUI_PATHS = """
# base_path: /none
comfyui:
    base_path: 'more'  # from here
    is_default: true
    checkpoints: |
        ckpt/

        old
        nowhere
    loras: "l"
    custom_nodes: nodes
    vae: $HOME/..
others:
  checkpoints: more/ckpt
  unet:
    - more/e
  clip: ..
"""


def comfyui(root: Path) -> None:
    put_all(
        root, "models/checkpoints/sd_xl_base_1.0.safetensors models/loras/style/ink.safetensors models/vae/put_here"
    )
    put_all(root, "models/diffusers/sd/model_index.json models/diffusers/sd/unet/model.safetensors output/image.png")
    put(root, "extra_model_paths.yaml", COMFYUI_PATHS.encode())
    put_all(root, "more/ckpt/a.safetensors more/old/b.ckpt more/l/c.safetensors more/nodes/d.pth more/e/f.safetensors")


def a1111(root: Path) -> None:
    put_all(root, "models/Stable-diffusion/v1-5.ckpt embeddings/bad-hands.pt models/VAE/readme.txt")
    started = (
        b"# export COMMANDLINE_ARGS=--lora-dir no\nexport COMMANDLINE_ARGS=\"--xformers --ckpt-dir 'my models'\"\n"
    )
    put(root, "webui-user.sh", started)
    put(root, "config.json", b'{"vae_dir": "vaes", "sd_vae": "x", "lora_dir": 7, "data_dir": "data"}')
    put(root, "my models/mine.safetensors")
    put_all(root, "vaes/soft.pt no/never.pt data/models/Lora/ink.safetensors data/embeddings/hands.pt")


def whisper(root: Path) -> None:
    put_all(root, "large-v3.pt")


def torch_hub(root: Path) -> None:
    put_all(root, f"hub/checkpoints/resnet50-0676ba61.pth hub/checkpoints/vgg.pth.{'0' * 32}.partial hub/trusted_list")


def keras(root: Path) -> None:
    put_all(root, "models/vgg16_weights_tf_dim_ordering_tf_kernels.h5 models/imagenet_class_index.json")


def kagglehub(root: Path) -> None:
    home = "models/google/gemma/keras/gemma_2b_en"
    put_all(root, f"{home}/3/model.weights.h5 {home}/3/config.json {home}/3.complete {home}/4.archive")


def sentence_transformers(root: Path) -> None:
    put_all(root, "sentence-transformers_all-MiniLM-L6-v2/pytorch_model.bin")
    hub_file(root, "BAAI/bge-m3", "pytorch_model.bin")


CACHES: Mapping[str, Callable[[Path], None]] = {
    "hf": hf,
    "ms": ms,
    "ms-old": ms_old,
    "ollama": ollama,
    "llama.cpp": llamacpp,
    "lm-studio": lm_studio,
    "jan": jan,
    "gpt4all": gpt4all,
    "a1111": a1111,
    "comfyui": comfyui,
    "whisper": whisper,
    "torch-hub": torch_hub,
    "keras": keras,
    "kagglehub": kagglehub,
    "sentence-transformers": sentence_transformers,
}
