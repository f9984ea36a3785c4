"""Stock clients against the private hub, unpatched: what each brings home, and what each shows of a refusal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hubs.server import hub
from tests.loopback import Content, serving
from tests.serve.certificate import signed
from tests.serve.hub import HF0, HF2, MS137, MS140, Client, Mirror, at_hf, at_ms, mirroring, plain, ran

TINY = "acme/tiny"
EVIL = "acme/evil"
REASON = "acme/evil is held by weigh: A pickle names what no honest checkpoint needs (pytorch_model.bin)"
TOKEN = "hf_" + "r" * 34
ADMIN = "hf_" + "a" * 34


@pytest.fixture(scope="module")
def root(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good model, one that runs code, and one of GGUF files."""
    root = tmp_path_factory.mktemp("hub")
    shutil.copytree(samples / "tiny-llama-chat", root / TINY)
    (root / TINY / "sub" / "deep").mkdir(parents=True)
    (root / TINY / "sub" / "deep" / "note 1.txt").write_text("a note\n")
    (root / TINY / "README.md").write_text("---\nlicense: mit\npipeline_tag: text-generation\n---\n# Tiny\n")
    shutil.copytree(samples / "tiny-llama-chat", root / EVIL)
    shutil.copy(samples / "hostile.bin", root / EVIL / "pytorch_model.bin")
    (root / "acme" / "gguf").mkdir()
    for name in ("Nova-7B-Instruct-Q8_0.gguf", "tiny-llama-Q4_K_M.gguf"):
        shutil.copy(samples / name, root / "acme" / "gguf" / name)
    return root


