"""`weigh export` and `weigh import`: what is packed comes out the same, and what was altered does not come out at all."""

from __future__ import annotations

import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serve.hub import plain
from weigh.app.mirror.archive import MANIFEST

Members = list[tuple[tarfile.TarInfo, bytes]]


def weigh(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, "-m", "weigh", *map(str, arguments)],
        env=plain(PYTHONPATH=paths, WEIGH_HOME=str(home), HF_HOME=str(home / "hf")),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def model(samples: Path, tmp_path: Path) -> Path:
    return filled(samples, tmp_path / "acme" / "tiny")


def filled(samples: Path, folder: Path) -> Path:
    shutil.copytree(samples / "tiny-llama-chat", folder)
    (folder / "sub").mkdir()
    (folder / "sub" / "a note.txt").write_text("a note\n")
    return folder


@pytest.fixture(scope="module")
def packed(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("packed")
    done = weigh(home, "export", filled(samples, home / "acme" / "tiny"), home / "m.tar")
    assert done.returncode == 0, done.stderr
    return home / "m.tar"


@pytest.fixture
def archive(packed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(packed, tmp_path / "m.tar"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_packed_comes_out_the_same(archive: Path, model: Path, tmp_path: Path) -> None:
    done = weigh(tmp_path, "import", archive, "--to", tmp_path / "there")
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "there" / "acme" / "tiny") == contents(model)


def test_the_same_model_makes_the_same_archive(archive: Path, model: Path, tmp_path: Path) -> None:
    assert weigh(tmp_path, "export", model, tmp_path / "again.tar").returncode == 0
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()


def test_what_is_there_is_not_overwritten(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "there" / "acme" / "tiny").mkdir(parents=True)
    (tmp_path / "there" / "acme" / "tiny" / "mine").touch()
    done = weigh(tmp_path, "import", archive, "--to", tmp_path / "there")
    assert done.returncode == 2 and "there already" in done.stderr


def test_what_is_malicious_is_not_packed(samples: Path, model: Path, tmp_path: Path) -> None:
    shutil.copy(samples / "hostile.bin", model / "pytorch_model.bin")
    done = weigh(tmp_path, "export", model, tmp_path / "m.tar")
    assert done.returncode == 1 and "pickle-import" in done.stderr
    assert not (tmp_path / "m.tar").exists()


def flip(members: Members) -> Members:
    return [(info, data[:-1] + b"!" if info.name.endswith("config.json") else data) for info, data in members]


def lack(members: Members) -> Members:
    return [one for one in members if not one[0].name.endswith("tokenizer.json")]


def more(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Callable[[Members], Members]:
    def add(members: Members) -> Members:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        return [*members, (info, b"")]

    return add


def twice(members: Members) -> Members:
    return [*members, members[-1]]


def renamed(to: str) -> Callable[[Members], Members]:
    """The manifest names a path, and there is such a member."""

    def rename(members: Members) -> Members:
        manifest = json.loads(members[0][1])
        manifest["files"][0]["path"] = to
        info = tarfile.TarInfo("files/" + to)
        return [(members[0][0], json.dumps(manifest).encode()), (info, members[1][1]), *members[2:]]

    return rename


def named(id: str) -> Callable[[Members], Members]:
    def name(members: Members) -> Members:
        manifest = json.loads(members[0][1]) | {"repository": id}
        return [(members[0][0], json.dumps(manifest).encode()), *members[1:]]

    return name


def headless(members: Members) -> Members:
    return members[1:]


def evil(members: Members) -> Members:
    """All hashes are right, and it runs code when it is loaded."""
    from hashlib import sha256

    data = b"cposix\nsystem\n(S'true'\ntR."
    manifest = json.loads(members[0][1])
    manifest["files"].append({"path": "pytorch_model.bin", "size": len(data), "sha256": sha256(data).hexdigest()})
    return [
        (members[0][0], json.dumps(manifest).encode()),
        *members[1:],
        (tarfile.TarInfo("files/pytorch_model.bin"), data),
    ]


RUINS: dict[str, Callable[[Members], Members]] = {
    "a-flipped-byte": flip,
    "a-file-missing": lack,
    "a-file-more": more("files/extra.bin"),
    "above-the-folder": more("../outside"),
    "an-absolute-path": more("/tmp/outside"),
    "a-symbolic-link": more("files/link", tarfile.SYMTYPE, "/etc/passwd"),
    "a-hard-link": more("files/hard", tarfile.LNKTYPE, "/etc/passwd"),
    "a-device": more("files/null", tarfile.CHRTYPE),
    "a-file-twice": twice,
    "named-above-the-folder": renamed("../../outside"),
    "named-absolute": renamed("/outside"),
    "named-with-a-backslash": renamed("..\\outside"),
    "a-repository-above": named("../outside"),
    "a-repository-with-a-dot": named("acme/.."),
    "no-manifest": headless,
}


def ruined(archive: Path, ruin: Callable[[Members], Members]) -> None:
    """The archive written anew."""
    with tarfile.open(archive) as tar:
        members: Members = [(info, tar.extractfile(info).read()) for info in tar]  # type: ignore[union-attr]
    with tarfile.open(archive, "w") as tar:
        for info, data in ruin(members):
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize("ruin", RUINS)
def test_of_an_altered_archive_nothing_is_taken(ruin: str, archive: Path, tmp_path: Path) -> None:
    ruined(archive, RUINS[ruin])
    there = tmp_path / "deep" / "there"
    done = weigh(tmp_path, "import", archive, "--to", there)
    assert done.returncode == 2 and done.stderr.strip() and "Traceback" not in done.stderr
    assert contents(there) == {}
    assert not [path for path in tmp_path.rglob("outside*")]


def test_right_hashes_do_not_release_what_runs_code(archive: Path, tmp_path: Path) -> None:
    ruined(archive, evil)
    done = weigh(tmp_path, "import", archive, "--to", tmp_path / "there")
    assert done.returncode == 1 and "pickle-import" in done.stderr
    assert contents(tmp_path / "there") == {}


def test_a_cut_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-300_000])
    done = weigh(tmp_path, "import", archive, "--to", tmp_path / "there")
    assert done.returncode == 2 and contents(tmp_path / "there") == {}


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    pytest.importorskip("model_signing")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    found = {}
    for name in ("ours", "theirs"):
        key = ec.generate_private_key(ec.SECP256R1())
        secret = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        public = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        found[f"{name} private"], found[f"{name} public"] = tmp_path / f"{name}.key", tmp_path / f"{name}.pub"
        found[f"{name} private"].write_bytes(key.private_bytes(*secret))
        found[f"{name} public"].write_bytes(key.public_key().public_bytes(*public))
    return found


def test_a_signature_holds_for_its_key_and_for_no_other(model: Path, keys: dict[str, Path], tmp_path: Path) -> None:
    archive = tmp_path / "m.tar"
    done = weigh(tmp_path, "export", model, archive, "--sign-key", keys["ours private"])
    assert done.returncode == 0, done.stderr
    done = weigh(tmp_path, "import", archive, "--to", tmp_path / "a", "--public-key", keys["ours public"])
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "a" / "acme" / "tiny") == contents(model)
    done = weigh(tmp_path, "import", archive, "--to", tmp_path / "b", "--public-key", keys["theirs public"])
    assert done.returncode == 2 and contents(tmp_path / "b") == {}


