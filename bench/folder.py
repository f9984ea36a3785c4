"""A folder of 1,000 mixed files: files per second, modelaudit beside us on some of the same.

`python -m bench.folder [--modelaudit EXECUTABLE] [--sample N]`: modelaudit has an environment of its own, and is run
without its cache and without telemetry.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from tools.make_samples import string

FILES = 1000
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1"}


class Reaches:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


def safetensors(chance: random.Random) -> bytes:
    names = [f"layers.{number}.weight" for number in range(chance.randint(2, 40))]
    table = {
        name: {"dtype": "F32", "shape": [16, 4], "data_offsets": [256 * at, 256 * at + 256]}
        for at, name in enumerate(names)
    }
    text = json.dumps(table).encode()
    return struct.pack("<Q", len(text)) + text + bytes(256 * len(names))


def gguf(chance: random.Random) -> bytes:
    count = chance.randint(1, 30)
    data = b"GGUF" + struct.pack("<IQQ", 3, count, 1) + string("general.architecture")
    data += struct.pack("<I", 8) + string("llama")
    for number in range(count):
        data += string(f"blk.{number}.w") + struct.pack("<IQIQ", 1, 64, 0, number * 256)
    return data + bytes(-len(data) % 32) + bytes(256 * count)


def honest_pickle(chance: random.Random) -> bytes:
    return pickle.dumps({f"key {number}": [chance.random()] * 50 for number in range(chance.randint(5, 60))})


def hostile_pickle(chance: random.Random) -> bytes:
    return pickle.dumps({"weights": [chance.random()] * 100, "x": Reaches()})


def zipped(chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/model.safetensors", safetensors(chance))
        archive.writestr("model/config.json", document(chance))
        archive.writestr("model/README.md", "# a model\n" * 20)
    return out.getvalue()


def tarred(chance: random.Random) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in {"model_weights.ckpt": honest_pickle(chance), "model_config.yaml": b"a: 1\n"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue())


def document(chance: random.Random) -> bytes:
    return json.dumps({f"key_{number}": chance.random() for number in range(chance.randint(5, 200))}, indent=1).encode()


def lines(chance: random.Random) -> bytes:
    row = {"instruction": "say it", "output": "word " * chance.randint(5, 60)}
    return (json.dumps(row) + "\n").encode() * chance.randint(5, 200)


def table(chance: random.Random) -> bytes:
    return b"question,answer\n" + b"".join(
        b"%d,%d\n" % (number, number * 3) for number in range(chance.randint(5, 200))
    )


# suffix, how it is made, how many of a thousand
KINDS: list[tuple[str, Callable[[random.Random], bytes], int]] = [
    (".safetensors", safetensors, 200),
    (".json", document, 200),
    (".md", lambda chance: b"# A model\n\nIt says little.\n" * chance.randint(1, 60), 100),
    (".pkl", honest_pickle, 140),
    (".bin", hostile_pickle, 40),
    (".gguf", gguf, 100),
    (".jsonl", lines, 70),
    (".csv", table, 50),
    (".zip", zipped, 50),
    (".tar.gz", tarred, 30),
    (".dat", lambda chance: b"\x07\x91" + chance.randbytes(4000), 20),
]


def write(folder: Path) -> list[Path]:
    """The same files each time, kinds mixed."""
    chance = random.Random(11)
    made = [(suffix, make) for suffix, make, count in KINDS for _ in range(count * FILES // 1000)]
    chance.shuffle(made)
    paths = []
    for number, (suffix, make) in enumerate(made):
        paths.append(folder / f"{number % 10}" / f"file-{number:04}{suffix}")
        paths[-1].parent.mkdir(exist_ok=True)
        paths[-1].write_bytes(make(chance))
    return paths


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode not in (0, 1, 2) or not done.stdout:
        raise RuntimeError(done.stderr)
    return time.perf_counter() - start, done.stdout


def weigh(folder: Path) -> tuple[float, int]:
    seconds, said = timed([sys.executable, "-m", "weigh", "check", str(folder), "--json"], {})
    return seconds, sum(file["verdict"] == "malicious" for file in json.loads(said)["files"])


def peer(executable: str, folder: Path) -> tuple[float, int]:
    command = [executable, "scan", "--no-cache", "--format", "json", str(folder)]
    seconds, said = timed(command, QUIET)
    issues = json.loads(said[said.index("{") :])["issues"]
    return seconds, len({issue["location"].split(":")[0] for issue in issues if issue["severity"] == "critical"})


def tell(who: str, files: int, seconds: float, found: int) -> None:
    print(f"{who:<15} {files:5} files {seconds:7.2f} s {files / seconds:6.0f} files a second, {found} called malicious")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--modelaudit", help="its executable")
    arguments.add_argument("--sample", type=int, default=100)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, few = Path(name, "all"), Path(name, "few")
        folder.mkdir()
        few.mkdir()
        paths = write(folder)
        weigh(folder)  # bytecode is written, files are in the system's cache
        tell("weigh check", len(paths), *min(weigh(folder) for _ in range(3)))
        for path in paths[: chosen.sample]:
            shutil.copy(path, few / path.name)
        count = len(list(few.iterdir()))
        seconds, found = min(weigh(few) for _ in range(3))
        tell("weigh check", count, seconds, found)
        if chosen.modelaudit is not None:
            theirs, found = peer(chosen.modelaudit, few)
            tell("modelaudit scan", count, theirs, found)
            print(f"  {theirs / seconds:.1f} x weigh")


if __name__ == "__main__":
    main()
