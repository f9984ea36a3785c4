"""`weigh run EMBEDDER --index DIR`: what changed is embedded, and what was planted is found again."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tests.tiny import made
from tools.tiny import embedders, seen
from weigh.cli.main import weigh
from weigh.core.engine import Ready
from weigh.core.work import Event, Job
from weigh.engines.echo import Echo


def run(*arguments: str) -> tuple[Result, int]:
    result = CliRunner().invoke(weigh, ["run", *arguments, "--lang", "en"], standalone_mode=False)
    assert result.exception is None, result.exception
    return result, int(result.return_value)


def found(folder: Path, *arguments: str, model: str = "echo:") -> list[dict[str, object]]:
    result, status = run(model, "--index", str(folder), "--json", *arguments)
    assert status == 0, result.stderr
    results: list[dict[str, object]] = json.loads(result.stdout)["results"]
    return results


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder of every kind of text, an answer planted in each."""
    folder = tmp_path / "library"
    (folder / "deep").mkdir(parents=True)
    (folder / "notes.txt").write_text("Nothing here.\n\nThe zebra eats at noon.\n", "utf-8")
    (folder / "deep" / "说明.md").write_text("# 其他\n\n别的内容。\n\n## 秤\n\n过秤之前先看模型的格式。\n", "utf-8")
    (folder / "page.html").write_text(
        "<title>Page</title><script>var giraffe = 1</script>\n<p>A <b>walrus</b> &amp; its tusk</p>", "utf-8"
    )
    (folder / "rows.jsonl").write_text('{"a": "none"}\n{"b": ["an", {"c": "okapi"}]}\nno JSON: tapir\n', "utf-8")
    (folder / "table.csv").write_text('name,weight\ncat,3\n"big\npangolin",30\n', "utf-8")
    (folder / "gbk.txt").write_bytes("这是国标编码的貔貅".encode("gb18030"))
    return folder


@pytest.mark.parametrize(
    ("question", "file", "lines", "offset"),
    [
        ("where is the zebra", "notes.txt", [1, 3], 0),
        ("过秤之前看什么", "deep/说明.md", [5, 7], 27),
        ("walrus tusk", "page.html", [1, 2], 7),
        ("okapi", "rows.jsonl", [2, 2], 14),
        ("tapir", "rows.jsonl", [3, 3], 44),
        ("weight of the pangolin", "table.csv", [3, 4], 18),
        ("貔貅", "gbk.txt", [1, 1], 0),
    ],
)
def test_what_was_planted_is_found_with_its_place(
    library: Path, question: str, file: str, lines: list[int], offset: int
) -> None:
    first = found(library, "--query", question)[0]
    assert (first["file"], first["lines"], first["offset"]) == (file, lines, offset)


def test_what_scripts_say_is_not_indexed(library: Path) -> None:
    assert not any("giraffe" in str(one["text"]) for one in found(library, "--query", "giraffe", "--top", "50"))


def test_a_refresh_embeds_only_what_changed(library: Path) -> None:
    def counts() -> dict[str, int]:
        result, _ = run("echo:", "--index", str(library), "--json")
        changed: dict[str, int] = json.loads(result.stdout)["index"]["changed"]
        return changed

    first = counts()
    assert first["new"] == 6 and first["embedded"] == 10
    assert counts() == {"new": 0, "changed": 0, "gone": 0, "embedded": 0}
    (library / "notes.txt").write_text("A lynx.\n", "utf-8")
    (library / "page.html").unlink()
    os.rename(library / "table.csv", library / "moved.csv")
    assert counts() == {"new": 1, "changed": 1, "gone": 2, "embedded": 1}
    assert found(library, "--query", "zebra")[0]["ranks"] != {"words": 1, "vectors": 1, "rerank": None}
    assert found(library, "--query", "lynx")[0]["file"] == "notes.txt"
    assert found(library, "--query", "pangolin")[0]["file"] == "moved.csv"


class _Stops(Echo):
    """Dies in the middle."""

    left = 3

    async def run(self, job: Job) -> Iterator[Event]:  # type: ignore[override]
        type(self).left -= 1
        if type(self).left < 0:
            raise KeyboardInterrupt
        async for event in super().run(job):
            yield event