@pytest.fixture(scope="module")
def mirror(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with mirroring(root, tmp_path_factory.mktemp("home")) as mirror:
        yield mirror


@pytest.fixture(scope="module")
def guarded(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    home = tmp_path_factory.mktemp("guarded")
    with mirroring(root, home, "--token", TOKEN, "--admin-token", ADMIN) as mirror:
        yield mirror


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One that signs itself, and its key."""
    return signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def encrypted(root: Path, tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[Mirror]:
    flags = ("--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1]))
    with mirroring(root, tmp_path_factory.mktemp("tls-home"), *flags) as mirror:
        yield mirror


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but what clients keep beside."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        name: path.read_bytes()
        for path in files
        if not (name := path.relative_to(folder).as_posix()).startswith((".", "_"))
    }


@pytest.mark.parametrize("client", [HF2, HF0], ids=lambda client: client.version)
def test_hf_brings_home_every_byte(client: Client, mirror: Mirror, root: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    done = ran([client.bin / "hf", "download", TINY, "--local-dir", here], at_hf(mirror.url, tmp_path / "home"))
    assert done.returncode == 0, done.stdout
    assert contents(here) == contents(root / TINY)


@pytest.mark.parametrize("client", [HF2, HF0], ids=lambda client: client.version)
def test_the_cache_of_hf_calls_blobs_by_their_true_hashes(client: Client, mirror: Mirror, tmp_path: Path) -> None:
    environment = at_hf(mirror.url, tmp_path)
    assert ran([client.bin / "hf", "download", TINY], environment).returncode == 0
    if client is HF2:
        done = ran([client.bin / "hf", "cache", "verify", TINY], environment)
        assert done.returncode == 0, done.stdout
    snapshots = tmp_path / "hub" / "models--acme--tiny" / "snapshots"
    assert len(list(snapshots.iterdir())) == 1


def test_hf_lists_searches_and_verifies_a_token(guarded: Mirror, tmp_path: Path) -> None:
    environment = at_hf(guarded.url, tmp_path, HF_TOKEN=TOKEN)
    assert TINY in ran([HF2.bin / "hf", "models", "ls", "--search", "TIN", "--format", "json"], environment).stdout
    assert TINY not in ran([HF2.bin / "hf", "models", "ls", "--search", "gguf", "--format", "json"], environment).stdout
    assert "weigh" in ran([HF2.bin / "hf", "auth", "whoami"], environment).stdout


API = """
from huggingface_hub import HfApi
api = HfApi()
info = api.model_info("acme/tiny", files_metadata=True)
assert info.pipeline_tag == "text-generation" and info.card_data.license == "mit", info
assert {file.rfilename for file in info.siblings} >= {"config.json", "sub/deep/note 1.txt"}
tree = {row.path: type(row).__name__ for row in api.list_repo_tree("acme/tiny")}
assert tree["sub"] == "RepoFolder" and tree["config.json"] == "RepoFile", tree
assert [row.path for row in api.list_repo_tree("acme/tiny", "sub", recursive=True)] == ["sub/deep", "sub/deep/note 1.txt"]
assert [row.path for row in api.get_paths_info("acme/tiny", ["config.json", "sub", "no"])] == ["config.json", "sub"]
assert api.list_repo_refs("acme/tiny").branches[0].target_commit == info.sha
assert api.list_repo_commits("acme/tiny")[0].commit_id == info.sha
assert api.repo_exists("acme/tiny") and not api.repo_exists("acme/nothing")
assert api.file_exists("acme/tiny", "config.json") and not api.file_exists("acme/tiny", "no.json")
assert not api.revision_exists("acme/tiny", "v7") and api.revision_exists("acme/tiny", info.sha)
assert [m.id for m in api.list_models(filter="gguf")] == ["acme/gguf"]
assert [m.id for m in api.list_models(author="acme", limit=2)] == ["acme/evil", "acme/gguf"]
assert list(api.list_models(author="others")) == []
print("as expected")
"""


@pytest.mark.parametrize("client", [HF2, HF0], ids=lambda client: client.version)
def test_the_python_api_reads_all_that_it_asks_for(client: Client, mirror: Mirror, tmp_path: Path) -> None:
    assert "as expected" in ran([client.bin / "python", "-c", API], at_hf(mirror.url, tmp_path)).stdout


def test_transformers_loads_configuration_and_tokenizer(mirror: Mirror, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    code = f"from transformers import AutoConfig as C, AutoTokenizer as T; C.from_pretrained('{TINY}'); T.from_pretrained('{TINY}')"
    done = ran([HF2.bin / "python", "-c", code], at_hf(mirror.url, tmp_path))
    assert done.returncode == 0, done.stdout


def test_modelscope_brings_home_every_byte(mirror: Mirror, root: Path, tmp_path: Path) -> None:
    done = ran([MS140.bin / "ms-hub", "download", TINY], at_ms(mirror.url, tmp_path))
    assert done.returncode == 0, done.stdout
    assert contents(tmp_path / "models" / "acme--tiny" / "snapshots" / "master") == contents(root / TINY)


def test_modelscope_takes_one_file_lists_and_logs_in(guarded: Mirror, tmp_path: Path) -> None:
    environment = at_ms(guarded.url, tmp_path)
    ms = MS140.bin / "ms-hub"
    assert ran([ms, "login", "--token", "hf_" + "x" * 34], environment).returncode != 0
    assert ran([ms, "login", "--token", TOKEN], environment).returncode == 0
    done = ran([ms, "download", TINY, "config.json"], environment)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "models/acme--tiny/snapshots/master/config.json").is_file()
    assert TINY in ran([ms, "list", "--repo-type", "model", "--owner", "acme"], environment).stdout


def test_the_old_modelscope_comes_over_tls(
    encrypted: Mirror, root: Path, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    host = encrypted.url.removeprefix("https://")
    environment = plain(
        MODELSCOPE_DOMAIN=host,
        REQUESTS_CA_BUNDLE=str(certificate[0]),
        MODELSCOPE_CACHE=str(tmp_path),
        HOME=str(tmp_path),
    )
    done = ran([MS137.bin / "modelscope", "download", "--model", TINY, "--local_dir", tmp_path / "here"], environment)
    assert done.returncode == 0, done.stdout
    assert contents(tmp_path / "here") == contents(root / TINY)


def test_hf_comes_over_tls(encrypted: Mirror, certificate: tuple[Path, Path], root: Path, tmp_path: Path) -> None:
    environment = at_hf(
        encrypted.url, tmp_path, SSL_CERT_FILE=str(certificate[0]), REQUESTS_CA_BUNDLE=str(certificate[0])
    )
    done = ran([HF2.bin / "hf", "download", TINY, "--local-dir", tmp_path / "here"], environment)
    assert done.returncode == 0, done.stdout
    assert contents(tmp_path / "here") == contents(root / TINY)


def test_weigh_pull_takes_the_same(mirror: Mirror, root: Path, tmp_path: Path) -> None:
    command = [HF2.bin / "python", "-m", "weigh", "pull", f"hf:{TINY}", "--to", tmp_path / "here", "--yes"]
    environment = at_hf(mirror.url, tmp_path, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    done = ran(command, environment)
    assert done.returncode == 0, done.stdout
    found = contents(tmp_path / "here")
    found.pop("weigh.lock.json")
    assert found == contents(root / TINY)


@pytest.mark.parametrize("program", ["curl", "aria2c"])
def test_plain_programs_take_a_file_whole_and_go_on_where_they_broke_off(
    program: str, mirror: Mirror, root: Path, tmp_path: Path
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here")
    want = (root / TINY / "model.safetensors").read_bytes()
    half = tmp_path / "half"
    half.write_bytes(want[:100_000])
    flags = ["-sSfo", str(half), "-C", "-"] if program == "curl" else ["-q", "-c", "-d", str(tmp_path), "-o", "half"]
    subprocess.run([program, *flags, f"{mirror.url}/{TINY}/resolve/main/model.safetensors"], check=True, env=plain())
    assert half.read_bytes() == want


SHOWS = f"""
hf 2 whole          | {{HF2}}/hf download {EVIL}
hf 2 one file       | {{HF2}}/hf download {EVIL} config.json
hf 2 in Python      | {{HF2}}/python -c "from huggingface_hub import snapshot_download as d; d('{EVIL}')"
transformers        | {{HF2}}/python -c "from transformers import AutoConfig as C; C.from_pretrained('{EVIL}')"
hf 0.36 whole       | {{HF0}}/hf download {EVIL}
hf 0.36 one file    | {{HF0}}/hf download {EVIL} config.json
modelscope 1.40     | {{MS140}}/ms-hub download {EVIL}
modelscope one file | {{MS140}}/ms-hub download {EVIL} config.json
"""


@pytest.mark.parametrize("row", SHOWS.strip().splitlines(), ids=lambda row: row.split(" |")[0].strip())
def test_every_client_shows_why_a_model_is_held(row: str, mirror: Mirror, tmp_path: Path) -> None:
    line = row.split(" | ")[1]
    name = line[line.index("{") + 1 : line.index("}")]
    command = line.replace(f"{{{name}}}", str({"HF2": HF2, "HF0": HF0, "MS140": MS140}[name].bin))
    done = subprocess.run(
        ["sh", "-c", command],
        env=at_hf(mirror.url, tmp_path) | at_ms(mirror.url, tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0
    assert REASON in " ".join(done.stdout.split())
    assert not list(tmp_path.rglob("pytorch_model.bin"))


def test_the_old_modelscope_shows_it_too(encrypted: Mirror, certificate: tuple[Path, Path], tmp_path: Path) -> None:
    host = encrypted.url.removeprefix("https://")
    environment = plain(
        MODELSCOPE_DOMAIN=host,
        REQUESTS_CA_BUNDLE=str(certificate[0]),
        MODELSCOPE_CACHE=str(tmp_path),
        HOME=str(tmp_path),
    )
    done = ran([MS137.bin / "modelscope", "download", "--model", EVIL], environment)
    assert done.returncode != 0
    assert REASON in " ".join(done.stdout.split())


@pytest.mark.parametrize("token", [None, "hf_" + "x" * 34])
def test_without_the_right_token_nobody_reads(token: str | None, guarded: Mirror, tmp_path: Path) -> None:
    more = {"HF_TOKEN": token, "MODELSCOPE_API_TOKEN": token} if token else {}
    environment = at_hf(guarded.url, tmp_path, **more) | at_ms(guarded.url, tmp_path)
    done = ran([HF2.bin / "hf", "download", TINY], environment)
    assert done.returncode != 0 and "Invalid credentials" in done.stdout
    done = ran([MS140.bin / "ms-hub", "download", TINY], environment)
    assert done.returncode != 0 and "token" in done.stdout


def test_the_right_token_reads(guarded: Mirror, tmp_path: Path) -> None:
    assert ran([HF2.bin / "hf", "download", TINY], at_hf(guarded.url, tmp_path, HF_TOKEN=TOKEN)).returncode == 0
    assert TOKEN not in guarded.log.read_text("utf-8")


@pytest.mark.parametrize("flags", [(), ("--cache",)], ids=["folder", "cache"])
def test_what_is_not_here_is_pulled_through_once_and_kept(
    flags: tuple[str, ...], root: Path, mirror: Mirror, tmp_path: Path
) -> None:
    edge = tmp_path / "edge"
    edge.mkdir()
    with mirroring(edge, tmp_path / "h", "--upstream", mirror.url, *flags) as near:
        done = ran([HF2.bin / "hf", "download", TINY, "--local-dir", tmp_path / "a"], at_hf(near.url, tmp_path / "1"))
        assert done.returncode == 0, done.stdout
        assert {k: v for k, v in contents(tmp_path / "a").items() if k != "weigh.lock.json"} == contents(root / TINY)
        done = ran([HF2.bin / "hf", "download", "acme/nothing"], at_hf(near.url, tmp_path / "3"))
        assert done.returncode != 0
    with mirroring(edge, tmp_path / "h", *flags) as alone:
        done = ran([HF2.bin / "hf", "download", TINY], at_hf(alone.url, tmp_path / "4"))
        assert done.returncode == 0, done.stdout


def test_what_is_pulled_through_and_held_is_not_there(root: Path, tmp_path: Path) -> None:
    files: dict[str, Content] = {path.name: path.read_bytes() for path in (root / EVIL).iterdir() if path.is_file()}
    (tmp_path / "edge").mkdir()
    with (
        serving(hub(files, id=EVIL)) as far,
        mirroring(tmp_path / "edge", tmp_path / "h", "--upstream", far.url) as near,
    ):
        done = ran([HF2.bin / "hf", "download", EVIL], at_hf(near.url, tmp_path / "2"))
        assert done.returncode != 0 and "held by weigh" in " ".join(done.stdout.split())
        asked = len(far.asked)
        assert ran([HF2.bin / "hf", "download", EVIL], at_hf(near.url, tmp_path / "2")).returncode != 0
        assert len(far.asked) == asked  # it is not fetched again at once
    assert not list((tmp_path / "edge").rglob("pytorch_model.bin"))
