"""Headers of large files: gguf-py, safetensors and torch beside us, on the same bytes in one run."""

from __future__ import annotations

import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.timing import compare
from tools.make_samples import string
from weigh.formats import gguf, safetensors
from weigh.sources.file import FileSource

TOKENS, MERGES, TENSORS = 151_936, 151_387, 400
READ = (
    "from weigh.formats import detect; from weigh.sources.file import FileSource\n"
    "import sys\n"
    "for path in {paths!r}:\n"
    "    source = FileSource(path); detect(source).read(source)\n"
)


def write_gguf(path: Path) -> None:
    def array(key: str, kind: int, count: int, data: bytes) -> bytes:
        return string(key) + struct.pack("<IIQ", 9, kind, count) + data

    words = [f"tok{number}" for number in range(TOKENS)]
    keys = [
        string("general.architecture") + struct.pack("<I", 8) + string("qwen3"),
        array("tokenizer.ggml.tokens", 8, TOKENS, b"".join(map(string, words))),
        array("tokenizer.ggml.scores", 6, TOKENS, bytes(4 * TOKENS)),
        array("tokenizer.ggml.token_type", 5, TOKENS, bytes(4 * TOKENS)),
        array("tokenizer.ggml.merges", 8, MERGES, b"".join(string(f"ab{n} cd") for n in range(MERGES))),
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, TENSORS, len(keys)) + b"".join(keys)
    for number in range(TENSORS):
        head += string(f"blk.{number}.ffn_up.weight") + struct.pack("<IQIQ", 1, 256, 0, number * 1024)
    with path.open("wb") as file:
        file.write(head + bytes(-len(head) % 32))
        file.truncate(file.tell() + TENSORS * 1024)


def write_shards(folder: Path) -> list[str]:
    shards, total = 30, 1043
    paths = []
    nbytes = 141_100_000_000 // total // 2 * 2
    for shard in range(shards):
        count = total // shards + (shard < total % shards)
        table = {
            f"model.layers.{shard}.part.{number}.weight": {
                "dtype": "BF16",
                "shape": [nbytes // 2],
                "data_offsets": [number * nbytes, (number + 1) * nbytes],
            }
            for number in range(count)
        }
        text = json.dumps(table).encode()
        path = folder / f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            file.truncate(8 + len(text) + count * nbytes)
        paths.append(str(path))
    return paths


def walk_plainly(path: Path) -> None:
    """The plainest loop over the same strings, in process, beside our reader."""
    data = path.read_bytes()
    best_plain = best_ours = 1e9
    for _ in range(7):
        start = time.perf_counter()
        for key, count in ((b"tokenizer.ggml.tokens", TOKENS), (b"tokenizer.ggml.merges", MERGES)):
            at = data.index(key) + len(key) + 16
            for _ in range(count):
                at += 8 + int.from_bytes(data[at : at + 8], "little")
        best_plain = min(best_plain, time.perf_counter() - start)
        start = time.perf_counter()
        with FileSource(path) as source:
            gguf.read(source)
        best_ours = min(best_ours, time.perf_counter() - start)
    print(f"  in process: plain walk {best_plain * 1000:.1f} ms, our whole header {best_ours * 1000:.1f} ms,")
    print(f"  {best_ours / best_plain:.2f} x the plain walk")


def open_all(paths: list[str]) -> None:
    """All shards in process, imports left out: safe_open with every shape and dtype, beside our reader."""
    from safetensors import safe_open

    best_theirs = best_ours = 1e9
    for _ in range(7):
        start = time.perf_counter()
        for path in paths:
            with safe_open(path, "np") as file:
                for key in file.keys():  # noqa: SIM118
                    view = file.get_slice(key)
                    view.get_shape(), view.get_dtype()
        best_theirs = min(best_theirs, time.perf_counter() - start)
        start = time.perf_counter()
        for path in paths:
            with FileSource(path) as source:
                safetensors.read(source)
        best_ours = min(best_ours, time.perf_counter() - start)
    print(f"  again and again in one process: safe_open {best_theirs * 1000:.1f} ms, ours {best_ours * 1000:.1f} ms")


def open_all_once(paths: list[str], peer: str) -> None:
    """All shards in a fresh process, timed behind the imports: what a program that asks once waits for."""
    ours = "from weigh.formats import safetensors; from weigh.sources.file import FileSource\n"
    ours += f"start = time.perf_counter()\nfor path in {paths!r}:\n    safetensors.read(FileSource(path))\n"
    theirs = peer.replace("\n", "\nstart = time.perf_counter()\n", 1)
    medians = []
    for code in (ours, theirs):
        timed = f"import time\n{code}print(time.perf_counter() - start)"
        runs = [subprocess.run([sys.executable, "-c", timed], capture_output=True, check=True) for _ in range(7)]
        medians.append(statistics.median(float(done.stdout) for done in runs))
    mine, peers = medians
    print(f"  once, in a fresh process behind its imports: safe_open {peers * 1000:.1f} ms, ours {mine * 1000:.1f} ms,")
    print(f"  {peers / mine:.1f} x")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "large.gguf"
        write_gguf(path)
        peer = f"import gguf; gguf.GGUFReader({str(path)!r})"
        compare("GGUF, 151,936 tokens, 400 tensors", READ.format(paths=[str(path)]), {"gguf-py": peer}, peer_rounds=1)
        walk_plainly(path)
        paths = write_shards(folder)
        peer = (
            f"from safetensors import safe_open\nfor path in {paths!r}:\n"
            "    with safe_open(path, 'np') as file:\n"
            "        for key in file.keys():\n"
            "            view = file.get_slice(key); view.get_shape(); view.get_dtype()\n"
        )
        compare("safetensors, 30 shards, 1,043 tensors, 141 GB", READ.format(paths=paths), {"safetensors": peer})
        open_all_once(paths, peer)
        open_all(paths)
        zipped = str(folder / "large.pt")
        import torch

        torch.save({f"layer.{number}": torch.zeros(262_144) for number in range(500)}, zipped)
        peer = f"import torch; torch.load({zipped!r}, weights_only=True)"
        compare("PyTorch zip, 500 tensors, 524 MB", READ.format(paths=[zipped]), {"torch.load": peer}, rounds=3)


if __name__ == "__main__":
    main()
