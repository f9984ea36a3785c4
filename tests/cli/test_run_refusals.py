"""What `weigh run` does not take, and says so before or instead of an answer that is not one."""

from __future__ import annotations

import asyncio
import struct
import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.loopback import Asked as Request
from tests.loopback import Reply, serving
from weigh.app import run as running_of
from weigh.app.ask import Given, job_of
from weigh.app.bench import Figure, Size, bench, beside
from weigh.app.offer import Offer, offered, refuse_unfit
from weigh.app.run import Asked, running
from weigh.cli.fetched import fetched, is_address
from weigh.cli.run_input import input_of
from weigh.core.engine import Failed, Launch
from weigh.core.errors import BadReference, EngineError, SourceError
from weigh.core.fit import Fit, Interval, Speed
from weigh.core.saying import Saying
from weigh.core.work import Complete, Embed, Piece, Vectors
from weigh.engines.child import too_short
from weigh.engines.prompts import in_the_middle

GIB = 1 << 30
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def silent(command: object, seconds: float) -> subprocess.CompletedProcess[str] | None:
    return None


def offer() -> Offer:
    return offered("echo:", Asked(), lambda command: None)


def plan(verdict: str, need: int, free: int) -> Fit:
    return msgspec.convert(
        {
            "device": "cpu", "engine": "llama.cpp", "verdict": verdict, "basis": "header", "most": need,
            "memory": {"weights": need, "kv_cache": 0, "recurrent_state": 0, "compute": 0, "output": 0, "overhead": 0,
                       "total": need},
            "devices": [{"device": "cpu", "memory": free, "budget": free}], "because": Saying("fit.no"),
        },
        Fit,
    )  # fmt: skip


def test_what_does_not_fit_is_refused_with_what_it_takes_and_what_is_free() -> None:
    with pytest.raises(EngineError, match=r"run\.does_not_fit.*need='500 GiB'.*free='8\.00 GiB'"):
        refuse_unfit(msgspec.structs.replace(offer(), plan=plan("no", 500 * GIB, 8 * GIB)))


@pytest.mark.parametrize("verdict", ["fits", "tight", "offload"])
def test_what_fits_somehow_is_let_through(verdict: str) -> None:
    refuse_unfit(msgspec.structs.replace(offer(), plan=plan(verdict, 4 * GIB, 8 * GIB)))
    refuse_unfit(offer())


def test_a_context_beyond_the_models_own_is_refused() -> None:
    found = offer()
    launch = msgspec.structs.replace(found.chosen.launch, context_length=8192)
    about = msgspec.structs.replace(found.about, longest=4096)
    chosen = msgspec.structs.replace(found.chosen, launch=launch)
    with pytest.raises(EngineError, match=r"fit\.beyond"):
        refuse_unfit(msgspec.structs.replace(found, chosen=chosen, about=about))


def test_a_network_that_is_code_of_its_own_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refusing(module: str, launch: Launch) -> object:
        raise EngineError("engine.not_loaded", path="p", engine="e", detail="The repository contains custom code which")

    monkeypatch.setattr(running_of, "start", refusing)
    found = offer().chosen
    child = msgspec.structs.replace(found, engine=msgspec.structs.replace(found.engine, reach="child"))
    with pytest.raises(EngineError, match=r"run\.remote_code"):
        asyncio.run(running(child))
    trusted = msgspec.structs.replace(child.launch, trust_remote_code=True)
    with pytest.raises(EngineError, match=r"engine\.not_loaded"):
        asyncio.run(running(msgspec.structs.replace(child, launch=trusted)))


def vocabulary(path: Path, *words: str) -> str:
    path.write_bytes(b"GGUF" + b"".join(struct.pack("<Q", len(word.encode())) + word.encode() for word in words))
    return str(path)


def test_the_middle_is_asked_for_by_the_tokens_of_the_file(tmp_path: Path) -> None:
    path = vocabulary(tmp_path / "a", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
    job = in_the_middle(Complete(prompt="def f():", suffix="return x"), path)
    assert (job.prompt, job.suffix) == ("<|fim_prefix|>def f():<|fim_suffix|>return x<|fim_middle|>", None)


def test_a_file_without_such_tokens_fills_nothing_in(tmp_path: Path) -> None:
    path = vocabulary(tmp_path / "a", "<|fim_prefix|>x", "<|fim_suffix|>", "<|fim_middle|>")
    with pytest.raises(Failed):
        in_the_middle(Complete(prompt="def f():", suffix="return x"), path)
    assert in_the_middle(Complete(prompt="def f():"), path) == Complete(prompt="def f():")


@pytest.mark.parametrize(("wanted", "is_refused"), [(None, False), (4, False), (8, False), (9, True)])
def test_more_numbers_than_a_vector_has_are_refused(wanted: int | None, is_refused: bool) -> None:
    job = Embed(pieces=(Piece(text="a"),), dimensions=wanted)
    assert (too_short(job, Vectors(dimensions=min(wanted or 8, 8), data=b"")) is not None) is is_refused


def test_a_mask_without_a_picture_is_refused() -> None:
    with pytest.raises(BadReference, match=r"run\.mask_alone"):
        job_of("image", Given(text="a cat", mask=PNG))


@pytest.mark.parametrize("name", ["nothere.png", "no/such.WAV"])
def test_a_file_that_is_not_there_is_no_text(name: str) -> None:
    with pytest.raises(SourceError, match="cannot_read"):
        input_of(name, offline=False)


@pytest.mark.parametrize("text", ["draw me cat.png", "https://host/page", "https://host/a picture.png"])
def test_words_stay_words(text: str) -> None:
    assert input_of(text, offline=True) == {"text": text}


def pictures(asked: Request) -> Reply:
    return Reply(200, {}, PNG) if asked.path == "/cat.png" else Reply(404, {}, b"")


def test_a_picture_at_an_address_is_fetched() -> None:
    with serving(pictures) as server:
        assert input_of(f"{server.url}/cat.png", offline=False) == {"image": PNG}
        with pytest.raises(SourceError):
            input_of(f"{server.url}/dog.png", offline=False)
        with pytest.raises(SourceError):
            fetched(f"{server.url}/cat.png", 5, offline=False)


def test_offline_no_address_is_opened() -> None:
    with pytest.raises(SourceError, match=r"run\.offline"):
        fetched("https://example.org/cat.png", 100, offline=True)


@pytest.mark.parametrize(
    ("text", "is_one"), [("HTTPS://host/a", True), ("ftp://host/a", False), ("http://", False), ("http://a b", False)]
)
def test_an_address_is_one_of_the_web(text: str, is_one: bool) -> None:
    assert is_address(text) is is_one


def figure(name: str, median: float) -> Figure:
    return Figure(name=name, runs=(median,), median=median, low=median, high=median)


def test_the_first_token_is_predicted_from_how_fast_prompts_are_read() -> None:
    fit = msgspec.structs.replace(
        plan("fits", 1, 2), speed=Speed(prefill=Interval(low=50.0, typical=100.0, high=200.0))
    )
    first, _ = beside((figure("first_token", 2.0), figure("prefill", 100.0)), fit)
    assert first.predicted == Interval(low=1.0, typical=2.0, high=4.0) and first.ratio == 1.0


def test_what_has_no_job_is_not_measured() -> None:
    async def measured() -> None:
        model = await offer().start()
        await bench(model, "compute", Size(), lambda: 0.0, lambda done, number: None)

    with pytest.raises(BadReference, match=r"bench\.not_measured"):
        asyncio.run(measured())