def test_interrupted_indexing_loses_nothing(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import weigh.engines.echo as echo

    with monkeypatch.context() as patch:
        patch.setattr(echo, "connect", lambda launch: _Stops(launch))
        result = CliRunner().invoke(weigh, ["run", "echo:", "--index", str(library)], standalone_mode=False)
        assert isinstance(result.exception, click.Abort)
    kept = sqlite3.connect(library / ".weigh-index.sqlite").execute("SELECT count(*) FROM vectors").fetchone()[0]
    assert kept >= 3
    result, _ = run("echo:", "--index", str(library), "--json")
    index = json.loads(result.stdout)["index"]
    assert index["changed"]["embedded"] == 10 - kept and index["counts"]["files"] == 6


def test_another_embedder_is_refused(library: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    run("echo:", "--index", str(library))
    tiny = made(tmp_path_factory, "embedders", embedders.write) / "embedder"
    result, status = run(str(tiny), "--index", str(library))
    assert status == 2 and "made by echo" in result.stderr and result.stderr.count("\n") == 1
    _, status = run(str(tiny), "--index", str(library), "--index-file", str(tmp_path / "other.sqlite"))
    assert status == 0


def test_a_model_ranks_what_an_embedder_found(library: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    tiny = made(tmp_path_factory, "embedders", embedders.write)
    (library / "cats.txt").write_text("the cat sat on the mat", "utf-8")
    (library / "dogs.txt").write_text("a dog ran", "utf-8")
    asked = ("--query", "cat mat", "--rerank", str(tiny / "reranker"), "--top", "50")
    ranked = found(library, *asked, model=str(tiny / "embedder"))
    scores = [one["ranks"]["rerank"] for one in ranked]  # type: ignore[index]
    assert len(scores) == 12 and scores == sorted(scores, reverse=True)
    plain = found(library, "--query", "cat mat", model=str(tiny / "embedder"))
    assert plain[0]["file"] == "cats.txt" and plain[0]["ranks"]["words"] == 1  # type: ignore[index]


def test_pictures_are_found_by_a_picture(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    from PIL import Image

    clip = str(made(tmp_path_factory, "seen", seen.write) / "clip")
    for name, colour in (("red", "red"), ("green", "green"), ("blue", "blue")):
        Image.new("RGB", (32, 32), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot at all")
    (tmp_path / "red.txt").write_text("a red thing", "utf-8")
    Image.new("RGB", (32, 32), "green").save(tmp_path / "asked.bmp")
    hits = found(tmp_path, "--query", str(tmp_path / "asked.bmp"), "--top", "50", model=clip)
    pictures = [one["file"] for one in hits if one["kind"] == "image"]
    assert set(pictures[:2]) == {"asked.bmp", "green.png"} and len(pictures) == 4
    words = found(tmp_path, "--query", "red", "--top", "50", model=clip)
    assert {"red.png", "red.txt"} <= {one["file"] for one in words}
    result, _ = run(clip, "--index", str(tmp_path), "--json")
    assert json.loads(result.stdout)["index"]["skipped"] == [{"file": "broken.png", "reason": "not_seen"}]


@pytest.mark.parametrize(
    "name",
    ["a\nb.txt", "\x1b[31mred.txt", "'; DROP TABLE files; --.txt", "\u202egnp.txt", "-x", "%s{0}.md"],
    ids=["newline", "escape", "sql", "right-to-left", "option", "holes"],
)
def test_a_hostile_name_is_a_name_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("an axolotl", "utf-8")
    assert found(tmp_path, "--query", "axolotl")[0]["file"] == name
    result, _ = run("echo:", "--index", str(tmp_path), "--query", "axolotl")
    assert result.stdout.count("\n") == 2 and "\x1b" not in result.stdout and "\u202e" not in result.stdout


def test_a_name_that_is_no_utf_8_is_shown_as_such(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"\xff.txt"), "wb") as file:
        file.write(b"an axolotl")
    assert found(tmp_path, "--query", "axolotl")[0]["file"] == "\\xff.txt"


HOSTILE = {
    "zeros": b"\0" * 5000,
    "one-line": b"<" * 300_000,
    "comments": b"<!--" * 100_000,
    "scripts": b"<script>" * 50_000,
    "surrogates": b"\xed\xa0\x80 \xff\xfe\xfd odd",
    "deep.jsonl": b"[" * 100_000 + b"\n" + b'{"a":' * 50_000,
    "wide.csv": b'a,b\n"' + b"x" * 300_000,
    "escape": b"\x1b]0;title\x07 \x1b[2J said",
}


@pytest.mark.parametrize("ruin", HOSTILE)
def test_a_hostile_content_ends_nothing(tmp_path: Path, ruin: str) -> None:
    name = ruin if "." in ruin else f"{ruin}.html"
    (tmp_path / name).write_bytes(HOSTILE[ruin])
    (tmp_path / "good.txt").write_text("an axolotl", "utf-8")
    assert found(tmp_path, "--query", "axolotl")[0]["file"] == "good.txt"
    result, _ = run("echo:", "--index", str(tmp_path), "--query", "said")
    assert "\x1b" not in result.stdout


def test_links_and_what_is_no_file_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("an axolotl", "utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.txt")
    assert found(folder, "--query", "axolotl") == []


def test_what_is_no_index_is_not_written_to(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    (tmp_path / "text").write_text("plain")
    (tmp_path / "link").symlink_to(tmp_path / "absent")
    for file, said in (("other.sqlite", "no index of weigh"), ("text", "cannot be read"), ("link", "is a link")):
        before = (tmp_path / file).read_bytes() if file != "link" else b""
        result, status = run("echo:", "--index", str(tmp_path), "--index-file", str(tmp_path / file))
        assert status == 2 and said in result.stderr and result.stderr.count("\n") == 1
        assert file == "link" or (tmp_path / file).read_bytes() == before
    assert not (tmp_path / "absent").exists()


def test_a_planted_trigger_makes_an_index_another_s(library: Path) -> None:
    run("echo:", "--index", str(library))
    with sqlite3.connect(library / ".weigh-index.sqlite") as connection:
        connection.execute("CREATE TRIGGER words_data2 AFTER INSERT ON files BEGIN DELETE FROM files; END")
    connection.close()
    result, status = run("echo:", "--index", str(library))
    assert status == 2 and "no index of weigh" in result.stderr


@pytest.mark.parametrize("question", ["zebra noon", "过秤", "walrus", "okapi", '" OR 1 *', "NEAR("])
def test_without_fts5_the_words_find_the_same(library: Path, monkeypatch: pytest.MonkeyPatch, question: str) -> None:
    fast = found(library, "--query", question)
    (library / ".weigh-index.sqlite").unlink()
    monkeypatch.setattr("weigh.store.passages.has_fts5", lambda connection: False)
    assert [one["file"] for one in found(library, "--query", question)] == [one["file"] for one in fast]


def test_without_numpy_the_vectors_find_the_same(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = found(library, "--query", "zebra")
    monkeypatch.setattr("weigh.codecs.vectors._numpy", lambda: None)
    assert [(one["file"], one["ranks"]) for one in found(library, "--query", "zebra")] == [
        (one["file"], one["ranks"]) for one in fast
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--query", "x"), "--index DIR"),
        (("--index", "/no/such/folder"), "no such folder"),
        (("--index", ".", "--rerank", "echo:"), "--query TEXT"),
        (("--index", ".", "--query", "x", "--rerank", "echo:"), "does not rerank"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    os.chdir(tmp_path)
    result, status = run("echo:", *arguments)
    assert status == 2 and said in result.stderr and result.stderr.count("\n") == 1


def test_a_model_s_context_bounds_its_passages(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import weigh.engines.echo as echo

    class Short(Echo):
        ready = Ready(works=("embed",), context_length=40)

        def __init__(self, launch: object) -> None:
            pass

    monkeypatch.setattr(echo, "connect", lambda launch: Short(launch))
    (library / "long.txt").write_text("one two three. " * 100 + "这里有一只貔貅。" * 50, "utf-8")
    cut = [one for one in found(library, "--query", "three 貔貅", "--top", "50") if one["file"] == "long.txt"]
    assert len(cut) > 10 and all(len(str(one["text"])) <= 120 for one in cut)
