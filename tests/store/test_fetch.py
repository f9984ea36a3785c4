"""A file from a server that fails: it is right in the end, or it is not there; and nothing that came is asked for again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.loopback import Asked, Reply
from tests.store.faults import Means, bytes_of, faulty, flip, noise, none, start_of, wanted
from weigh.core.errors import SourceError
from weigh.sources.refusals import NotFetched
from weigh.store.digest import Digest
from weigh.store.fetch import MOST_FAILURES, fetch
from weigh.store.partial import RANGE
from weigh.store.quarantine import Quarantine

CONTENT = noise(3_000_000)
NAME = "model.safetensors"
SHA256 = Digest(kind="sha256", hex=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def quarantine(tmp_path: Path) -> Quarantine:
    return Quarantine(root=str(tmp_path / "quarantine"))


@pytest.fixture
def means() -> Iterator[Means]:
    means = Means()
    yield means
    means.client.close()


def fetched(quarantine: Quarantine, digest: Digest = SHA256) -> bytes:
    return Path(quarantine.object(digest)).read_bytes()


def key_of(raised: pytest.ExceptionInfo[SourceError]) -> str:
    return raised.value.saying.key.removeprefix("error.")


def test_a_file_is_hashed_as_it_comes_and_found_by_its_hash(quarantine: Quarantine, means: Means) -> None:
    with faulty({NAME: CONTENT}, none) as server:
        known = fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT and known.sha256 == SHA256.hex
    assert bytes_of(server) == ["-"] and not Path(quarantine.part(SHA256)).exists()
    assert means.told[-1] == (NAME, len(CONTENT))


def test_a_small_file_is_held_against_gits_hash(quarantine: Quarantine, means: Means) -> None:
    git = Digest(kind="git", hex=hashlib.sha1(b"blob 2\0{}").hexdigest())
    with faulty({"config.json": b"{}"}, none) as server:
        known = fetch(wanted(server, "config.json", b"{}", git), quarantine, means.line)
    assert (known.git, known.sha256) == (git.hex, hashlib.sha256(b"{}").hexdigest())


def test_an_empty_file_costs_no_request(quarantine: Quarantine, means: Means) -> None:
    empty = Digest(kind="sha256", hex=hashlib.sha256(b"").hexdigest())
    with faulty({"empty": b""}, none) as server:
        fetch(wanted(server, "empty", b"", empty), quarantine, means.line)
    assert fetched(quarantine, empty) == b"" and server.asked == []


def test_a_connection_that_drops_once_is_taken_up_at_the_very_byte(quarantine: Quarantine, means: Means) -> None:
    def drop(reply: Reply, before: int, asked: Asked) -> Reply:
        return reply._replace(cut=1_234_567) if not before else reply

    with faulty({NAME: CONTENT}, drop) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT
    assert bytes_of(server) == ["-", "1234567-"]


def test_a_connection_that_always_drops_gets_there_as_long_as_it_brings_something(
    quarantine: Quarantine, means: Means
) -> None:
    with faulty({NAME: CONTENT}, lambda reply, before, asked: reply._replace(cut=300_000)) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT and len(bytes_of(server)) == 10


def test_a_connection_that_brings_nothing_is_given_up_and_what_came_is_kept(
    quarantine: Quarantine, means: Means
) -> None:
    def drop(reply: Reply, before: int, asked: Asked) -> Reply:
        return reply._replace(cut=1_000_000 if not before else 0)

    with faulty({NAME: CONTENT}, drop) as server, pytest.raises(NotFetched) as raised:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert key_of(raised) == "http.cut" and len(bytes_of(server)) == MOST_FAILURES
    assert Path(quarantine.part(SHA256)).read_bytes() == CONTENT[:1_000_000]
    with faulty({NAME: CONTENT}, none) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert bytes_of(server) == ["1000000-"] and fetched(quarantine) == CONTENT


def without_ranges(cut: int | None) -> Callable[[Reply, int, Asked], Reply]:
    def answer(reply: Reply, before: int, asked: Asked) -> Reply:
        return Reply(200, {"etag": '"one"'}, CONTENT, cut=cut if not before or cut == 1_000_000 else None)

    return answer


def test_a_server_that_ignores_ranges_is_read_from_the_start_and_passed_over(
    quarantine: Quarantine, means: Means
) -> None:
    with faulty({NAME: CONTENT}, without_ranges(2_000_000)) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT and bytes_of(server) == ["-", "2000000-"]


def test_a_server_that_ignores_ranges_and_always_drops_is_no_endless_loop(quarantine: Quarantine, means: Means) -> None:
    with faulty({NAME: CONTENT}, without_ranges(1_000_000)) as server, pytest.raises(NotFetched):
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert len(bytes_of(server)) == MOST_FAILURES
    assert Path(quarantine.part(SHA256)).stat().st_size == 1_000_000


def test_a_flipped_byte_costs_ranges_and_never_arrives(
    quarantine: Quarantine, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("partial", "mend"):
        monkeypatch.setattr(f"weigh.store.{module}.RANGE", 1 << 20)

    def wrong(reply: Reply, before: int, asked: Asked) -> Reply:
        return reply._replace(body=flip(reply.body, 1_500_000)) if not before else reply

    with faulty({NAME: CONTENT}, wrong) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT
    assert bytes_of(server) == ["-", "0-1048575", "1048576-2097151"]


def test_a_byte_that_is_wrong_at_the_source_is_told_and_nothing_is_kept(quarantine: Quarantine, means: Means) -> None:
    bad = flip(CONTENT, 5)
    with faulty({NAME: bad}, none) as server, pytest.raises(NotFetched) as raised:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert key_of(raised) == "store.hash" and server.sent <= 2 * len(CONTENT)
    assert [path for path in Path(quarantine.root).rglob("*") if path.is_file()] == []


def test_what_is_wrong_at_one_source_is_mended_from_another(quarantine: Quarantine, means: Means) -> None:
    bad = flip(CONTENT, 5)
    with faulty({NAME: bad}, none) as first, faulty({NAME: CONTENT}, none) as second:
        fetch(wanted(first, NAME, CONTENT, SHA256, second), quarantine, means.line)
    assert fetched(quarantine) == CONTENT and len(bytes_of(first)) == 1


def test_what_one_source_does_not_give_is_taken_from_the_next_at_the_byte_where_it_was(
    quarantine: Quarantine, means: Means
) -> None:
    def gone(reply: Reply, before: int, asked: Asked) -> Reply:
        return reply._replace(cut=1_000_000) if not before else Reply(404)

    with faulty({NAME: CONTENT}, gone) as first, faulty({NAME: CONTENT}, none) as second:
        fetch(wanted(first, NAME, CONTENT, SHA256, second), quarantine, means.line)
    assert fetched(quarantine) == CONTENT and bytes_of(second) == ["1000000-"]


LIES = {
    "http.encoded": lambda reply, asked: reply._replace(headers={**reply.headers, "content-encoding": "gzip"}),
    "http.size": lambda reply, asked: Reply(200, {}, CONTENT[:-1]),
    "http.page": lambda reply, asked: Reply(200, {"content-type": "text/html"}, b"<html>log in"),
    "http.missing": lambda reply, asked: Reply(404),
    "http.refused": lambda reply, asked: Reply(403),
}


@pytest.mark.parametrize("key", LIES)
def test_an_answer_that_is_not_the_file_is_refused(quarantine: Quarantine, means: Means, key: str) -> None:
    lie = LIES[key]
    with (
        faulty({NAME: CONTENT}, lambda reply, before, asked: lie(reply, asked)) as server,
        pytest.raises(NotFetched) as raised,
    ):
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert key_of(raised) == key and len(bytes_of(server)) == 1


@pytest.mark.parametrize(
    "said",
    [
        "bytes 0-2999999/3000000",
        "bytes 1000000-2999998/3000000",
        "bytes 1000000-2999999/3000001",
        "bytes 1000000-2999999/*",
        "items 1-2/3",
        "",
    ],
)
def test_a_range_that_was_not_asked_for_is_refused(quarantine: Quarantine, means: Means, said: str) -> None:
    def lie(reply: Reply, before: int, asked: Asked) -> Reply:
        if not before:
            return reply._replace(cut=1_000_000)
        return reply._replace(headers={**reply.headers, "content-range": said})

    with faulty({NAME: CONTENT}, lie) as server, pytest.raises(NotFetched) as raised:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert key_of(raised) in ("http.range", "http.size")
    assert Path(quarantine.part(SHA256)).read_bytes() == CONTENT[:1_000_000]


@pytest.mark.parametrize(("status", "after", "waits"), [(429, "7", 7.0), (503, "12", 12.0), (500, None, 1.0)])
def test_a_busy_server_is_waited_for_as_long_as_it_asks(
    quarantine: Quarantine, means: Means, status: int, after: str | None, waits: float
) -> None:
    busy = Reply(status, {"retry-after": after} if after else {})
    with faulty({NAME: CONTENT}, lambda reply, before, asked: reply if before else busy) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT and means.waited == [waits]


def test_a_server_that_is_always_busy_is_given_up(quarantine: Quarantine, means: Means) -> None:
    busy = Reply(429, {"retry-after": "120"})
    with faulty({NAME: CONTENT}, lambda reply, before, asked: busy) as server, pytest.raises(NotFetched) as raised:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert key_of(raised) == "http.busy" and 120 < sum(means.waited) < 1000


def test_what_it_waits_within_a_request_counts_too(quarantine: Quarantine, means: Means) -> None:
    line = means.line._replace(now=lambda: sum(means.waited), patience=60.0)
    busy = Reply(429, {"retry-after": "1"})
    with faulty({NAME: CONTENT}, lambda reply, before, asked: busy) as server, pytest.raises(NotFetched) as raised:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, line)
    assert key_of(raised) == "http.busy" and 50 < sum(means.waited) < 64


def test_a_partial_that_another_left_longer_than_the_file_is_begun_anew(quarantine: Quarantine, means: Means) -> None:
    part = Path(quarantine.part(SHA256))
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT + b"more")
    with faulty({NAME: CONTENT}, none) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT


def test_a_partial_of_other_bytes_is_mended_where_it_differs(
    quarantine: Quarantine, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("partial", "mend"):
        monkeypatch.setattr(f"weigh.store.{module}.RANGE", 1 << 20)
    part = Path(quarantine.part(SHA256))
    part.parent.mkdir(parents=True)
    part.write_bytes(flip(CONTENT[:2_500_000], 2_200_000))
    with faulty({NAME: CONTENT}, none) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT and bytes_of(server)[0] == "2500000-"


def test_what_is_fetched_already_is_not_fetched_again(quarantine: Quarantine, means: Means) -> None:
    with faulty({NAME: CONTENT}, none) as server:
        for _ in range(2):
            fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert bytes_of(server) == ["-"]


def test_bytes_that_may_come_slowly_are_asked_for_a_few_at_a_time(quarantine: Quarantine) -> None:
    means = Means(rate=1_000_000)
    with faulty({NAME: CONTENT}, none) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    means.client.close()
    assert fetched(quarantine) == CONTENT and 2.5 < max(means.waited) < 3.1


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is slow is so at once, and little is worth several connections."""
    monkeypatch.setattr("weigh.store.fetch.SLOW_AFTER", 0.05)
    monkeypatch.setattr("weigh.store.fetch.LEAST_IN_RANGES", 1 << 20)
    monkeypatch.setattr("weigh.store.ranges.STEP", 1 << 18)
    monkeypatch.setattr("weigh.store.answers.GLANCE", 0.02)


