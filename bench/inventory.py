"""20,000 files in made-up caches: the first list of them, and the one after it: `python -m bench.inventory`."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import weigh
from tools.make_samples import write

FILES, A_MODEL = 20_000, 20  # of which one holds weights
ROUNDS = 5
LIST = "from weigh.cli.main import main; import sys; sys.argv = ['weigh', 'list', '--json']; main()"


def make(home: Path, samples: Path, number: int) -> int:
    """Models in turn in the caches of Hugging Face, ModelScope, LM Studio and llama.cpp; how many files it made."""
    weights = (samples / "tiny-llama-Q4_K_M.gguf").read_bytes()
    made = 0
    for model in range(number // A_MODEL):
        for name, data in files(model, weights):
            made += 1
            if model % 4 == 0:
                blob(home / ".cache/huggingface/hub" / f"models--org--model-{model}", name, data)
            elif model % 4 == 1:
                put(home / ".cache/modelscope/models" / f"org--model-{model}/snapshots/master" / name, data)
            elif model % 4 == 2:
                put(home / ".lmstudio/models/org" / f"model-{model}" / name, data)
            else:
                put(home / ".cache/llama.cpp" / f"{model}-{name}", data)
    return made


def files(model: int, weights: bytes) -> Iterator[tuple[str, bytes]]:
    yield f"model-{model}-Q4_K_M.gguf", weights
    yield from ((f"part-{number}.json", b'{"of": %d, "part": %d}' % (model, number)) for number in range(A_MODEL - 1))


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def blob(home: Path, name: str, data: bytes) -> None:
    """As the cache keeps it: by its hash, with a link to it."""
    key = sha256(data).hexdigest()
    put(home / "blobs" / key, data)
    link = home / "snapshots" / ("0" * 40) / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(f"../../blobs/{key}")


def run(home: Path) -> tuple[float, float]:
    """Seconds of one whole process, and of the processor's in it."""
    caches = ("HF_", "HUGGINGFACE_", "XDG_", "MODELSCOPE_", "OLLAMA_", "LLAMA_", "TORCH_", "KERAS_", "KAGGLEHUB_")
    around = {name: value for name, value in os.environ.items() if not name.startswith(caches)} | {"HOME": str(home)}
    start, before = time.perf_counter(), sum(os.times()[2:4])
    subprocess.run([sys.executable, "-c", LIST], env=around, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, sum(os.times()[2:4]) - before


if __name__ == "__main__":
    compileall.compile_dir(Path(weigh.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "samples"))
        made = make(Path(folder, "home"), Path(folder, "samples"), FILES)
        first = run(Path(folder, "home"))
        again = sorted(run(Path(folder, "home")) for _ in range(ROUNDS))
    print(f"`weigh list --json` of {made:,} files, whole processes")
    print(f"  the first time                    {first[0]:9.2f} s, of the processor {first[1]:6.2f} s")
    wall, work = again[ROUNDS // 2]
    print(f"  again, the median of {ROUNDS}            {wall:9.2f} s, of the processor {work:6.2f} s")
    print("  wanted                            under 3 s")
