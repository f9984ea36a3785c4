"""`weigh list`: what every program keeps, what of it is there twice, and what a reclaim does and leaves."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from tests.caches import COMMIT, hub_file, link, manifest, put
from weigh.app.inventory import Asked, survey
from weigh.cli import list as command_list
from weigh.cli import open_files
from weigh.cli.main import weigh as command
from weigh.store.inventory import STORES

BIG = Random(7).randbytes(2 << 20)
HASH = sha256(BIG).hexdigest()
LATER = time.time() + 7 * 24 * 3600
DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = [
    line.strip()
    for language in ("en", "zh")
    for line in re.findall(r"^weigh list[^#\n]*", (DOCS / language / "list.md").read_text("utf-8"), re.M)
]
VARIABLES = sorted({part.strip("$").split("/")[0] for s in STORES for g in s.places for part in g if part[0] == "$"})
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the caches made up here hold links")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine, some days after all that is written here."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    means = command_list._means()
    monkeypatch.setattr(
        command_list,
        "_means",
        lambda: means._replace(now=lambda: LATER, can_clone=lambda path: False, is_held=lambda path: None),
    )
    return tmp_path / "home"


def weigh_list(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["list", *arguments], standalone_mode=False)


def told(*arguments: str) -> dict[str, list[dict[str, object]]]:
    done = weigh_list("--json", *arguments)
    assert done.return_value == 0, done.output
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


def hf(home: Path) -> Path:
    return home / ".cache" / "huggingface" / "hub"


def doubled(home: Path) -> dict[str, Path]:
    """One content in four programs; two of them call it by its hash."""
    put(home, ".ollama/models/manifests/registry.ollama.ai/library/qwen3/8b", manifest(HASH))
    return {
        "hf": hub_file(hf(home), "Qwen/Qwen3-8B-GGUF", "Qwen3-8B-Q4_K_M.gguf", BIG),
        "ollama": put(home, f".ollama/models/blobs/sha256-{HASH}", BIG),
        "ms": put(home, ".cache/modelscope/models/Qwen--Qwen3-8B-GGUF/snapshots/master/Qwen3-8B-Q4_K_M.gguf", BIG),
        "lm-studio": put(home, ".lmstudio/models/Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf", BIG),
    }


def everything(home: Path) -> dict[str, tuple[int, bytes]]:
    """Every file's inode and bytes, links by where they lead."""
    files = [path for path in home.rglob("*") if path.is_symlink() or path.is_file()]
    return {
        str(path): (path.lstat().st_ino, os.readlink(path).encode() if path.is_symlink() else path.read_bytes())
        for path in files
    }


def test_models_of_all_programs_are_listed_with_what_they_are(home: Path, samples: Path) -> None:
    gguf = (samples / "tiny-llama-Q4_K_M.gguf").read_bytes()
    put(home, ".lmstudio/models/org/Tiny-Llama-GGUF/tiny-llama-Q4_K_M.gguf", gguf)
    for path in (samples / "tiny-llama-chat").iterdir():
        hub_file(hf(home), "org/tiny-llama-chat", path.name, path.read_bytes())
    found = {(one["store"], one["model"]): one for one in told()["models"]}
    here, there = found["lm-studio", "org/Tiny-Llama-GGUF"], found["hf", "org/tiny-llama-chat"]
    assert (here["formats"], here["family"], here["quantisations"]) == (["gguf"], "llama", ["Q4_K_M"])
    assert here["nbytes"] == len(gguf) and here["used"] and here["broken"] == []
    assert "safetensors" in str(there["formats"]) and there["family"] == "llama" and there["num_parameters"]
    assert isinstance(there["name"], dict) and there["name"]["name"] == "org/tiny-llama-chat"
    shown = weigh_list("--lang", "en").stdout
    assert "org/tiny-llama-chat" in shown and "models: 2, programs: 2" in shown


def test_what_is_known_is_not_read_again_and_what_changed_is(home: Path, tmp_path: Path, samples: Path) -> None:
    path = put(home, "models/a.gguf", (samples / "tiny-llama-Q4_K_M.gguf").read_bytes())
    put(home, "models/b.gguf", BIG)
    put(home, "models/c.gguf", BIG)
    asked = Asked(folders=(str(home / "models"),), rows=str(tmp_path / "rows"))
    first, second = survey(asked), survey(asked)
    assert (first.num_read, second.num_read) == (3, 0) and first.inventory == second.inventory
    assert len(second.inventory.doubles) == 1
    path.write_bytes(path.read_bytes()[:-100])
    third = survey(asked)
    assert third.num_read == 1 and [one.ruin for model in third.inventory.models for one in model.broken] == [
        "truncated"
    ]
    path.unlink()
    assert {one.model for one in survey(asked).inventory.models} == {"b", "c"}