@pytest.mark.usefixtures("hasty")
def test_what_comes_slowly_by_one_connection_is_asked_for_by_several(quarantine: Quarantine, means: Means) -> None:
    with faulty({NAME: CONTENT}, lambda reply, before, asked: reply._replace(slow=0.005)) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    ranges = [one for one in bytes_of(server) if one != "-"]
    assert fetched(quarantine) == CONTENT and len(ranges) > 5
    assert sum(int(one.split("-")[1]) - int(one.split("-")[0]) + 1 for one in ranges) < len(CONTENT)


@pytest.mark.usefixtures("hasty")
def test_where_several_connections_fail_one_goes_on(quarantine: Quarantine, means: Means) -> None:
    def refuse(reply: Reply, before: int, asked: Asked) -> Reply:
        by_range = not asked.headers.get("range", "-").endswith("-")
        return Reply(404) if by_range else reply._replace(slow=0.001)

    with faulty({NAME: CONTENT}, refuse) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT and bytes_of(server)[-1].endswith("-")


@pytest.mark.usefixtures("hasty")
def test_a_server_without_ranges_is_left_to_one_connection(quarantine: Quarantine, means: Means) -> None:
    slow = Reply(200, {"accept-ranges": "none"}, CONTENT, slow=0.001)
    with faulty({NAME: CONTENT}, lambda reply, before, asked: slow) as server:
        fetch(wanted(server, NAME, CONTENT, SHA256), quarantine, means.line)
    assert fetched(quarantine) == CONTENT and bytes_of(server) == ["-"]


def test_a_token_is_not_shown_to_another_host(quarantine: Quarantine, means: Means) -> None:
    import msgspec

    from weigh.sources.request import Access, origin_of

    with faulty({NAME: CONTENT}, none) as there:
        elsewhere = there.url.replace("127.0.0.1", "localhost")

        def point(reply: Reply, before: int, asked: Asked) -> Reply:
            return Reply(302, {"location": f"{elsewhere}/org/name/resolve/main/{NAME}"})

        with faulty({NAME: CONTENT}, point) as server:
            want = wanted(server, NAME, CONTENT, SHA256)
            secret = Access(origin=origin_of(server.url), headers={"authorization": "Bearer hf_secret"})
            source = msgspec.structs.replace(want.sources[0], access=secret)
            fetch(msgspec.structs.replace(want, sources=(source,)), quarantine, means.line)
    assert server.asked[0].headers["authorization"] == "Bearer hf_secret"
    assert "authorization" not in there.asked[0].headers and fetched(quarantine) == CONTENT


def test_the_range_that_is_fetched_again_is_small() -> None:
    assert RANGE == 16 << 20 and start_of(Asked("", {"range": "bytes=5-"})) == 5
