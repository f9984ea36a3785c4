"""`weigh pull` as a process of its own: what it fetches, keeps, holds and releases, whatever is done to it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.hubs.server import COMMIT, as_json, git_sha1, hub
from tests.loopback import Asked as Request
from tests.loopback import Content, Hasty, Loopback, Reply, serving
from tests.store.faults import bytes_of, environment, faulty, flip, noise, none, start_of
from weigh.app.network import Network
from weigh.app.pull_plan import Asked, plan
from weigh.app.stores import Stores
from weigh.cli.main import weigh as command
from weigh.hubs.hub import Site
from weigh.sources.refusals import NotFetched

EVIL = b"cposix\nsystem\n(S'true'\ntR."
BIG = 6_000_000
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def folder(samples: Path) -> dict[str, Content]:
    root = samples / "tiny-llama-chat"
    return {path.name: path.read_bytes() for path in root.iterdir()}


@pytest.fixture(scope="module")
def large() -> dict[str, Content]:
    """A model whose weights take a while."""
    head = json.dumps({"w": {"dtype": "U8", "shape": [BIG], "data_offsets": [0, BIG]}}).encode()
    return {WEIGHTS: len(head).to_bytes(8, "little") + head + noise(BIG), "config.json": b"{}"}


def started(server: Loopback, home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-m", "weigh", "pull", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment(server, home, PYTHONPATH=paths, LC_ALL="C.UTF-8", **more),
    )


def pull(server: Loopback, home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    child = started(server, home, *arguments, **more)
    out, err = child.communicate(timeout=90)
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def pulled(server: Loopback, home: Path, *arguments: str, status: int = 0) -> dict[str, Any]:
    done = pull(server, home, *arguments, "--json")
    assert done.returncode == status, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def snapshot(home: Path) -> Path:
    return home / "hub" / "models--org--name" / "snapshots" / COMMIT


def here(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def plain(files: Mapping[str, Content]) -> dict[str, bytes]:
    return {name: content[0 : len(content)] for name, content in files.items()}


# Where it goes


def test_a_repository_lies_in_the_cache_as_the_stock_client_lays_it(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        said = pulled(server, tmp_path, "hf:org/name")
    assert (said["status"], said["verdict"], said["commit"]) == ("released", "clean", COMMIT)
    assert here(snapshot(tmp_path)) == plain(folder)
    home = tmp_path / "hub" / "models--org--name"
    assert (home / "refs" / "main").read_text() == COMMIT
    assert os.readlink(snapshot(tmp_path) / "config.json") == f"../../blobs/{git_sha1(folder['config.json'])}"
    tree = json.loads((home / "trees" / f"{COMMIT}.json").read_text())
    assert tree["format_version"] == 1 and set(tree["files"]) == set(folder)
    assert tree["files"][WEIGHTS]["lfs_size"] == len(folder[WEIGHTS])
    quarantine = tmp_path / "weigh" / "quarantine"
    assert [path for path in quarantine.rglob("*") if path.is_file() and path.parent.name != "verified"] == []


@pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed")
def test_huggingface_hub_and_transformers_find_it_without_a_network(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        assert pull(server, tmp_path, "hf:org/name").returncode == 0
    code = "from huggingface_hub import snapshot_download as s; print(s('org/name', local_files_only=True))"
    if find_spec("transformers") is not None:
        code += "\nfrom transformers import AutoConfig; print(AutoConfig.from_pretrained('org/name').model_type)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(server, tmp_path, HF_HUB_OFFLINE="1"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(snapshot(tmp_path)), *(["llama"] if "transformers" in code else [])]


@pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed")
def test_the_stock_client_finds_every_hash_right(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        assert pull(server, tmp_path, "hf:org/name").returncode == 0
        code = (
            "from huggingface_hub import HfApi, scan_cache_dir\n"
            "found = HfApi().verify_repo_checksums('org/name')\n"
            "print(found.checked_count, len(found.mismatches), len(found.missing_paths), len(scan_cache_dir().warnings))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment(server, tmp_path, HF_HUB_OFFLINE="0"),
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["4", "0", "0", "0"]


@pytest.mark.skipif(find_spec("modelscope") is None, reason="modelscope is not installed")
def test_modelscope_finds_it_without_a_network(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        assert pull(server, tmp_path, "ms:org/name").returncode == 0
    code = "from modelscope import snapshot_download as s; print(s('org/name', local_files_only=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment(server, tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert here(Path(done.stdout.splitlines()[-1])) == plain(folder)


def test_one_of_modelscope_lies_in_its_own_cache(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        said = pulled(server, tmp_path, "ms:org/name")
    assert said["folder"] == str(tmp_path / "ms" / "models" / "org--name" / "snapshots" / "master")
    assert here(Path(said["folder"])) == plain(folder)


def test_a_folder_holds_the_files_and_a_lock_and_nothing_else(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        pulled(server, tmp_path, "hf:org/name", "--to", str(tmp_path / "out"))
    found = here(tmp_path / "out")
    lock = json.loads(found.pop("weigh.lock.json"))
    assert found == plain(folder)
    assert (lock["hub"], lock["repository"], lock["commit"], lock["verdict"]) == ("hf", "org/name", COMMIT, "clean")
    assert {one["path"]: one["sha256"] for one in lock["files"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in found.items()
    }


def test_an_address_is_one_file(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(lambda asked: Reply(200, {"etag": '"1"'}, plain(folder)[WEIGHTS])) as server:
        address, lock = f"{server.url}/some/where/else/a.safetensors?x=1", str(tmp_path / "lock")
        said = pulled(server, tmp_path, address, "--to", str(tmp_path / "out"), "--lock", lock)
        again = pulled(server, tmp_path, "--locked", lock, "--to", str(tmp_path / "again"))
    assert said["verdict"] == again["verdict"] == "clean"
    assert here(tmp_path / "out") == here(tmp_path / "again") == {"a.safetensors": plain(folder)[WEIGHTS]}


# What is not fetched


def test_nothing_is_fetched_twice(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        pulled(server, tmp_path, "hf:org/name")
        first = len(bytes_of(server))
        again = pulled(server, tmp_path, "hf:org/name")
        elsewhere = pulled(server, tmp_path, "hf:org/name", "--to", str(tmp_path / "out"))
    assert (first, len(bytes_of(server))) == (4, 4)
    assert (again["fetched"], elsewhere["fetched"], again["to_fetch"]) == (0, 0, 0)
    assert os.stat(tmp_path / "out" / WEIGHTS).st_nlink == 1


def test_the_other_hubs_copy_of_the_same_bytes_is_no_second_download(
    folder: dict[str, Content], tmp_path: Path
) -> None:
    with serving(hub(folder)) as server:
        pulled(server, tmp_path, "hf:org/name")
        said = pulled(server, tmp_path, "ms:org/name")
    assert said["fetched"] == 3 and {one["path"]: one["is_here"] for one in said["files"]}[WEIGHTS]
    blob = snapshot(tmp_path) / WEIGHTS
    assert os.path.samefile(blob, Path(said["folder"]) / WEIGHTS)


def test_a_blob_that_is_not_what_it_is_called_is_fetched_again(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        pulled(server, tmp_path, "hf:org/name")
        blob = (snapshot(tmp_path) / WEIGHTS).resolve()
        blob.write_bytes(flip(blob.read_bytes(), 3))
        said = pulled(server, tmp_path, "hf:org/name")
    assert said["fetched"] == 1 and here(snapshot(tmp_path)) == plain(folder)


def test_a_dry_run_shows_the_plan_and_fetches_nothing(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        done = pull(server, tmp_path, "hf:org/name", "--dry-run", "--lang", "en")
    assert done.returncode == 0 and bytes_of(server) == []
    assert WEIGHTS in done.stdout and "files: 4, 309 KiB" in done.stdout


@pytest.mark.usefixtures("socket_disabled")
def test_offline_opens_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("WEIGH_HOME", str(tmp_path / "weigh"))
    done = CliRunner().invoke(command, ["pull", "hf:org/name", "--offline", "--json"], standalone_mode=False)
    assert done.exception is None and done.return_value == 2
    assert "--offline" in json.loads(done.stdout)["error"]["message"]


def test_a_hub_that_is_gone_is_no_end_where_all_is_here(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        pulled(server, tmp_path, "hf:org/name")
    stores = Stores(roots={"hf": f"{tmp_path}/hub", "ms": f"{tmp_path}/ms"}, home=f"{tmp_path}/weigh")
    network = Network(client=Hasty(), sites={"hf": Site(endpoint=server.url)})
    found = plan(Asked(reference="hf:org/name"), network, stores)
    assert found.is_remembered and (found.address.commit, found.to_fetch) == (COMMIT, 0)
    (snapshot(tmp_path) / WEIGHTS).resolve().unlink()
    with pytest.raises(NotFetched):
        plan(Asked(reference="hf:org/name"), network, stores)


def test_offline_is_enough_where_all_is_here(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        pulled(server, tmp_path, "hf:org/name")
        asked = len(server.asked)
        assert pulled(server, tmp_path, "hf:org/name", "--offline")["status"] == "released"
        (snapshot(tmp_path) / WEIGHTS).resolve().unlink()
        failed = pulled(server, tmp_path, "hf:org/name", "--offline", status=2)
    assert len(server.asked) == asked and "1 of its files" in failed["error"]["message"]


@pytest.mark.parametrize("reference", ["org/name", "ollama:qwen3", "echo:", "."])
def test_what_lies_on_no_hub_is_said(reference: str) -> None:
    done = CliRunner().invoke(command, ["pull", reference, "--json"], standalone_mode=False)
    assert done.return_value == 2 and reference in json.loads(done.stdout)["error"]["message"]


# Whatever is done to it


def test_a_kill_loses_nothing_that_came(large: dict[str, Content], tmp_path: Path) -> None:
    with faulty(large, none) as server:
        child = started(server, tmp_path, "hf:org/name", "--limit-rate", "2M")
        part = (
            tmp_path
            / "weigh/quarantine/parts"
            / f"sha256-{hashlib.sha256(large[WEIGHTS][0 : BIG * 2]).hexdigest()}.part"
        )
        until = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size > 1_000_000) and time.monotonic() < until:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        came = part.stat().st_size
        said = pulled(server, tmp_path, "hf:org/name")
    assert said["status"] == "released" and here(snapshot(tmp_path)) == plain(large)
    assert bytes_of(server)[-1] == f"{came}-" and came > 1_000_000


@pytest.mark.skipif(sys.platform == "win32", reason="signals there are others")
def test_an_interrupt_ends_at_once_and_keeps_what_came(large: dict[str, Content], tmp_path: Path) -> None:
    with faulty(large, none) as server:
        child = started(server, tmp_path, "hf:org/name", "--limit-rate", "1M")
        until = time.monotonic() + 30
        parts = tmp_path / "weigh" / "quarantine" / "parts"
        while not [one for one in parts.glob("*.part") if one.stat().st_size > 200_000] and time.monotonic() < until:
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=20)
    assert child.returncode == 130
    assert sum(one.stat().st_size for one in parts.glob("*.part")) > 200_000
    assert not snapshot(tmp_path).exists()


def test_two_at_once_fetch_each_file_once(large: dict[str, Content], tmp_path: Path) -> None:
    with faulty(large, none) as server:
        children = [started(server, tmp_path, "hf:org/name", "--limit-rate", "4M") for _ in range(2)]
        for child in children:
            _, err = child.communicate(timeout=60)
            assert child.returncode == 0, err
    assert here(snapshot(tmp_path)) == plain(large)
    assert len(bytes_of(server)) == 2


def test_a_server_that_drops_and_flips_and_is_busy_gives_what_is_right(
    large: dict[str, Content], tmp_path: Path
) -> None:
    def bad(reply: Reply, before: int, asked: Request) -> Reply:
        match before:
            case 0:
                return Reply(429, {"retry-after": "0"})
            case 1:
                return reply._replace(body=flip(reply.body, 100_000), cut=4_000_000)
        return reply

    with faulty(large, bad) as server:
        said = pulled(server, tmp_path, "hf:org/name")
    assert said["status"] == "released" and here(snapshot(tmp_path)) == plain(large)


def test_what_is_wrong_at_its_source_is_never_released(large: dict[str, Content], tmp_path: Path) -> None:
    def bad(reply: Reply, before: int, asked: Request) -> Reply:
        is_first = WEIGHTS in asked.path and start_of(asked) == 0
        return reply._replace(body=flip(reply.body, 77)) if is_first else reply

    with faulty(large, bad) as server:
        done = pull(server, tmp_path, "hf:org/name", "--lang", "en")
    assert done.returncode == 2 and "not what the hub says" in done.stderr and not snapshot(tmp_path).exists()


def test_a_hub_that_leaks_where_its_chunks_lie_is_not_followed_there(
    folder: dict[str, Content], tmp_path: Path
) -> None:
    def leak(reply: Reply, before: int, asked: Request) -> Reply:
        xet = {"x-xet-hash": "a" * 64, "link": '<http://127.0.0.1:9/xet>; rel="xet-auth"'}
        return reply._replace(headers={**reply.headers, **xet})

    with faulty(folder, leak) as server:
        assert pulled(server, tmp_path, "hf:org/name")["status"] == "released"


@pytest.mark.parametrize(("reference", "code"), [("hf:org/name", "GatedRepo"), ("hf:org/name", "")])
def test_a_refusal_is_told_in_the_servers_words(
    folder: dict[str, Content], tmp_path: Path, reference: str, code: str
) -> None:
    refusal = as_json({"error": "held by the company: pickle"}, 403, **({"x-error-code": code} if code else {}))
    with faulty(folder, lambda reply, before, asked: refusal) as server:
        done = pull(server, tmp_path, reference)
    assert done.returncode == 2 and "held by the company: pickle" in done.stderr and "HF_TOKEN" in done.stderr
    assert not snapshot(tmp_path).exists()


def test_a_dead_hub_is_one_line(tmp_path: Path) -> None:
    with serving(hub({})) as server:
        pass
    for reference in ("hf:org/name", "ms:org/name", f"{server.url}/some/where/else/a.bin"):
        done = pull(server, tmp_path, reference, "--to", str(tmp_path / "out"))
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), reference


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="nothing keeps root from writing")
def test_a_place_that_may_not_be_written_is_one_line(folder: dict[str, Content], tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir(mode=0o500)
    with serving(hub(folder)) as server:
        done = pull(server, tmp_path, "hf:org/name")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_place_that_is_a_file_is_one_line(folder: dict[str, Content], tmp_path: Path) -> None:
    (tmp_path / "hub").write_text("")
    with serving(hub(folder)) as server:
        done = pull(server, tmp_path, "hf:org/name")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_what_one_hub_does_not_give_comes_from_the_other_by_its_hash(
    folder: dict[str, Content], tmp_path: Path
) -> None:
    def gone(reply: Reply, before: int, asked: Request) -> Reply:
        return Reply(404) if "/resolve/" in asked.path else reply

    with faulty(folder, gone) as server:
        assert pulled(server, tmp_path, "hf:org/name", "--also", "ms:org/name")["status"] == "released"
    assert here(snapshot(tmp_path)) == plain(folder)


def test_the_preferred_hub_gives_only_what_is_the_same(folder: dict[str, Content], tmp_path: Path) -> None:
    right, other = hub(folder), hub({**folder, "config.json": flip(plain(folder)["config.json"], 4)})

    def answer(asked: Request) -> Reply:
        return (other if asked.path.startswith("/api/v1/") else right)(asked)

    with serving(answer) as server:
        pulled(server, tmp_path, "hf:org/name", "--from", "ms", "--also", "ms:org/name")
    assert here(snapshot(tmp_path)) == plain(folder)
    assert [one.path for one in server.asked if "/resolve/" in one.path and WEIGHTS in one.path] == []


def test_the_catalogue_knows_some_repositories_on_the_other_hub(folder: dict[str, Content], tmp_path: Path) -> None:
    here_, there = hub(folder, id="zai-org/GLM-4.6"), hub(folder, id="ZhipuAI/GLM-4.6")

    def answer(asked: Request) -> Reply:
        return (there if asked.path.startswith("/api/v1/") else here_)(asked)

    with serving(answer) as server:
        said = pulled(server, tmp_path, "hf:zai-org/GLM-4.6", "--from", "ms")
    assert said["status"] == "released" and here(Path(said["folder"])) == plain(folder)
    assert [one.path for one in server.asked if "/resolve/" in one.path] == []


def test_which_repository_is_the_same_is_never_guessed(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as server:
        failed = pulled(server, tmp_path, "hf:org/name", "--from", "ms", status=2)
    assert "--also" in failed["error"]["message"] and bytes_of(server) == []


def test_a_proxy_of_the_environment_is_gone_by(folder: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(folder)) as proxy:
        proxy.answer = lambda asked: hub(folder)(asked._replace(path=asked.path.replace("http://hub.invalid", "")))
        more = {"HF_ENDPOINT": "http://hub.invalid", "http_proxy": proxy.url.replace("://", "://me:pw@"), "NO_PROXY": "", "no_proxy": ""}  # fmt: skip
        assert pull(proxy, tmp_path, "hf:org/name", **more).returncode == 0
    assert here(snapshot(tmp_path)) == plain(folder)
    assert {one.headers["proxy-authorization"] for one in proxy.asked} == {"Basic bWU6cHc="}
    assert all(one.path.startswith("http://hub.invalid/") for one in proxy.asked)


# What is held


@pytest.fixture
def hostile(folder: dict[str, Content]) -> dict[str, Content]:
    return {"config.json": folder["config.json"], "pytorch_model.bin": EVIL}


def test_what_is_malicious_is_held_with_its_reason_and_not_fetched_again(
    hostile: dict[str, Content], tmp_path: Path
) -> None:
    with serving(hub(hostile)) as server:
        done = pull(server, tmp_path, "hf:org/name", "--lang", "en")
        again = pulled(server, tmp_path, "hf:org/name", status=1)
    assert done.returncode == 1 and "posix" in done.stderr and "--release-held" in done.stderr
    assert not (tmp_path / "hub").exists()
    assert here(Path(again["folder"])) == plain(hostile) and again["folder"] in done.stderr
    assert (again["status"], again["verdict"], again["fetched"]) == ("held", "malicious", 0)


def test_what_is_held_may_be_released_or_deleted(hostile: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(hostile)) as server:
        held = pulled(server, tmp_path, "hf:org/name", status=1)
        assert pulled(server, tmp_path, "hf:org/name", "--delete-held")["status"] == "deleted"
        assert not Path(held["folder"]).exists()
        assert not list((tmp_path / "weigh" / "quarantine" / "objects").iterdir())
        assert pulled(server, tmp_path, "hf:org/name", "--release-held")["status"] == "released"
    assert here(snapshot(tmp_path)) == plain(hostile)


def test_what_is_broken_is_held(folder: dict[str, Content], tmp_path: Path) -> None:
    cut = {**folder, WEIGHTS: plain(folder)[WEIGHTS][:200_000]}
    with serving(hub(cut)) as server:
        assert pulled(server, tmp_path, "hf:org/name", status=1)["verdict"] == "broken"


def test_a_policy_holds_what_it_does_not_allow(folder: dict[str, Content], tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('allowed_formats = ["gguf"]\n')
    with serving(hub(folder)) as server:
        said = pulled(server, tmp_path, "hf:org/name", "--policy", str(tmp_path / "policy.toml"), status=1)
    assert said["status"] == "held" and said["findings"][0]["rule"] == "policy"


def test_a_name_that_is_allowed_holds_nothing(hostile: dict[str, Content], tmp_path: Path) -> None:
    with serving(hub(hostile)) as server:
        assert pulled(server, tmp_path, "hf:org/name", "--allow", "posix.system")["status"] == "released"


# Locked


def test_a_lock_brings_the_same_bytes_wherever_they_are(folder: dict[str, Content], tmp_path: Path) -> None:
    lock = str(tmp_path / "model.lock.json")
    with serving(hub(folder)) as server:
        pulled(server, tmp_path / "a", "hf:org/name", "--lock", lock)
        asked = len(server.asked)
        pulled(server, tmp_path / "b", "--locked", lock)
        assert [one.path for one in server.asked[asked:] if "/api/" in one.path] == []
    assert here(snapshot(tmp_path / "b")) == plain(folder)
    with faulty(folder, lambda reply, before, asked: Reply(404) if "/resolve/" in asked.path else reply) as server:
        pulled(server, tmp_path / "c", "--locked", lock, "--also", "ms:org/name")
    assert here(snapshot(tmp_path / "c")) == plain(folder)


def test_a_lock_refuses_what_is_not_the_same_any_more(folder: dict[str, Content], tmp_path: Path) -> None:
    lock = str(tmp_path / "model.lock.json")
    with serving(hub(folder)) as server:
        pulled(server, tmp_path / "a", "hf:org/name", "--lock", lock)
    changed = {**folder, "config.json": flip(plain(folder)["config.json"], 9)}
    with serving(hub(changed)) as server:
        failed = pulled(server, tmp_path / "b", "--locked", lock, status=2)
    assert failed["error"]["path"] == "config.json" and not (tmp_path / "b" / "hub").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"schema":1,"hub":"hf","repository":"a/b","files":[{"path":"../x","size":1,"sha256":"' + "a" * 64 + '"}]}',
        '{"schema":1,"hub":"hf","repository":"a/b","files":[{"path":"x","size":1,"sha256":"../../x"}]}',
        '{"schema":1,"hub":"nowhere","repository":"a/b","files":[]}',
    ],
)
def test_a_lock_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "weigh.lock.json"
    path.write_text(text)
    done = CliRunner().invoke(command, ["pull", "--locked", str(path), "--json"], standalone_mode=False)
    assert done.exception is None and done.return_value == 2 and "error" in json.loads(done.stdout)
