"""How `weigh run` ends, as a process of its own: at once, with the right status, and with no child left."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.tiny import made
from tools.tiny import text
from weigh.app.offer import Offer, offered
from weigh.app.run import Asked
from weigh.cli.loading import loaded
from weigh.cli.main import weigh
from weigh.core.engine import Running

PROJECT = Path(__file__).parents[2]
# The command with an engine in a child process that does what the prompt says.
PUPPET = """
import sys
from weigh.app import offer
from weigh.app.run import Chosen
from weigh.cli.main import main
from weigh.core.engine import Launch
from weigh.engines import echo
from weigh.engines.process import start

launch = Launch(engine="puppet", path=sys.argv.pop(), works=("complete",), format="puppet")
chosen = Chosen(engine=echo.ENGINE, launch=launch)
offer.offered = lambda *given, **named: offer.Offer(
    name="puppet", nbytes=1, chosen=chosen, start=lambda: start("tests.engines.puppet", launch)
)
main()
"""


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """In a process group of its own, which is looked at in the end: nothing of it may be left."""
    paths = os.pathsep.join((str(PROJECT), *(path for path in sys.path if path)))
    process = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths, "LC_ALL": "C.UTF-8"},
        cwd=PROJECT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=60)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    for _ in range(200):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError("a child is left")


def interrupted(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_a_chat_that_waits_for_its_line_ends_with_130() -> None:
    with started("-m", "weigh", "run", "echo:") as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"one two\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"one two\n"
        status, errors = interrupted(process)
    assert status == 130 and b"Traceback" not in errors


def test_a_model_that_answers_ends_with_130() -> None:
    with started("-c", PUPPET, "run", "echo:", "wait x", "puppet") as process:
        assert process.stdout is not None
        assert process.stdout.read(1)
        status, errors = interrupted(process)
    assert status == 130 and b"Traceback" not in errors


def test_a_model_that_loads_ends_with_130() -> None:
    with started("-c", PUPPET, "run", "echo:", "x", "slow") as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text().strip():
            time.sleep(0.05)
        status, errors = interrupted(process)
    assert status == 130 and b"Traceback" not in errors


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    with started("-c", PUPPET, "run", "echo:", "wait x", "puppet") as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        process.wait(timeout=60)
        errors = process.stderr.read()
    assert b"Traceback" not in errors and b"Exception ignored" not in errors


def ran(*arguments: str) -> tuple[str, str, int]:
    result = CliRunner().invoke(weigh, ["run", *arguments, "--lang", "en"], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.stdout, result.stderr, int(result.return_value)


def test_json_is_one_object_however_it_ends() -> None:
    out, _, status = ran("echo:", "one two three", "--json")
    assert status == 0 and json.loads(out)["text"] == "one two three" and json.loads(out)["schema"] == 1
    out, _, status = ran("echo:", "one two three", "--json", "--context", "2")
    assert status == 2 and json.loads(out)["error"]["kind"] == "context_overflow"
    out, _, status = ran("/no/such/model", "x", "--json")
    assert status == 2 and "no such file" in json.loads(out)["error"]["message"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "text", text.write)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ('allowed_formats = ["onnx"]', "policy"),
        ('licences = ["apache-2.0"]', "policy"),
        ("nonsense = 1", "nonsense"),
        ("= no TOML", "policy does not hold"),
    ],
)
def test_what_a_policy_does_not_allow_is_not_run(tiny: Path, tmp_path: Path, policy: str, said: str) -> None:
    (tmp_path / "policy.toml").write_text(policy)
    out, errors, status = ran(str(tiny / "model-F32.gguf"), "weigh", "--policy", str(tmp_path / "policy.toml"))
    assert (status, out) == (2, "") and said in errors and errors.count("\n") == 1


def test_what_a_policy_allows_runs(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('allowed_formats = ["gguf"]')
    arguments = ("weigh", "--temperature", "0", "--policy", str(tmp_path / "policy.toml"))
    assert ran(str(tiny / "model-F32.gguf"), *arguments)[0] == text.TEXT + "\n"


def test_the_help_page_has_its_options_in_sections_each_once() -> None:
    page = CliRunner().invoke(weigh, ["run", "--help"]).output
    headings = ["Text:", "Pictures, sound and film:", "How it runs:", "A folder that is searched:", "Options:"]
    assert all(f"\n{heading}\n" in page for heading in headings)
    assert page.count("--policy") == page.count("--index DIR") == page.count("--json ") == 1
    assert "130 interrupted" in page


def test_a_section_names_options_that_there_are() -> None:
    from weigh.cli.run import run
    from weigh.cli.run_sections import SECTIONS

    named = [name for names in SECTIONS.values() for name in names]
    assert len(named) == len(set(named)) and set(named) <= {one.name for one in run.params}
    assert {one.name for one in run.params} - set(named) == {
        "reference",
        "input_text",
        "as_json",
        "lang",
        "offline",
        "quiet",
    }


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_is_told_that_a_model_loads(monkeypatch: pytest.MonkeyPatch, quiet: bool) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("weigh.cli.loading.PATIENCE", 0.01)
    real = offered("echo:", Asked(), lambda command: None)

    async def slowly() -> Running:
        await asyncio.sleep(0.3)
        return await real.start()

    offer = Offer(name="heavy", nbytes=1, chosen=real.chosen, start=slowly)
    asyncio.run(loaded(offer, "en", quiet=quiet))
    assert ("loading heavy" in screen.getvalue()) is not quiet
