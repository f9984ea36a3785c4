"""Every kind of model through the server, by the client that asks for such a thing: what its engine itself makes."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.asking import run
from tests.kinds.asked import CONTEXT, case_of, place_of
from tests.kinds.clients import CLIENTS
from tests.kinds.outcomes import of_events, same, told_of
from tests.kinds.test_run import FILES, MEDIA, marked
from tests.serve.server import serving
from tools.tiny.kinds import KINDS, STACK_KINDS, Kind
from weigh.app.run import Asked

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries and clients, about themselves
QUICK = {
    "faster-whisper",
    "gguf-chat",
    "gguf-embedding",
    "gguf-prompt",
    "gguf-vlm",
    "image-classification",
    "onnx-plain",
    "rerank",
    "stable-diffusion",
}


def settings(factory: pytest.TempPathFactory, kinds: tuple[Kind, ...]) -> str:
    """A model a kind, under its name; each is let go soon, for they are many."""
    lines = ["parallel = 1", "idle_seconds = 15", f"context_length = {CONTEXT}"]
    for kind in kinds:
        pickled = ["allow_pickle = true"] * (kind.id == "torchscript")
        lines += [f"[models.{kind.id}]", f"reference = '{place_of(factory, kind)}'", *pickled]
    assert tomllib.loads("\n".join(lines))
    return "\n".join(lines)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """One server, of those kinds alone that are asked for in this run."""
    asked = (item for item in request.session.items if item.path == Path(__file__) and hasattr(item, "callspec"))
    names = {item.callspec.params["kind"].id for item in asked}
    config = tmp_path_factory.mktemp("served") / "weigh.toml"
    config.write_text(settings(tmp_path_factory, tuple(kind for kind in KINDS if kind.id in names)))
    with serving("--config", str(config)) as found:
        yield found


@pytest.mark.parametrize("kind", marked(KINDS, QUICK))
def test_a_client_is_given_what_the_engine_makes(
    kind: Kind, address: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, job = place_of(tmp_path_factory, kind), case_of(kind).job
    ask: Callable[..., object] = CLIENTS[kind.client]
    found = ask(address, kind.id, job)
    own = of_events(run(path, job, Asked(context_length=CONTEXT, allow_pickle=True)))
    assert same(found, own) and found
    if kind.work in MEDIA:
        assert isinstance(found, bytes)
        wanted = FILES.get(kind.id) or FILES[kind.work]
        said = told_of(kind.work, found)
        assert {key: said[key] for key in wanted} == wanted
        assert (said["model"], said["engine"]) == (path.name, kind.engine)


def test_every_client_asks_for_some_kind() -> None:
    assert {kind.client for kind in (*KINDS, *STACK_KINDS)} == set(CLIENTS)