def test_our_own_reading_is_no_use_of_a_model(home: Path) -> None:
    paths = [put(home, f".lmstudio/models/a/b/{name}.gguf", BIG) for name in ("c", "d")]
    before = told()["models"][0]["used"]
    for path in paths:  # where the system writes down each access, it would be today now
        path.read_bytes()
    assert before == "2023-11-14T22:13:20Z"
    os.utime(paths[0], (1_750_000_000, 1_700_000_000))
    assert told()["models"][0]["used"] == "2025-06-15T15:06:40Z"


RUINS = """
cut-short.safetensors   truncated
error-page.gguf         page
pointer.safetensors     pointer
"""


@pytest.mark.parametrize("line", RUINS.strip().splitlines())
def test_what_is_broken_is_said_to_be(line: str, home: Path, samples: Path) -> None:
    name, ruin = line.split()
    put(home, f".lmstudio/models/org/name/{name}", (samples / name).read_bytes())
    put(home, ".lmstudio/models/org/whole/model.gguf", (samples / "tiny-llama-Q4_K_M.gguf").read_bytes())
    (model,) = told("--broken")["models"]
    assert [one["ruin"] for one in model["broken"]] == [ruin]  # type: ignore[attr-defined]


def test_missing_shards_and_links_to_nothing_are_broken(home: Path) -> None:
    hub_file(hf(home), "org/name", "model-00001-of-00002.safetensors", BIG)
    link(hf(home), f"models--org--name/snapshots/{COMMIT}/gone.safetensors", "../../blobs/gone")
    (model,) = told()["models"]
    assert {one["ruin"] for one in model["broken"]} == {"shards", "dangling"}  # type: ignore[attr-defined]


def test_a_file_under_two_names_is_counted_once_and_is_no_double(home: Path) -> None:
    blob = hub_file(hf(home), "org/name", "model.gguf", BIG)
    target = home / ".lmstudio" / "models" / "org" / "name" / "model.gguf"
    target.parent.mkdir(parents=True)
    target.hardlink_to(blob)
    found = told()
    assert found["doubles"] == [] and len(found["models"]) == 2
    assert found["totals"]["nbytes"] == len(BIG)  # type: ignore[call-overload]


def test_doubles_across_programs_are_found(home: Path) -> None:
    doubled(home)
    (double,) = told("--doubles")["doubles"]
    stores = {copy["store"] for copy in double["copies"]}  # type: ignore[attr-defined]
    assert stores == {"hf", "ollama", "ms", "lm-studio"} and double["nbytes"] == len(BIG)
    assert "There more than once: 1" in weigh_list("--doubles", "--lang", "en").stdout


def test_a_plan_touches_nothing(home: Path) -> None:
    doubled(home)
    put(hf(home), f"models--a--b/blobs/{'a' * 64}.0123abcd.incomplete")
    before = everything(home)
    assert len(told("--reclaim")["steps"]) == 3 and weigh_list("--reclaim").return_value == 0
    assert everything(home) == before


def test_a_reclaim_links_what_is_replaced_whole_and_leaves_what_people_edit(home: Path) -> None:
    paths = doubled(home)
    before = everything(home)
    done = told("--reclaim", "--yes")
    assert {step["result"] for step in done["steps"]} == {"done"} and done["nbytes"] == 2 * len(BIG)
    assert [one["reason"] for one in done["left"]] == ["edited"]
    assert paths["hf"].samefile(paths["ollama"]) and paths["hf"].samefile(paths["ms"])
    after = everything(home)
    assert {path: data for path, (_, data) in after.items()} == {path: data for path, (_, data) in before.items()}
    touched = {path for path in after if after[path][0] != before[path][0]}
    assert touched == {step["path"] for step in done["steps"]} and str(paths["lm-studio"]) not in touched
    (double,) = told()["doubles"]
    assert len(double["copies"]) == 2 and told("--reclaim")["steps"] == []  # type: ignore[arg-type]


