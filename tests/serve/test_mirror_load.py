"""Many clients at once, a worker killed among them: no wrong byte, and nothing lost that was asked again."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.serve.hub import HF2, MS140, Mirror, at_hf, at_ms, mirroring, ran, workers

CLIENTS = 200
SIZE = 3_000_000
TRIES = 5
HF_LIST = (
    "from huggingface_hub import HfApi as A; print(sum(1 for _ in A().list_repo_tree('acme/many', recursive=True)))"
)
MS_LIST = """
from modelscope_hub import HubApi
print(sum(file.type != "tree" for file in HubApi().list_repo_files("acme/many", "model")))
"""


def large(folder: Path) -> bytes:
    """Weights of noise, as a whole file."""
    head = json.dumps({"w": {"dtype": "U8", "shape": [SIZE], "data_offsets": [0, SIZE]}}).encode()
    data = len(head).to_bytes(8, "little") + head + os.urandom(SIZE)
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(data)
    return data


def fetched(mirror: Mirror, path: str, broken: list[str], gate: threading.Barrier) -> bytes:
    """The file, asked again where the connection broke."""
    parts = urlsplit(mirror.url)
    gate.wait(60)
    for _ in range(TRIES):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            data = answer.read()
            if answer.status == 200 and len(data) == int(answer.headers["Content-Length"]):
                return data
        except (OSError, http.client.HTTPException) as error:
            broken.append(type(error).__name__)
        finally:
            connection.close()
        time.sleep(0.05)
    raise AssertionError("lost")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="workers are found in /proc")
def test_a_worker_killed_among_200_clients_costs_no_byte(tmp_path: Path) -> None:
    data = large(tmp_path / "hub" / "acme" / "large")
    want = hashlib.sha256(data).hexdigest()
    path = "/acme/large/resolve/main/model.safetensors"
    with mirroring(tmp_path / "hub", tmp_path / "home", "--workers", "2") as mirror:
        gate = threading.Barrier(CLIENTS + 1)
        broken: list[str] = []
        with ThreadPoolExecutor(CLIENTS) as crew:
            jobs = [crew.submit(fetched, mirror, path, broken, gate) for _ in range(CLIENTS)]
            gate.wait(60)
            while sum(job.done() for job in jobs) < CLIENTS // 10:
                time.sleep(0.005)
            victim = workers(mirror)[0]
            os.kill(victim, signal.SIGKILL)
            found = {hashlib.sha256(job.result()).hexdigest() for job in jobs}
        assert found == {want}
        assert victim not in workers(mirror) and len(workers(mirror)) >= 2


def test_workers_end_when_whoever_started_them_is_killed(samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples / "tiny-llama-chat", tmp_path / "hub" / "acme" / "tiny")
    with pytest.raises(AssertionError), mirroring(tmp_path / "hub", tmp_path / "home", "--workers", "2") as mirror:
        left = workers(mirror)
        mirror.process.kill()
    for pid in left:
        for _ in range(200):
            if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                break
            time.sleep(0.05)
        else:
            raise AssertionError("a worker lives on")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of more files than any list shows at once."""
    root = tmp_path_factory.mktemp("many")
    for number in range(3100):
        path = root / "acme" / "many" / f"part{number % 7}" / f"{number:04}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n")
    return root


def test_lists_of_thousands_of_files_come_page_by_page(many: Path, tmp_path: Path) -> None:
    with mirroring(many, tmp_path / "home", "--patience", "100") as mirror:
        environment = at_hf(mirror.url, tmp_path / "hf", HF_HUB_ETAG_TIMEOUT="100")
        first = ran([HF2.bin / "hf", "models", "info", "acme/many"], environment)
        assert first.returncode == 0, first.stdout
        assert ran([HF2.bin / "python", "-c", HF_LIST], environment).stdout.strip() == str(3100 + 7)
        assert mirror.log.read_text("utf-8").count("cursor=") == 3
        found = ran([MS140.bin / "python", "-c", MS_LIST], at_ms(mirror.url, tmp_path / "ms")).stdout
        assert found.strip().endswith("3100"), found


def test_bytes_of_a_cache_come_under_the_commit_of_the_hub(samples: Path, tmp_path: Path) -> None:
    """What was fetched from one hub is given away as the same commit, with the same names of blobs."""
    shutil.copytree(samples / "tiny-llama-chat", tmp_path / "hub" / "acme" / "tiny")
    with mirroring(tmp_path / "hub", tmp_path / "home") as first:
        assert ran([HF2.bin / "hf", "download", "acme/tiny"], at_hf(first.url, tmp_path / "one")).returncode == 0
    cache = tmp_path / "one" / "hub"
    with mirroring(cache, tmp_path / "home2", "--cache") as second:
        done = ran([HF2.bin / "hf", "download", "acme/tiny"], at_hf(second.url, tmp_path / "two"))
        assert done.returncode == 0, done.stdout
    names = [
        sorted(path.relative_to(home).as_posix() for path in (home / "hub").rglob("*"))
        for home in (tmp_path / "one", tmp_path / "two")
    ]
    assert [name for name in names[0] if "models--" in name] == [name for name in names[1] if "models--" in name]


def test_a_blob_that_has_not_the_hash_of_its_name_holds_the_model(samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples / "tiny-llama-chat", tmp_path / "hub" / "acme" / "tiny")
    with mirroring(tmp_path / "hub", tmp_path / "home") as first:
        assert ran([HF2.bin / "hf", "download", "acme/tiny"], at_hf(first.url, tmp_path / "one")).returncode == 0
    blob = next((tmp_path / "one").glob("hub/models--acme--tiny/blobs/*"))
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    with mirroring(tmp_path / "one" / "hub", tmp_path / "home2", "--cache") as second:
        done = ran([HF2.bin / "hf", "download", "acme/tiny"], at_hf(second.url, tmp_path / "two"))
        assert done.returncode != 0
        assert "does not have the hash that it is named by" in " ".join(done.stdout.split())
