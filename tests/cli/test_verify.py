"""`weigh verify`: what is here against a lock, the hub's list, the names of blobs and a signature."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.hubs.server import COMMIT, git_sha1, hub, sha256
from tests.loopback import serving
from tests.store.faults import environment
from weigh.cli.main import weigh as command

FILES = {"config.json": b"{}\n", "onnx/model.onnx": b"o" * 3000, "model.safetensors": b"w" * 30_000}
signing = pytest.mark.skipif(find_spec("model_signing") is None, reason="model-signing is not installed")
materials = pytest.mark.skipif(find_spec("cyclonedx") is None, reason="cyclonedx-python-lib is not installed")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, folder in (("HF_HUB_CACHE", "hub"), ("MODELSCOPE_CACHE", "ms"), ("WEIGH_HOME", "weigh")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    return tmp_path


def put(root: Path, files: dict[str, bytes] = FILES) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def lock_at(path: Path, files: dict[str, bytes] = FILES, **more: object) -> Path:
    """As `weigh pull --lock` writes it."""
    rows = [{"path": name, "size": len(content), "sha256": sha256(content)} for name, content in files.items()]
    said = {"schema": 1, "hub": "hf", "repository": "org/name", "revision": "main", "commit": COMMIT, "files": rows}
    path.write_text(json.dumps(said | more))
    return path


def locked(tmp_path: Path) -> Path:
    """A folder with its lock in it."""
    root = put(tmp_path / "model")
    lock_at(root / "weigh.lock.json")
    return root


def cached(home: Path, files: dict[str, bytes] = FILES, *, listed: dict[str, bytes] | None = None) -> Path:
    """A snapshot as huggingface_hub keeps it, with the tree of its commit."""
    root = home / "hub" / "models--org--name"
    tree: dict[str, dict[str, object]] = {}
    for name, content in (listed or files).items():
        large = len(content) >= 20_000
        tree[name] = {"size": len(content), "blob_id": git_sha1(content)}
        tree[name] |= {"lfs_sha256": sha256(content), "lfs_size": len(content)} if large else {}
    snapshot = root / "snapshots" / COMMIT
    for name, content in files.items():
        blob = root / "blobs" / (sha256(content) if len(content) >= 20_000 else git_sha1(content))
        put(root, {f"blobs/{blob.name}": content})
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(os.path.relpath(blob, (snapshot / name).parent))
    put(
        root,
        {
            "refs/main": COMMIT.encode(),
            f"trees/{COMMIT}.json": json.dumps({"format_version": 1, "files": tree}).encode(),
        },
    )
    return snapshot


def verify(*arguments: object) -> Result:
    words = [str(one) for one in arguments]
    return CliRunner().invoke(command, ["verify", *words, "--lang", "en"], standalone_mode=False)


def verified(*arguments: object, status: int = 0) -> dict[str, Any]:
    done = verify(*arguments, "--json")
    assert done.exception is None and done.return_value == status, done.output
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def statuses(said: dict[str, Any]) -> dict[str, str]:
    return {file["path"]: file["status"] for file in said["files"]}


# Against a lock


def test_a_folder_is_as_its_lock_says(tmp_path: Path) -> None:
    said = verified(locked(tmp_path))
    assert (said["status"], said["counts"]) == (
        "right",
        {"ok": 3, "changed": 0, "missing": 0, "extra": 0, "unchecked": 0},
    )
    assert [one["kind"] for one in said["against"]] == ["lock"]


def test_each_difference_is_named_with_its_file(tmp_path: Path) -> None:
    root = locked(tmp_path)
    (root / "model.safetensors").write_bytes(b"w" * 29_999 + b"x")
    (root / "onnx/model.onnx").unlink()
    (root / "modeling_evil.py").write_text("import os")
    said = verified(root, status=2)
    assert statuses(said) == {
        "config.json": "ok",
        "model.safetensors": "changed",
        "modeling_evil.py": "extra",
        "onnx/model.onnx": "missing",
    }
    changed = next(file for file in said["files"] if file["status"] == "changed")
    assert (changed["differs"], changed["said"]) == ("sha256", sha256(FILES["model.safetensors"]))
    lines = verify(root).stdout.splitlines()
    assert any(line.startswith("model.safetensors: changed") for line in lines)
    assert "1 right" in lines[-1] and "1 extra" in lines[-1]


def test_a_file_of_another_size_is_said_to_be(tmp_path: Path) -> None:
    root = locked(tmp_path)
    (root / "config.json").write_bytes(b"{}")
    assert "changed: 2 B, and should be 3 B" in verify(root).stdout


def test_a_lock_elsewhere_finds_its_files_in_the_cache(home: Path) -> None:
    cached(home)
    lock = lock_at(home / "elsewhere.json")
    assert verified("--lock", lock)["reference"] == f"hf:org/name@{COMMIT}"


@pytest.mark.parametrize(
    "ruin",
    ["", "[]", "{}", '{"schema": 1, "hub": "hf", "repository": "a/b", "files": [{"path": "../x", "size": 1, "sha256": "0"}]}', "[" * 100_000],
    ids=["empty", "a list", "no keys", "outside", "deep"],
)  # fmt: skip
def test_what_is_no_lock_is_said_to_be_none(tmp_path: Path, ruin: str) -> None:
    root = put(tmp_path / "model")
    (root / "weigh.lock.json").write_text(ruin)
    done = verify(root)
    assert done.return_value == 2 and len(done.stderr.splitlines()) == 1


def test_one_file_is_held_against_the_lock_beside_it(tmp_path: Path) -> None:
    root = locked(tmp_path)
    (root / "config.json").write_bytes(b"[]\n")
    assert statuses(verified(root / "model.safetensors")) == {"model.safetensors": "ok"}
    assert statuses(verified(root / "config.json", status=2)) == {"config.json": "changed"}


# Against what the hub listed


def test_a_snapshot_is_as_the_hub_listed_it(home: Path) -> None:
    said = verified("hf:org/name", "--offline") if cached(home) else {}
    assert statuses(said) == dict.fromkeys(FILES, "ok")
    assert {one["kind"] for one in said["against"]} == {"hub", "name"}


def test_a_flipped_byte_that_a_stock_client_accepts_is_found(home: Path) -> None:
    snapshot = cached(home)
    blob = (snapshot / "model.safetensors").resolve()
    blob.write_bytes(b"v" + blob.read_bytes()[1:])
    small = (snapshot / "config.json").resolve()
    small.write_bytes(b"[]\n")
    said = verified(snapshot, status=2)
    assert statuses(said) == {"config.json": "changed", "model.safetensors": "changed", "onnx/model.onnx": "ok"}
    assert {file["path"]: file.get("differs") for file in said["files"]}["config.json"] == "git_sha1"


def test_blobs_are_held_against_their_names_where_no_list_is_kept(home: Path) -> None:
    snapshot = cached(home)
    (home / "hub/models--org--name/trees" / f"{COMMIT}.json").unlink()
    assert {one["kind"] for one in verified("hf:org/name")["against"]} == {"name"}
    (snapshot / "model.safetensors").resolve().write_bytes(b"w" * 30_001)
    assert statuses(verified("hf:org/name", status=2))["model.safetensors"] == "changed"


@pytest.mark.parametrize("ruin", ["", "[]", '{"x": ' + "[" * 200_000, '{"files": {"config.json": {"size": "big"}}}'], ids=["empty", "a list", "deep", "wrong type"])  # fmt: skip
def test_a_ruined_list_is_passed_over_for_the_names(home: Path, ruin: str) -> None:
    cached(home)
    (home / "hub/models--org--name/trees" / f"{COMMIT}.json").write_text(ruin)
    assert {one["kind"] for one in verified("hf:org/name")["against"]} == {"name"}


def test_what_was_not_taken_of_the_hub_is_no_fault_unless_all_is_wanted(home: Path) -> None:
    cached(home, {"config.json": FILES["config.json"]}, listed=FILES)
    assert verified("hf:org/name")["counts"]["missing"] == 2
    assert verified("hf:org/name", "--whole", status=2)["status"] == "differs"
    assert verified("hf:org/name:*.safetensors", status=2)["counts"]["missing"] == 1


def test_a_file_put_into_a_snapshot_is_extra(home: Path) -> None:
    (cached(home) / "modeling_evil.py").write_text("import os")
    assert statuses(verified("hf:org/name", status=1))["modeling_evil.py"] == "extra"


def test_a_folder_that_the_stock_client_filled_is_held_against_its_notes(tmp_path: Path) -> None:
    root = put(tmp_path / "model")
    for name, content in FILES.items():
        tag = sha256(content) if len(content) >= 20_000 else git_sha1(content)
        put(root, {f".cache/huggingface/download/{name}.metadata": f"{COMMIT}\n{tag}\n1700000000.0\n".encode()})
    assert statuses(verified(root)) == dict.fromkeys(FILES, "ok")
    (root / "model.safetensors").write_bytes(b"v" * 30_000)
    assert statuses(verified(root, status=2))["model.safetensors"] == "changed"


def test_a_repository_in_the_cache_is_its_snapshot(home: Path) -> None:
    repository = cached(home).parent.parent
    assert verified(repository)["folder"].endswith(f"snapshots/{COMMIT}")


def test_a_name_of_digits_claims_a_hash_only_among_blobs(tmp_path: Path) -> None:
    root = put(tmp_path / "blobs", {"sha256-" + sha256(b"x"): b"x", sha256(b"y"): b"y"})
    assert set(statuses(verified(root)).values()) == {"ok"}
    assert verified(put(tmp_path / "model", {sha256(b"y"): b"z"}), status=2)["against"] == []


# As the stock clients and weigh pull leave it

HUB = {"config.json": b"{}\n", "onnx/model.onnx": b"o" * 3000, "model.safetensors": b"w" * 30_000}


@pytest.mark.parametrize("way", ["cache", "folder", "lock", "ms"])
def test_what_weigh_pull_brought_is_right(home: Path, samples: Path, way: str) -> None:
    files = {path.name: path.read_bytes() for path in (samples / "tiny-llama-chat").iterdir()}
    options = {"folder": ["--to", str(home / "out")], "lock": ["--lock", str(home / "lock.json")]}.get(way, [])
    with serving(hub(files)) as server:
        paths = os.pathsep.join(path for path in sys.path if path)
        words = [
            sys.executable,
            "-m",
            "weigh",
            "pull",
            "ms:org/name" if way == "ms" else "hf:org/name",
            "--yes",
            *options,
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, env=environment(server, home, PYTHONPATH=paths), check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    named = {"cache": ["hf:org/name"], "folder": [home / "out"], "lock": ["--lock", home / "lock.json"], "ms": ["ms:org/name"]}[way]  # fmt: skip
    said = verified(*named)
    assert statuses(said) == dict.fromkeys(files, "ok")
    (Path(said["folder"]) / "config.json").unlink()
    assert statuses(verified(*named, status=2)) == dict.fromkeys(files, "ok") | {"config.json": "missing"}


@pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed")
@pytest.mark.parametrize("way", ["cache", "folder"])
def test_what_the_stock_client_brought_is_right_until_a_byte_is_not(home: Path, way: str) -> None:
    where = "" if way == "cache" else f", local_dir={str(home / 'out')!r}"
    code = f"from huggingface_hub import snapshot_download as s; s('org/name'{where})"
    with serving(hub(HUB)) as server:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment(server, home, HF_HUB_OFFLINE="0"), check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    target = "hf:org/name" if way == "cache" else str(home / "out")
    said = verified(target)
    assert statuses(said) == dict.fromkeys(HUB, "ok") and "hub" in {one["kind"] for one in said["against"]}
    weights = next(path for path in [home / "out" / "model.safetensors", home / "hub/models--org--name/snapshots" / COMMIT / "model.safetensors"] if path.exists())  # fmt: skip
    weights.resolve().write_bytes(b"v" * 30_000)
    assert statuses(verified(target, status=2))["model.safetensors"] == "changed"


# What cannot be told


def test_a_folder_of_which_nobody_says_anything_is_unchecked(tmp_path: Path) -> None:
    done = verify(put(tmp_path / "model"))
    assert done.return_value == 2 and "nothing to check against" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [(), ("/nowhere/at/all",), ("hf:org/never",), ("ms:org/never",), ("org/name",), ("https://127.0.0.1:9/x",), (".", "--sign"),
     (".", "--private-key", "k"), (".", "--signature", "s"), ("--lock", "/nowhere"), (".", "--public-key", "k")],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = verify(*arguments)
    assert done.exception is None and done.return_value == 2
    assert len(done.stderr.splitlines()) == 1 and done.stdout == ""
    assert verified(*arguments, status=2)["status"] == "failed"


def test_links_and_pipes_are_named_and_nothing_hangs(tmp_path: Path) -> None:
    root = locked(tmp_path)
    os.mkfifo(root / "pipe")
    (root / "loop").symlink_to(root)
    (root / "config.json").unlink()
    (root / "config.json").symlink_to("gone")
    said = verified(root, status=2)
    assert {path: status for path, status in statuses(said).items() if status != "ok"} == {
        "config.json": "missing",
        "loop": "extra",
        "pipe": "extra",
    }


@materials
def test_what_nobody_names_is_read_only_where_its_hash_is_wanted(tmp_path: Path) -> None:
    root = put(tmp_path / "model", {"a.bin": b"1"})
    assert "sha256" not in verified(root, status=2)["files"][0]
    assert verified(root, "--sbom", tmp_path / "bom.json")["files"][0]["sha256"] == sha256(b"1")


def test_a_content_with_many_names_is_read_once(home: Path) -> None:
    import threading

    from weigh.store.members import members
    from weigh.store.reading import Readers, hashes_of

    files = {f"{number}.bin": b"same" * 1000 for number in range(20)}
    read: list[int] = []
    found = hashes_of(
        members(str(cached(home, files))), frozenset(), Readers(4, threading.Event(), read.append, lambda: None)
    )
    assert {known.sha256 for known in found.values() if known} == {sha256(files["0.bin"])}
    assert sum(read) == 4000


def reads_weights(process: int) -> bool:
    """Has it one of them open?"""
    with suppress(OSError):
        return any(os.readlink(one).endswith(".bin") for one in Path(f"/proc/{process}/fd").iterdir())
    return False


def test_an_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    import signal
    import time

    root = tmp_path / "model"
    root.mkdir()
    for number in range(4):  # holes: many bytes to read, none on the disk
        with open(root / f"{number}.bin", "wb") as file:
            file.truncate(40 << 30)
    paths = os.pathsep.join(path for path in sys.path if path)
    words = [sys.executable, "-m", "weigh", "verify", str(root), "--json", "--sbom", str(tmp_path / "bom.json")]
    program = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": paths})  # fmt: skip
    while program.poll() is None and not reads_weights(program.pid):
        time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=30)
    assert program.returncode == 130 and out == "" and "Traceback" not in err


# Signed


def key_pair(folder: Path) -> tuple[Path, Path]:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = ec.generate_private_key(ec.SECP256R1())
    folder.mkdir(exist_ok=True)
    private, public = folder / "key.pem", folder / "key.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def model_signing(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Their own command line."""
    program = Path(sys.executable).parent / "model_signing"
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