def test_where_blocks_can_be_lent_even_what_people_edit_is_shared_and_then_no_double(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    means = command_list._means()
    lend = means._replace(
        can_clone=lambda path: True, clone=lambda target, source: os.write(target, os.read(source, 4 << 20)) and None
    )
    monkeypatch.setattr(command_list, "_means", lambda: lend)
    doubled(home)
    done = told("--reclaim", "--yes")
    assert [step["act"] for step in done["steps"]] == ["clone"] * 3 and done["left"] == []
    assert told()["doubles"] == []


def test_files_of_other_rights_are_not_linked(home: Path) -> None:
    paths = doubled(home)
    for path in paths.values():
        path.chmod(0o600)
    paths["ms"].chmod(0o604)
    assert told("--reclaim", "--yes")["steps"][0]["keeper"] == str(paths["ms"])
    assert oct(paths["hf"].stat().st_mode & 0o777) == "0o604"


ORPHANS = (f"models--a--b/blobs/{'a' * 64}.0123abcd.incomplete", f"models--a--b/blobs/{'b' * 64}")


def test_orphans_are_deleted_and_nothing_else_is(home: Path) -> None:
    hub_file(hf(home), "a/b", "model.gguf", BIG)
    kept = put(hf(home), f"models--a--b/blobs/{'c' * 40}.incomplete")
    orphans = [put(hf(home), name) for name in ORPHANS]
    before = everything(home)
    shown = " ".join(weigh_list("--lang", "en").stdout.split())
    assert "a download that nothing goes on with" in shown and "no model uses it" in shown
    assert {step["result"] for step in told("--reclaim", "--yes")["steps"]} == {"done"}
    assert before.keys() - everything(home).keys() == {str(path) for path in orphans} and kept.exists()


def test_an_orphan_that_somebody_wrote_to_just_now_is_left(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    means = command_list._means()
    monkeypatch.setattr(command_list, "_means", lambda: means._replace(now=time.time))
    path = put(hf(home), ORPHANS[0])
    done = told("--reclaim", "--yes")
    assert done["steps"] == [] and [one["reason"] for one in done["left"]] == ["busy"] and path.exists()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux shows who has a file open")
def test_an_orphan_goes_at_once_where_it_is_seen_that_nobody_has_it_open(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    means = command_list._means()
    monkeypatch.setattr(command_list, "_means", lambda: means._replace(now=time.time, is_held=open_files.is_held))
    monkeypatch.setattr(open_files, "kind_at", lambda path: "ext4")
    written, locked = put(hf(home), ORPHANS[0]), put(hf(home), f"models--a--b/blobs/{'d' * 40}.01234567.incomplete")
    gone = put(hf(home), f"models--a--b/blobs/{'e' * 40}.01234567.incomplete")
    lock = put(hf(home), f".locks/models--a--b/{'d' * 40}.lock")
    with written.open("ab"), lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = told("--reclaim", "--yes")
    assert [(step["path"], step["result"]) for step in done["steps"]] == [(str(gone), "done")]
    assert {(one["path"], one["reason"]) for one in done["left"]} == {(str(written), "busy"), (str(locked), "busy")}
    monkeypatch.setattr(open_files, "kind_at", lambda path: "nfs4")
    assert open_files.is_held(str(written)) is None


def test_a_folder_may_be_named_alone_and_one_that_is_not_there_is_told_as_json_too(home: Path) -> None:
    put(home, "mine/a.safetensors", BIG)
    assert [one["model"] for one in told(str(home / "mine"))["models"]] == ["a"]
    done = weigh_list(str(home / "gone"), "--json")
    assert done.return_value == 2 and json.loads(done.stdout)["error"]["path"] == str(home / "gone")


def test_an_orphan_that_is_named_in_the_meantime_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import weigh.app.reclaim as reclaim

    blob = put(hf(home), ORPHANS[1])
    carry_out = reclaim.carry_out

    def name_it_first(*given: object) -> object:
        link(hf(home), f"models--a--b/snapshots/{COMMIT}/model.bin", f"../../blobs/{'b' * 64}")
        return carry_out(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(reclaim, "carry_out", name_it_first)
    assert [step["result"] for step in told("--reclaim", "--yes")["steps"]] == ["changed"] and blob.exists()


def test_what_a_cut_off_reclaim_left_goes(home: Path) -> None:
    paths = doubled(home)
    left = Path(f"{paths['ollama']}.weigh-reclaim")
    left.hardlink_to(paths["hf"])
    told("--reclaim", "--yes")
    assert not left.exists() and paths["ollama"].read_bytes() == BIG


def test_the_shared_store_is_left_to_its_own_command(home: Path) -> None:
    put(hf(home), "blobs/.huggingface-shared-blobs", b"1\n")
    blob = put(hf(home), f"blobs/66/{'6' * 64}")
    done = told("--reclaim", "--yes")
    assert done["steps"] == [] and [one["reason"] for one in done["left"]] == ["shared"] and blob.exists()


PLACES = """
hf                     HF_HUB_CACHE                .            models--org--name/snapshots/c/model.gguf
hf                     HUGGINGFACE_HUB_CACHE       .            models--org--name/snapshots/c/model.gguf
hf                     HF_HOME                     hub          models--org--name/snapshots/c/model.gguf
hf                     XDG_CACHE_HOME              huggingface/hub  models--org--name/snapshots/c/model.gguf
ms                     MODELSCOPE_CACHE            .            models/org--name/snapshots/master/model.gguf
ms-old                 MODELSCOPE_CACHE            .            models/org/name/model.gguf
ollama                 OLLAMA_MODELS               .            manifests/host/ns/name/tag
llama.cpp              LLAMA_CACHE                 .            model.gguf
gpt4all                XDG_DATA_HOME               nomic.ai/GPT4All  model.gguf
jan                    XDG_DATA_HOME               Jan/data     llamacpp/models/name/model.gguf
whisper                XDG_CACHE_HOME              whisper      base.pt
torch-hub              TORCH_HOME                  .            hub/checkpoints/model.pth
keras                  KERAS_HOME                  .            models/model.h5
kagglehub              KAGGLEHUB_CACHE             .            models/o/m/f/v/1/model.h5
sentence-transformers  SENTENCE_TRANSFORMERS_HOME  .            org_name/model.bin
"""


@pytest.mark.parametrize("line", PLACES.strip().splitlines())
def test_a_store_is_where_its_programs_variable_says(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, variable, below, name = line.split()
    root = tmp_path / "elsewhere"
    put(root / below, name, manifest(HASH) if store == "ollama" else BIG)
    monkeypatch.setenv(variable, str(root))
    assert [one["store"] for one in told("--store", store)["models"]] == [store]


def test_a_folder_given_is_looked_through(home: Path, tmp_path: Path, samples: Path) -> None:
    shutil.copytree(samples, tmp_path / "mine")
    found = {str(one["model"]) for one in told("--folder", str(tmp_path / "mine"))["models"]}
    assert {"tiny-llama-chat", "Nova-7B-Instruct-Q8_0", "pytorch_model"} <= found
    done = weigh_list("--folder", str(home / "nowhere"), "--lang", "en")
    assert done.return_value == 2 and "there is no such file" in done.stderr


def order(*arguments: str) -> Iterator[str]:
    return (str(one["model"]) for one in told(*arguments)["models"])


def test_models_come_in_the_order_asked_for(home: Path) -> None:
    for name, size, used in (("b", 3, 1), ("a", 2, 3), ("c", 1, 2)):
        path = put(home, f".lmstudio/models/x/{name}/m.gguf", b"x" * size)
        os.utime(path, (1_700_000_000 + used, 1_600_000_000))
    assert list(order()) == ["x/b", "x/a", "x/c"]
    assert list(order("--sort", "used")) == ["x/a", "x/c", "x/b"]
    assert list(order("--sort", "name")) == ["x/a", "x/b", "x/c"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("option", [(), ("--doubles",), ("--broken",), ("--reclaim",), ("--reclaim", "--yes"), ("-q",)])
def test_every_screen_is_drawn_in_both_languages(option: tuple[str, ...], language: str, home: Path) -> None:
    doubled(home)
    put(hf(home), ORPHANS[0])
    put(home, ".lmstudio/models/org/name/m.gguf", b"<html>")
    done = weigh_list(*option, "--lang", language)
    assert done.return_value == 0 and done.stdout and ("共" in done.stdout) == (language == "zh")


def test_a_hostile_name_draws_nothing(home: Path) -> None:
    put(home, ".lmstudio/models/org/\x1b[2J\u202eevil/[red]m.gguf", BIG)
    put(home, ".lmstudio/models/org/other/\x1b]0;x\x07m.gguf", BIG)
    shown = weigh_list("--lang", "en").stdout
    assert "\x1b" not in shown and "\u202e" not in shown and "[red]" in shown
    assert told()["doubles"]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_runs(line: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    doubled(home)
    assert weigh_list(*line.split()[2:]).return_value == 0
    assert len(COMMANDS) == 16 and COMMANDS[:8] == COMMANDS[8:]


def test_a_name_in_no_encoding_is_listed_and_kept(home: Path) -> None:
    try:
        put(home, os.fsdecode(b".lmstudio/models/org/odd-\xff/m.gguf"), BIG)
    except OSError:
        pytest.skip("this file system takes no such name")
    assert told()["models"] == told()["models"] != [] and weigh_list().return_value == 0


def test_an_empty_machine_is_said_to_be_empty() -> None:
    assert told()["models"] == [] and "models: 0" in weigh_list("--lang", "en").stdout


def test_yes_alone_is_a_mistake() -> None:
    done = CliRunner().invoke(command, ["list", "--yes", "--lang", "en"])
    assert done.exit_code == 2 and "--reclaim" in done.stderr


def test_no_socket_is_opened(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doubled(home)
    monkeypatch.setattr(socket, "socket", lambda *given, **named: pytest.fail("a socket"))
    assert weigh_list().return_value == 0
