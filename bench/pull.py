"""One large file fetched: weigh pull verified, beside the stock clients, curl with a hash after it, and aria2."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from bench.pull_server import ID, NAME

HASH = "import hashlib,sys; print(hashlib.file_digest(open(sys.argv[1],'rb'),'sha256').hexdigest())"
HF = "from huggingface_hub import snapshot_download as s; s(sys.argv[1])"
MS = "from modelscope import snapshot_download as s; s(sys.argv[1])"


def write_model(path: Path, mib: int) -> str:
    """A safetensors file of so many MiB; its sha256."""
    nbytes = mib << 20
    head = json.dumps({"w": {"dtype": "U8", "shape": [nbytes], "data_offsets": [0, nbytes]}}).encode()
    block, sha256 = os.urandom(1 << 20), hashlib.sha256()
    with path.open("wb") as file:
        for piece in (struct.pack("<Q", len(head)) + head, *(block for _ in range(mib))):
            file.write(piece)
            sha256.update(piece)
    return sha256.hexdigest()


def commands(url: str, sha256: str, home: Path, modelscope: str | None) -> dict[str, list[str]]:
    """Each way to fetch it that this machine has; the others are named."""
    file, out = f"{url}/{ID}/resolve/main/{NAME}", str(home / "out.bin")
    curl = f"curl -sSfo '{out}' '{file}'"
    python = sys.executable
    ways = {"weigh pull": [python, "-m", "weigh", "pull", f"hf:{ID}", "--yes", "--quiet"]}
    if shutil.which("curl"):
        ways["curl to a file, unverified"] = ["sh", "-c", curl]
        ways["curl to a file, then hashed"] = ["sh", "-c", f"{curl} && '{python}' -c \"{HASH}\" '{out}'"]
    if find_spec("huggingface_hub"):
        ways["huggingface_hub, unverified"] = [python, "-c", f"import sys; {HF}", ID]
    if modelscope is not None:
        ways["modelscope, verified"] = [modelscope, "-c", f"import sys; {MS}", ID]
    if shutil.which("aria2c"):
        check = [f"--checksum=sha-256={sha256}", "-q", "--allow-overwrite=true", "-d", str(home), "-o", "out.bin", file]
        ways["aria2c -x1, verified"] = ["aria2c", "-x1", *check]
        ways["aria2c -x8, verified"] = ["aria2c", "-x8", *check]
    return ways


def timed(command: list[str], url: str, home: Path) -> float:
    """Seconds of one run into an empty home."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    own = {"HF_ENDPOINT": url, "MODELSCOPE_ENDPOINT": url, "HF_HOME": f"{home}/hf", "MODELSCOPE_CACHE": f"{home}/ms"}
    more = {"WEIGH_HOME": f"{home}/weigh", "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_XET": "1"}
    started = time.perf_counter()
    done = subprocess.run(command, env=os.environ | own | more, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr[-2000:]}")
    return time.perf_counter() - started


def main() -> None:
    """Medians, in turn, in one run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mib", type=int, default=2048)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--folder", default="/dev/shm", help="where to work (default: memory)")
    options.add_argument("--modelscope", metavar="PYTHON", help="a Python that has modelscope")
    asked = options.parse_args()
    modelscope = asked.modelscope or (sys.executable if find_spec("modelscope") else None)
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        model, told, home = Path(folder, "model"), Path(folder, "address"), Path(folder, "home")
        sha256 = write_model(model, asked.mib)
        server = subprocess.Popen([sys.executable, "-m", "bench.pull_server", str(model), sha256, str(told)])
        try:
            while not told.exists():
                time.sleep(0.05)
            ways = commands(told.read_text(), sha256, home, modelscope)
            taken: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(asked.rounds):
                for name, command in ways.items():
                    taken[name].append(timed(command, told.read_text(), home))
        finally:
            server.terminate()
            server.wait()
    ours = statistics.median(taken["weigh pull"])
    print(f"{asked.mib} MiB into {asked.folder}, {asked.rounds} rounds, load {os.getloadavg()[0]:.1f}")
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        print(f"  {name:<34} {median:7.2f} s  {asked.mib * 1.048576 / median:7.0f} MB/s  {median / ours:6.2f} x weigh")


if __name__ == "__main__":
    main()
