"""A sync: what each source says, how the table stands to it, and that a source which fails leaves nothing behind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.hubs.server import as_json
from tests.loopback import Asked, Hasty, Loopback, Reply, Sparse, serving
from tests.publishers import HF, LITELLM, MODELS_DEV, ms_swift_at, publishers, xinference_at
from weigh.app.network import Network
from weigh.app.sync.comparison import changes
from weigh.app.sync.inquiry import Inquiry, Installed
from weigh.app.sync.keep import read_kept, write_kept
from weigh.app.sync.look import heard_of, look
from weigh.app.sync.run import PUBLISHERS, Outcome, sync
from weigh.core.errors import BadReference, SourceError, TableError
from weigh.hubs.hub import Site
from weigh.knowledge.catalog import families
from weigh.knowledge.synced import FORM, Heard, Synced, Told, clean_day, clean_id, clean_text, clean_tokens
from weigh.sources.client import Answer

FAR = ["hf", "ms", "models.dev", "litellm"]


def run(
    answer: Callable[[Asked], Reply],
    *wanted: str,
    installed: Mapping[str, Installed] | None = None,
    before: Synced | None = None,
    client: Hasty | None = None,
) -> Outcome:
    with serving(answer) as server, closing(client or Hasty()) as asking:
        return sync(inquiry(server, asking, installed or {}), wanted, before)


def inquiry(server: Loopback, client: Hasty, installed: Mapping[str, Installed]) -> Inquiry:
    sites = {"hf": Site(endpoint=server.url, token="hf_abc"), "ms": Site(endpoint=server.url)}
    addresses = {"models.dev": server.url, "litellm": f"{server.url}/litellm.json"}
    network = Network(client=client, sites=sites)
    return Inquiry(day="2026-11-25", network=network, addresses=addresses, installed=installed)


def rows(outcome: Outcome, source: str) -> dict[str, Told]:
    (heard,) = (heard for heard in outcome.heard if heard.source == source)
    return {row.id: row for row in heard.models}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("installed")
    here = {
        "xinference": Installed("4.1.0", xinference_at(folder / "xinference")),
        "ms-swift": Installed("4.6.0", ms_swift_at(folder / "swift")),
    }
    return run(publishers(), installed=here)


def test_every_source_is_heard(whole: Outcome) -> None:
    assert [source.source for source in whole.heard] == [one.id for one in PUBLISHERS]
    assert (whole.failures, whole.absent, sum(source.ill for source in whole.heard)) == ((), (), 0)


def test_a_hub_says_when_and_under_which_licence(whole: Outcome) -> None:
    told = rows(whole, "hf")["Qwen/Qwen3-8B"]
    assert (told.family, told.vendor, told.own) == ("qwen3", "alibaba", True)
    assert (told.released, told.licence, told.kind) == ("2025-04-27", "mit", "text-generation")
    other = rows(whole, "ms")["Qwen/Zither-1-9B"]
    assert (other.family, other.name, other.licence) == (None, "琴 1", "Apache License 2.0")


def test_what_is_offered_is_said_by_provider(whole: Outcome) -> None:
    told = rows(whole, "models.dev")
    assert sorted(told) == ["alibaba/qwen3-32b", "alibaba/zither-1"]
    assert told["alibaba/qwen3-32b"].context_length == 65536 and told["alibaba/zither-1"].weights == "closed"


def test_the_price_map_is_read_without_its_sample_and_aliases(whole: Outcome) -> None:
    told = rows(whole, "litellm")
    assert {id: row.context_length for id, row in told.items()} == {
        "alibaba/zither-1": 1000000,
        "dashscope/qwen3-32b": 131072,
    }


def test_registries_are_read_and_nothing_in_them_is_run(whole: Outcome) -> None:
    told = rows(whole, "xinference")["qwen3"]
    assert (told.family, told.sizes, told.ms) == ("qwen3", ("0.6B", "77B-A7B"), ("Qwen/Qwen3-0.6B",))
    assert sorted(rows(whole, "ms-swift")) == ["Qwen/Only-There", "Qwen/Qwen3-8B", "iic/Zither-1-9B"]


def test_every_source_that_disagrees_is_named_beside_the_table(whole: Outcome) -> None:
    found = {row.field: (row.ours, dict(row.theirs)) for row in whole.disagreements if row.family == "qwen3"}
    assert found["licence"] == (families()["qwen3"].licences, {"hf": ("mit",)})
    assert found["released"][1] == {"hf": ("2025-04-27",), "models.dev": ("2024-04",)}
    assert found["context"][1]["models.dev"] == ("65536",) and found["context"][1]["xinference"] == ("40960",)
    assert "77B-A7B" in found["sizes"][1]["xinference"]
    assert "Qwen/Qwen3-0.6B" in found["hf"][0] and found["hf"][1] == {"hf": ()}


def test_the_first_time_what_the_table_lacks_is_new(whole: Outcome) -> None:
    new = {(change.source, change.id) for change in whole.changes}
    assert {("hf", "Qwen/Zither-1-9B"), ("models.dev", "alibaba/zither-1")} <= new
    assert ("hf", "Qwen/Qwen3-8B") not in new


def heard(*models: Told, whole: bool = True) -> Heard:
    return Heard(source="hf", day="2026-11-25", place="x", models=models, whole=whole)


def test_later_what_is_not_as_before_is_told() -> None:
    before = heard(Told(id="a/gone"), Told(id="a/same", licence="mit"))
    now = heard(Told(id="a/new"), Told(id="a/same", licence="apache-2.0"))
    told = {(change.what, change.id, change.before, change.after) for change in changes(before, now)}
    assert told == {
        ("gone", "a/gone", None, None),
        ("new", "a/new", None, None),
        ("changed", "a/same", "mit", "apache-2.0"),
    }


def test_what_was_not_listed_to_the_end_is_not_gone() -> None:
    assert changes(heard(Told(id="a/b"), whole=False), heard()) == ()


# --- faults -----------------------------------------------------------------------------------------------------

FAULTS: Mapping[str, Reply] = {
    "401": as_json({"error": "Invalid credentials"}, 401),
    "403": as_json({"error": "no"}, 403),
    "429": Reply(429, {"retry-after": "120"}),
    "500": Reply(500),
    "a-body-cut-off": Reply(200, {}, json.dumps(LITELLM).encode(), cut=40),
    "a-web-page": Reply(200, {"content-type": "text/html"}, b"<!doctype html><title>log in</title>"),
    "no-json": Reply(200, {}, b'{"a": '),
    "another-type": as_json("a string"),
    "a-number": as_json(7),
    "deep": Reply(200, {}, b"[" * 200_000),
    "not-utf-8": Reply(200, {}, b'{"\xff": {}}'),
    "a-body-of-20-MiB": Reply(200, {}, Sparse(b"[", 20 << 20)[0 : 20 << 20]),
    "a-redirect-in-a-circle": Reply(302, {"location": "/api.json"}),
}


@pytest.mark.parametrize("source", FAR)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_source_that_fails_is_said_to_and_leaves_nothing(source: str, fault: str) -> None:
    outcome = run(lambda asked: FAULTS[fault], source)
    assert (outcome.heard, outcome.synced.sources) == ((), ())
    assert [id for id, _ in outcome.failures] == [source]


@pytest.mark.parametrize("source", ["models.dev", "litellm"])
def test_a_list_that_is_not_there_is_a_failure(source: str) -> None:
    assert [id for id, _ in run(lambda asked: Reply(404), source).failures] == [source]


def test_an_organisation_that_is_not_there_is_passed_over() -> None:
    answer = publishers()
    outcome = run(lambda asked: Reply(404) if "author=google" in asked.path else answer(asked), "hf")
    assert outcome.failures == () and "Qwen/Qwen3-8B" in rows(outcome, "hf")


def test_a_busy_server_is_waited_for_as_long_as_it_asks() -> None:
    answer, client, refused = publishers(), Hasty(), list[str]()

    def busy(asked: Asked) -> Reply:
        if not refused:
            refused.append(asked.path)
            return Reply(429, {"retry-after": "7"})
        return answer(asked)

    assert run(busy, "models.dev", client=client).failures == ()
    assert client.waited == [7.0]


class Sluggish(Hasty):
    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        raise TimeoutError("ReadTimeout")


def test_a_server_that_never_answers_is_given_up() -> None:
    outcome = run(publishers(), "models.dev", client=Sluggish())
    assert outcome.failures[0][1].message.key == "error.http.slow"


def test_a_source_that_fails_keeps_what_it_said_before(whole: Outcome) -> None:
    answer = publishers()
    outcome = run(
        lambda asked: Reply(500) if asked.path == "/api.json" else answer(asked),
        "models.dev",
        "litellm",
        before=whole.synced,
    )
    assert [source.source for source in outcome.heard] == ["litellm"]
    kept = {source.source: source for source in outcome.synced.sources}
    assert kept["models.dev"] == {source.source: source for source in whole.synced.sources}["models.dev"]


ILL: Mapping[str, object] = {
    "no-id": {"tags": []},
    "id-of-a-number": {"id": 7},
    "tags-of-words": {"id": "Qwen/a", "tags": "license:mit"},
    "date-of-a-number": {"id": "Qwen/a", "createdAt": 3},
    "a-list": [],
    "null": None,
}


@pytest.mark.parametrize("ruin", ILL)
def test_a_row_of_a_wrong_shape_costs_no_other(ruin: str) -> None:
    outcome = run(publishers(hf={"Qwen": [ILL[ruin], *HF["Qwen"]]}), "hf")
    assert len(rows(outcome, "hf")) == 2 and outcome.heard[0].ill == 1


def test_an_id_that_is_there_twice_counts_once() -> None:
    outcome = run(publishers(hf={"Qwen": [*HF["Qwen"], {"id": "Qwen/Qwen3-8B", "tags": ["license:gpl-3.0"]}]}), "hf")
    assert rows(outcome, "hf")["Qwen/Qwen3-8B"].licence == "mit" and len(rows(outcome, "hf")) == 2


def test_what_no_hub_would_call_so_or_is_of_another_organisation_is_left_out() -> None:
    ids = ["Qwen/a\x1b[2J", "Qwen/" + "a" * 300, "../etc/passwd", "Other/model", "Qwen/名"]
    outcome = run(publishers(hf={"Qwen": [{"id": id} for id in ids]}), "hf")
    assert outcome.heard[0].models == ()


def test_names_dates_and_figures_of_others_are_cleaned() -> None:
    assert clean_text("a\x1b[31mb\u202ec\u200bd\n") == "a[31mbcd" and clean_text("\x00") is None
    assert clean_text("a" * 9999) == "a" * 200
    assert clean_id("a b") is None and clean_id("a" * 201) is None and clean_id("openai/gpt-4o") == "openai/gpt-4o"
    assert (clean_day("2026-11-24T00:00:00Z"), clean_day("2026-11"), clean_day("1993-02-30x")) == (
        "2026-11-24",
        "2026-11",
        "1993-02-30",
    )
    assert (clean_day("0000-00-00"), clean_day("soon"), clean_day("2026-13")) == (None, None, None)
    assert (clean_tokens(1e300), clean_tokens(-1), clean_tokens(0), clean_tokens(float("nan"))) == (None,) * 4


def test_figures_that_cannot_be_are_nobodys() -> None:
    table = {"alibaba/x": {"litellm_provider": "alibaba", "max_input_tokens": "9" * 400}}
    assert rows(run(publishers(litellm=table), "litellm"), "litellm")["alibaba/x"].context_length is None


def test_the_next_page_is_asked_of_the_same_server_and_a_circle_ends() -> None:
    def answer(asked: Asked) -> Reply:
        if "author=Qwen" not in asked.path:
            return as_json([])
        return as_json(HF["Qwen"], link='<https://elsewhere.example/api/models?author=Qwen&cursor=1>; rel="next"')

    outcome = run(answer, "hf")
    assert outcome.failures == () and not outcome.heard[0].whole


def test_the_token_goes_to_its_hub_alone() -> None:
    with serving(publishers()) as server, closing(Hasty()) as client:
        sync(inquiry(server, client, {}), ("hf", "models.dev"), None)
        sent = {asked.headers.get("authorization") for asked in server.asked if asked.path.startswith("/api/models?")}
        others = {asked.headers.get("authorization") for asked in server.asked if asked.path == "/api.json"}
    assert (sent, others) == ({"Bearer hf_abc"}, {None})


# --- packages ---------------------------------------------------------------------------------------------------


def test_a_package_that_is_not_here_is_no_failure_unless_asked_for() -> None:
    assert sync(Inquiry(day="2026-11-25"), (), None).absent == ("xinference", "ms-swift")
    (failure,) = sync(Inquiry(day="2026-11-25"), ("xinference",), None).failures
    assert failure[1].message.key == "error.sync.not_installed"


def test_without_a_network_the_far_ones_say_so() -> None:
    outcome = sync(Inquiry(day="2026-11-25"), (), None)
    assert [(id, failure.message.key) for id, failure in outcome.failures] == [(id, "error.sync.offline") for id in FAR]


@pytest.mark.parametrize("text", ["(" * 100_000, "\x00", "def", "x = " + "-" * 100_000 + "1", "\xff"])
def test_a_registry_that_is_no_python_is_a_failure(tmp_path: Path, text: str) -> None:
    folder = ms_swift_at(tmp_path)
    (tmp_path / "model" / "models" / "qwen.py").write_bytes(text.encode("latin-1"))
    outcome = sync(Inquiry(day="2026-11-25", installed={"ms-swift": Installed("9", folder)}), ("ms-swift",), None)
    assert [id for id, _ in outcome.failures] == ["ms-swift"]


@pytest.mark.parametrize("text", ["{}", "[", '"a"', "[" * 100_000])
def test_a_registry_that_is_no_list_is_a_failure(tmp_path: Path, text: str) -> None:
    folder = xinference_at(tmp_path)
    (tmp_path / "model" / "llm" / "models" / "qwen3.json").write_text(text)
    outcome = sync(Inquiry(day="2026-11-25", installed={"xinference": Installed("9", folder)}), ("xinference",), None)
    assert [id for id, _ in outcome.failures] == ["xinference"]


def test_a_source_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BadReference):
        sync(Inquiry(day="2026-11-25"), ("nobody",), None)


# --- the kept file ----------------------------------------------------------------------------------------------


def test_what_is_kept_is_read_again(tmp_path: Path, whole: Outcome) -> None:
    path = str(tmp_path / "new" / "catalog.json")
    assert read_kept(path) is None
    write_kept(path, whole.synced)
    assert read_kept(path) == whole.synced


def test_a_disk_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, whole: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalog.json"
    path.write_bytes(b"as it was")

    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SourceError):
        write_kept(str(path), whole.synced)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("catalog.json", b"as it was")]


@pytest.mark.parametrize("text", [b"", b"{}", b'{"form":2,"sources":[]}', b"[" * 100_000, b"\xff", b"<html>"])
def test_a_kept_file_of_another_form_is_not_believed(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "catalog.json"
    path.write_bytes(text)
    with pytest.raises(TableError):
        read_kept(str(path))


def test_what_the_table_lacks_is_found_with_who_says_so(whole: Outcome) -> None:
    (met, *_) = look("zither", whole.synced, known=False)
    assert {source for one in look("zither", whole.synced, known=False) for source, _ in one.heard} == {
        "hf",
        "ms",
        "models.dev",
        "litellm",
        "ms-swift",
    }
    assert met.heard[0][1] == "2026-11-25"


def test_where_the_table_answers_its_own_families_are_not_repeated(whole: Outcome) -> None:
    assert [one.id for one in look("qwen3", whole.synced, known=True)] == []
    assert look("zork-13b", whole.synced, known=False) == ()


def test_an_entry_is_shown_with_what_others_say_of_it(whole: Outcome) -> None:
    assert {row.field for row in heard_of(families()["qwen3"], whole.synced)} >= {"licence", "context"}
    assert heard_of(families()["gpt-4o"], Synced(form=FORM, sources=())) == ()


def test_a_providers_list_may_lack_everything() -> None:
    outcome = run(publishers(models_dev={"x": {"id": "x", "name": "X"}, "y": [], **MODELS_DEV}), "models.dev")
    assert outcome.heard[0].ill == 1 and len(outcome.heard[0].models) == 2