def test_a_signed_model_keeps_its_name(model: Path, keys: dict[str, Path], tmp_path: Path) -> None:
    archive = tmp_path / "m.tar"
    assert weigh(tmp_path, "export", model, archive, "--sign-key", keys["ours private"]).returncode == 0
    ruined(archive, named("famous/model"))
    done = weigh(tmp_path, "import", archive, "--to", tmp_path / "b", "--public-key", keys["ours public"])
    assert done.returncode == 2 and contents(tmp_path / "b") == {}


def test_a_link_out_of_the_served_folder_is_not_followed(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "acme").symlink_to(tmp_path / "out")
    done = weigh(tmp_path, "import", archive, "--to", tmp_path / "hub")
    assert done.returncode == 2 and contents(tmp_path / "out") == {}


def test_what_a_killed_import_left_is_swept_by_the_next(archive: Path, tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = tmp_path / "hub" / ".weigh" / f"import-{platform.node()}-{ended.stdout.strip()}"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"half")
    assert weigh(tmp_path, "import", archive, "--to", tmp_path / "hub").returncode == 0
    assert [path.name for path in (tmp_path / "hub").iterdir()] == ["acme"]


def test_a_folder_without_files_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "acme" / "none").mkdir(parents=True)
    done = weigh(tmp_path, "export", tmp_path / "acme" / "none", tmp_path / "m.tar")
    assert done.returncode == 2 and "no file" in done.stderr


def test_one_without_a_signature_is_refused_where_one_is_wanted(
    archive: Path, keys: dict[str, Path], tmp_path: Path
) -> None:
    done = weigh(tmp_path, "import", archive, "--to", tmp_path / "b", "--public-key", keys["ours public"])
    assert done.returncode == 2 and "not signed" in done.stderr


def test_the_manifest_comes_first(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        assert next(iter(tar)).name == MANIFEST