@signing
def test_what_we_sign_their_command_verifies(tmp_path: Path) -> None:
    root, signature = locked(tmp_path), tmp_path / "out.sig"
    private, public = key_pair(tmp_path / "keys")
    assert verified(root, "--sign", "--private-key", private, "--signature", signature)["written"] == {
        "signature": str(signature)
    }
    done = model_signing("verify", "key", root, "--signature", signature, "--public_key", public)
    assert done.returncode == 0, done.stderr
    (root / "config.json").write_bytes(b"[]\n")
    assert model_signing("verify", "key", root, "--signature", signature, "--public_key", public).returncode == 1


@signing
def test_what_their_command_signs_we_verify_and_tampering_is_named(tmp_path: Path) -> None:
    root = put(tmp_path / "model")
    private, public = key_pair(tmp_path / "keys")
    done = model_signing("sign", "key", root, "--signature", root / "model.sig", "--private_key", private)
    assert done.returncode == 0, done.stderr
    assert statuses(verified(root, "--public-key", public)) == dict.fromkeys(FILES, "ok")
    (root / "model.safetensors").write_bytes(b"v" * 30_000)
    (root / "added.bin").write_bytes(b"1")
    (root / "config.json").unlink()
    said = verified(root, "--public-key", public, status=2)
    assert statuses(said) == {
        "added.bin": "extra",
        "config.json": "missing",
        "model.safetensors": "changed",
        "onnx/model.onnx": "ok",
    }
    assert (
        model_signing("verify", "key", root, "--signature", root / "model.sig", "--public_key", public).returncode == 1
    )


@signing
def test_a_snapshot_of_links_is_signed_and_verified_by_both(home: Path) -> None:
    snapshot, signature = cached(home), home / "out.sig"
    private, public = key_pair(home / "keys")
    verified("hf:org/name", "--sign", "--private-key", private, "--signature", signature)
    assert verified("hf:org/name", "--signature", signature, "--public-key", public)["counts"]["ok"] == 3
    done = model_signing(
        "verify", "key", snapshot, "--signature", signature, "--public_key", public, "--allow_symlinks"
    )
    assert done.returncode == 0, done.stderr
    blob = (snapshot / "config.json").resolve()
    blob.write_bytes(b"[]\n")
    done = model_signing(
        "verify", "key", snapshot, "--signature", signature, "--public_key", public, "--allow_symlinks"
    )
    assert done.returncode == 1 and "config.json" in done.stdout + done.stderr
    said = verified("hf:org/name", "--signature", signature, "--public-key", public, status=2)
    assert [file["path"] for file in said["files"] if file["status"] == "changed"] == ["config.json"]


@signing
@pytest.mark.parametrize("ruin", ["payload", "key", "bundle", "certificate", "root", "blake"])
def test_a_signature_that_does_not_hold_says_nothing(tmp_path: Path, ruin: str) -> None:
    import base64

    root, signature = locked(tmp_path), tmp_path / "out.sig"
    private, public = key_pair(tmp_path / "keys")
    verified(root, "--sign", "--private-key", private, "--signature", signature)
    bundle = json.loads(signature.read_text())
    envelope = bundle["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    match ruin:
        case "payload":
            envelope["payload"] = base64.b64encode(payload.replace(b"config.json", b"conf1g.json")).decode()
        case "key":
            public = key_pair(tmp_path / "others")[1]
        case "bundle":
            bundle = {"mediaType": "application/json"}
        case "certificate":
            del bundle["verificationMaterial"]["publicKey"]
        case "root":
            resign(envelope, payload.replace(sha256(FILES["config.json"]).encode(), b"0" * 64), private)
        case _:
            resign(envelope, payload.replace(b'"hash_type": "sha256"', b'"hash_type": "blake3"'), private)
    signature.write_text(json.dumps(bundle))
    said = verified(root, "--signature", signature, "--public-key", public, status=2)
    assert said["status"] == "failed" and said["error"]["path"] == str(signature)


@signing
def test_a_signature_that_is_cut_anywhere_is_one_line(tmp_path: Path) -> None:
    from weigh.core.errors import WeighError
    from weigh.store.signature import signed_files

    root, signature = locked(tmp_path), tmp_path / "out.sig"
    private, public = key_pair(tmp_path / "keys")
    verified(root, "--sign", "--private-key", private, "--signature", signature)
    whole = signature.read_bytes()
    assert set(signed_files(str(signature), str(public)).files) == {*FILES, "weigh.lock.json"}
    for end in range(0, len(whole), 7):
        signature.write_bytes(whole[:end])
        with pytest.raises(WeighError):
            signed_files(str(signature), str(public))
    for at in range(0, len(whole), 7):
        signature.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            found = signed_files(str(signature), str(public))
        except WeighError:
            continue
        assert set(found.files) == {*FILES, "weigh.lock.json"}  # what is changed is no part of what is signed


def resign(envelope: dict[str, Any], payload: bytes, private: Path) -> None:
    """The same envelope around another payload, signed by the same key."""
    import base64

    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(private.read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    said = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    envelope["payload"] = base64.b64encode(payload).decode()
    envelope["signatures"][0]["sig"] = base64.b64encode(key.sign(said, ECDSA(SHA256()))).decode()


@signing
def test_a_model_that_is_not_as_it_should_be_is_not_signed(tmp_path: Path) -> None:
    root, signature = locked(tmp_path), tmp_path / "out.sig"
    (root / "config.json").write_bytes(b"[]\n")
    said = verified(root, "--sign", "--private-key", key_pair(tmp_path / "keys")[0], "--signature", signature, status=2)
    assert said["written"] == {} and not signature.exists()


@signing
def test_a_folder_without_any_record_can_be_signed_and_then_verified(tmp_path: Path) -> None:
    root = put(tmp_path / "model")
    private, public = key_pair(tmp_path / "keys")
    verified(root, "--sign", "--private-key", private, "--signature", root / "model.sig")
    assert verified(root, "--public-key", public)["status"] == "right"


@signing
def test_the_lock_in_the_folder_is_signed_with_it(tmp_path: Path) -> None:
    root = locked(tmp_path)
    private, public = key_pair(root / "keys")
    for key in (private, public):
        key.rename(root.parent / key.name)
    (root / "keys").rmdir()
    private, public = tmp_path / private.name, tmp_path / public.name
    verified(root, "--sign", "--private-key", private, "--signature", root / "model.sig")
    assert statuses(verified(root, "--public-key", public))["weigh.lock.json"] == "ok"
    lock_at(root / "weigh.lock.json", licence="mit")
    assert statuses(verified(root, "--public-key", public, status=2))["weigh.lock.json"] == "changed"


def test_a_signature_that_the_hub_lists_is_a_file_like_any_other(home: Path) -> None:
    cached(home, FILES | {"model.sig": b"{}"})
    assert statuses(verified("hf:org/name"))["model.sig"] == "ok"


# The bill of materials


@materials
def test_the_bill_of_materials_is_valid_and_says_what_the_lock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    root, path = put(tmp_path / "model"), tmp_path / "bom.json"
    lock_at(root / "weigh.lock.json", licence="apache-2.0", verdict="clean")
    verified(root, "--sbom", path)
    text = path.read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    model = document["metadata"]["component"]
    assert (model["type"], model["purl"]) == ("machine-learning-model", f"pkg:huggingface/org/name@{COMMIT}")
    assert model["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    found = {part["name"]: part["hashes"] for part in document["components"]}
    assert found == {
        name: [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}] for name, content in FILES.items()
    }
    verified(root, "--sbom", path)
    assert path.read_text("utf-8") == text


@materials
@pytest.mark.parametrize(
    ("more", "purl", "licence"),
    [({"hub": "ms", "commit": None}, "pkg:generic/org/name@main?repository_url=https://www.modelscope.cn", None),
     ({"licence": "llama3.1"}, f"pkg:huggingface/org/name@{COMMIT}", {"name": "llama3.1"})],
)  # fmt: skip
def test_other_hubs_and_licences_have_their_place_in_it(
    tmp_path: Path, more: dict[str, object], purl: str, licence: object
) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    root, path = put(tmp_path / "model"), tmp_path / "bom.json"
    lock_at(root / "weigh.lock.json", **more)
    verified(root, "--sbom", path)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(path.read_text("utf-8")) is None
    model = json.loads(path.read_text("utf-8"))["metadata"]["component"]
    assert (model["purl"], model.get("licenses")) == (purl, [{"license": licence}] if licence else None)


@materials
def test_a_snapshot_without_a_lock_has_its_bill_too(home: Path) -> None:
    cached(home)
    verified("hf:org/name", "--sbom", home / "bom.json")
    assert (
        json.loads((home / "bom.json").read_text("utf-8"))["metadata"]["component"]["purl"]
        == f"pkg:huggingface/org/name@{COMMIT}"
    )


@materials
def test_of_what_is_not_right_no_bill_is_written(tmp_path: Path) -> None:
    root, path = locked(tmp_path), tmp_path / "bom.json"
    (root / "config.json").unlink()
    verified(root, "--sbom", path, status=2)
    assert not path.exists()


@pytest.mark.parametrize("missing", ["cyclonedx", "model_signing", "cryptography"])
def test_a_missing_library_is_one_line_that_says_how_to_have_it(tmp_path: Path, missing: str) -> None:
    root = locked(tmp_path)
    (root / "k.pem").write_text("")
    put(tmp_path, {"s.sig": json.dumps({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {}}, "dsseEnvelope": {"payload": "", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": ""}]}}).encode()})  # fmt: skip
    (root / "k.pem").unlink()
    options = {
        "cyclonedx": ["--sbom", str(tmp_path / "b")],
        "model_signing": ["--sign", "--private-key", "k", "--signature", str(tmp_path / "o")],
        "cryptography": ["--public-key", "k", "--signature", str(tmp_path / "s.sig")],
    }[missing]
    code = f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['weigh', 'verify', {str(root)!r}, *{options!r}]; from weigh.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "LC_ALL": "C.UTF-8"}, check=False)  # fmt: skip
    assert done.returncode == 2 and "pip install 'weigh[sign]'" in done.stderr and len(done.stderr.splitlines()) == 1
