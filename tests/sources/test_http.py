"""Headers over HTTP: few requests, few bytes, and every fault of a server one clear error."""

from __future__ import annotations

import gzip
import json
import random
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.loopback import Asked, Content, Hasty, Loopback, Reply, Sparse, ranged, serving
from weigh.app.examine import examine
from weigh.core.rule import Examined
from weigh.sources import client as clients
from weigh.sources.http import FIRST, LAST, MOST_BYTES, HttpSource
from weigh.sources.memory import MemorySource
from weigh.sources.refusals import NotFetched, Refused
from weigh.sources.request import Access, Ask, origin_of

BYTES = random.Random(7).randbytes(700_000)
TOKEN = {"authorization": "Bearer secret"}


@pytest.fixture
def client() -> Iterator[Hasty]:
    hasty = Hasty()
    yield hasty
    hasty.close()


def opened(client: Hasty, server: Loopback, *, size: int | None = None, access: Access | None = None) -> HttpSource:
    return HttpSource(client, Ask(url=f"{server.url}/m", path="m", access=access or Access()), size=size)


def error_of(client: Hasty, answer: Callable[[Asked], Reply], *, size: int | None = None) -> NotFetched:
    """What reading all of it ends with."""
    with serving(answer) as server, pytest.raises(NotFetched) as raised:
        source = opened(client, server, size=size)
        source.read(0, source.size)
    return raised.value


def key_of(client: Hasty, answer: Callable[[Asked], Reply], *, size: int | None = None) -> str:
    return error_of(client, answer, size=size).saying.key.removeprefix("error.http.")


def plainly(asked: Asked) -> Reply:
    return ranged(asked, BYTES)


def test_any_part_reads_as_it_would_from_a_file(client: Hasty) -> None:
    chance = random.Random(1)
    with serving(plainly) as server:
        source = opened(client, server)
        for _ in range(60):
            offset, length = chance.randrange(-10, len(BYTES) + 10), chance.choice([0, 1, 50, 5000, 300_000])
            assert source.read(offset, length) == (BYTES[offset : offset + length] if offset >= 0 else b"")
    assert server.sent <= len(BYTES)


def test_reading_on_asks_for_more_each_time(client: Hasty) -> None:
    with serving(lambda asked: ranged(asked, Sparse(b"", 30_000_000))) as server:
        source = opened(client, server)
        for offset in range(0, 20_000_000, 4096):
            source.read(offset, 4096)
    assert len(server.asked) <= 9
    assert server.sent < 2 * 20_000_000


def test_what_is_expected_comes_in_one_request(client: Hasty) -> None:
    with serving(lambda asked: ranged(asked, Sparse(b"", 30_000_000))) as server:
        source = opened(client, server)
        source.expect(1000, 9_000_000)
        for offset in range(1000, 9_000_000, 100_000):
            source.read(offset, 100_000)
    assert len(server.asked) == 2
    assert server.sent < 9_200_000


@pytest.mark.parametrize("seed", range(8))
def test_whatever_breaks_on_the_way_the_bytes_are_the_files(client: Hasty, seed: int) -> None:
    """Cut, busy, sparing and redirecting answers at random, never more than two of them in a row."""
    chance, left = random.Random(seed), [2]

    def moody(asked: Asked) -> Reply:
        reply = plainly(asked)
        mood = chance.choice(["well", "cut", "busy", "elsewhere"]) if left[0] else "well"
        left[0] = 2 if mood == "well" else left[0] - 1
        if mood == "cut":
            return reply._replace(cut=chance.randrange(len(reply.body) + 1))
        if mood == "elsewhere":
            return Reply(307, {"location": f"/{chance.random()}"})
        return Reply(503, {"retry-after": "1"}) if mood == "busy" else reply

    with serving(moody) as server:
        source = opened(client, server)
        for _ in range(12):
            offset, length = chance.randrange(len(BYTES)), chance.choice([1, 5000, 100_000])
            assert source.read(offset, length) == BYTES[offset : offset + length]


def test_who_jumps_often_is_given_little_at_a_time(client: Hasty) -> None:
    with serving(lambda asked: ranged(asked, Sparse(b"", 1 << 30))) as server:
        source = opened(client, server)
        for at in range(300):
            source.read(at * 3_000_000, 100)
    assert server.sent < 8 << 20


def test_a_data_set_is_sampled_and_not_fetched_to_count_its_lines(client: Hasty) -> None:
    seen, _, nbytes = weighed(client, b'{"text": "so many words"}\n' * 1_000_000)
    assert seen.header is not None and seen.header.metadata["is_estimate"] is True
    assert nbytes < 6 << 20


def test_an_archive_behind_a_pickle_is_looked_at_member_by_member(client: Hasty) -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("weights.bin", b"cposix\nsystem\n(S'id'\ntR.")
    seen, _, _ = weighed(client, b"\x80\x04N." + archive.getvalue())
    assert "posix system" in {one.value for one in seen.observations}


def test_the_proxy_that_the_environment_names_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(plainly) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        hasty = Hasty()
        assert HttpSource(hasty, Ask(url="http://models.invalid/m", path="m")).read(0, 9) == BYTES[:9]
        hasty.close()
    assert [asked.path for asked in proxy.asked] == ["http://models.invalid/m"]


def test_an_empty_file_is_empty(client: Hasty) -> None:
    with serving(lambda asked: ranged(asked, b"")) as server:
        source = opened(client, server)
        assert (source.size, source.read(0, 10)) == (0, b"")


def test_a_file_of_known_size_that_is_wanted_whole_is_asked_for_without_a_range(client: Hasty) -> None:
    with serving(lambda asked: Reply(200, {}, BYTES[:5000])) as server:
        assert opened(client, server, size=5000).read(0, 5000) == BYTES[:5000]
    assert [asked.headers.get("range") for asked in server.asked] == [None]


# Three requests, twice the header's bytes


def weighed(client: Hasty, content: Content) -> tuple[Examined, int, int]:
    """The file examined from the server; requests and bytes that took."""
    with serving(lambda asked: ranged(asked, content)) as server:
        seen = examine(opened(client, server))
    return seen, len(server.asked), server.sent


def safetensors(number: int) -> tuple[bytes, int]:
    table = {
        f"model.layers.{at}.mlp.experts.gate_up_proj.weight": {"dtype": "BF16", "shape": [1024, 1024], "data_offsets": [at << 21, (at + 1) << 21]}
        for at in range(number)
    }  # fmt: skip
    head = json.dumps(table).encode()
    return struct.pack("<Q", len(head)) + head, 8 + len(head) + (number << 21)


@pytest.mark.parametrize("number", [3, 700, 40_000])
def test_a_safetensors_header_costs_its_bytes(client: Hasty, number: int) -> None:
    head, size = safetensors(number)
    seen, requests, nbytes = weighed(client, Sparse(head, size))
    assert seen.header is not None and len(seen.header.tensors) == number and seen.problems == ()
    assert requests <= 2
    assert nbytes == max(len(head), FIRST)


def string(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def gguf(tokens: list[bytes], merges: list[bytes], figures: int, layers: int) -> tuple[bytes, int]:
    """A vocabulary in the order that converters write it: tokens, figures of four bytes, merges, then the tensors."""
    keys = [string(b"general.architecture") + struct.pack("<I", 8) + string(b"qwen2")]
    keys.append(
        string(b"tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, len(tokens)) + b"".join(map(string, tokens))
    )
    for at in range(figures):
        keys.append(string(b"tokenizer.ggml.%d" % at) + struct.pack("<IIQ", 9, 5, len(tokens)) + bytes(4 * len(tokens)))
    if merges:
        keys.append(
            string(b"tokenizer.ggml.merges") + struct.pack("<IIQ", 9, 8, len(merges)) + b"".join(map(string, merges))
        )
    keys.append(string(b"tokenizer.chat_template") + struct.pack("<I", 8) + string(b"{{ messages }}" * 300))
    rows = [
        string(b"blk.%d.ffn_up_exps.weight" % at) + struct.pack("<IQQIQ", 2, 4096, 256, 0, at << 22)
        for at in range(layers)
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(rows), len(keys)) + b"".join(keys) + b"".join(rows)
    start = -(-len(head) // 32) * 32
    return head, start + (layers << 22)


def words(number: int, shortest: int, longest: int) -> list[bytes]:
    """As in a vocabulary: the later a word, the longer, and of every length about."""
    chance = random.Random(number)
    return [b"x" * max(round((shortest + (longest - shortest) * at / number) * chance.uniform(0.4, 1.6)), 1) for at in range(number)]  # fmt: skip


VOCABULARIES = {
    "Qwen": (words(151_936, 4, 9), words(151_387, 5, 12), 1),
    "Llama 3": (words(128_256, 4, 9), words(280_147, 5, 12), 1),
    "Gemma": (words(262_144, 3, 10), [], 2),
    "Phi": (words(32_064, 3, 8), [], 2),
    "one byte each": ([b"x"] * 150_000, [], 0),
}


@pytest.mark.parametrize("name", list(VOCABULARIES))
def test_a_gguf_header_costs_about_its_bytes_whatever_its_vocabulary(client: Hasty, name: str) -> None:
    head, size = gguf(*VOCABULARIES[name], 400)
    seen, requests, nbytes = weighed(client, Sparse(head, size))
    assert seen.header is not None and len(seen.header.tensors) == 400
    assert {one.kind for one in seen.problems} <= {"left-there"}
    assert requests <= 3
    assert nbytes < 2 * len(head) + FIRST


def checkpoint(number: int, side: int) -> tuple[bytes, int]:
    """torch.save of so many square tensors, and the bytes that a reader of its header needs."""
    import torch

    file = BytesIO()
    torch.save({f"model.layers.{at}.self_attn.q_proj.weight": torch.zeros(side, side) for at in range(number)}, file)
    archive = zipfile.ZipFile(file)
    pickled = next(one.file_size for one in archive.infolist() if one.filename.endswith("data.pkl"))
    return file.getvalue(), pickled + len(file.getvalue()) - archive.start_dir


@pytest.mark.parametrize(("number", "side"), [(5, 700), (300, 64), (8000, 16)])
def test_a_pytorch_header_costs_its_pickle_and_its_directory(client: Hasty, number: int, side: int) -> None:
    content, needed = checkpoint(number, side)
    seen, requests, nbytes = weighed(client, content)
    assert seen.format == "pytorch"
    assert seen.header is not None and len(seen.header.tensors) == number
    assert [problem.kind for problem in seen.problems] == ["left-there"]
    assert "torch._utils _rebuild_tensor_v2" in {one.value for one in seen.observations}
    assert requests <= (3 if needed < FIRST + LAST else 4)  # a pickle and a directory both beyond the first look
    assert nbytes < 2 * needed + FIRST + LAST


def test_a_small_file_is_one_request(client: Hasty, samples: Path) -> None:
    data = (samples / "tiny-llama-Q4_K_M.gguf").read_bytes()[: FIRST - 1]
    seen, requests, nbytes = weighed(client, data)
    assert seen == examine(MemorySource(data, path="m"))
    assert (requests, nbytes) == (1, len(data))


def test_a_pickle_that_must_be_read_whole_is_left_there(client: Hasty) -> None:
    opcodes = b"\x80\x04" + b"\x8e" + struct.pack("<Q", 100) + bytes(100) + b"0"
    content = Sparse(opcodes + (b"\x8e" + struct.pack("<Q", 60_000) + bytes(60_000) + b"0") * 1800, 5_000_000_000)
    seen, _, nbytes = weighed(client, content)
    assert seen.format == "pickle"
    assert [problem.kind for problem in seen.problems] == ["not-fetched"]
    assert nbytes <= MOST_BYTES


# What servers do wrong


def test_a_server_without_ranges_is_told_and_sends_next_to_nothing(client: Hasty) -> None:
    body = bytes(64 << 20)
    with serving(lambda asked: Reply(200, {"etag": '"one"'}, body)) as server, pytest.raises(NotFetched) as raised:
        opened(client, server)
    assert raised.value.saying.key == "error.http.no_ranges"
    assert server.sent < 16 << 20
    assert client.traffic.nbytes == 0


FAULTS: dict[str, Callable[[Asked], Reply]] = {
    "range": lambda asked: ranged(asked, BYTES)._replace(headers={"content-range": "bytes 5-9/700000", "content-length": "5"}, body=b"12345"),
    "length": lambda asked: ranged(asked, BYTES, content_length="1000", connection="close"),
    "encoded": lambda asked: ranged(asked, gzip.compress(BYTES), content_encoding="gzip"),
    "page": lambda asked: Reply(200, {"content-type": "text/html; charset=utf-8"}, b"<html>log in</html>"),
    "missing": lambda asked: Reply(404, {}, b'{"error": "Entry not found"}'),
    "refused": lambda asked: Reply(403, {}, b"no"),
    "redirects": lambda asked: Reply(302, {"location": asked.path + "x"}),
    "redirect": lambda asked: Reply(302, {"location": "file:///etc/passwd"}),
    "status": lambda asked: Reply(418),
    "unsatisfied": lambda asked: Reply(416, {"content-range": "bytes */9"}),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_fault_of_the_server_is_named(client: Hasty, fault: str) -> None:
    assert key_of(client, FAULTS[fault]) == fault


@pytest.mark.parametrize(
    "said", ["", "bytes 0-131071", "bytes 0-131071/*", "bytes 0-9999999/700000", "bytes 9-1/700000", "items 0-1/2"]
)
def test_a_range_that_was_not_asked_for_is_refused(client: Hasty, said: str) -> None:
    assert key_of(client, lambda asked: Reply(206, {"content-range": said}, BYTES[:FIRST])) == "range"


def test_a_shorter_range_than_asked_is_read_on_from(client: Hasty) -> None:
    def sparing(asked: Asked) -> Reply:
        start, last = map(int, asked.headers["range"].removeprefix("bytes=").split("-"))
        last = min(last, start + 99_999)
        return Reply(206, {"content-range": f"bytes {start}-{last}/700000"}, BYTES[start : last + 1])

    with serving(sparing) as server:
        assert opened(client, server).read(0, 700_000) == BYTES


def test_another_size_than_the_hub_says_is_told(client: Hasty) -> None:
    assert key_of(client, plainly, size=700_001) == "size"


def test_a_file_that_changes_while_it_is_read_is_told(client: Hasty) -> None:
    tags = iter("abc")
    assert key_of(client, lambda asked: ranged(asked, BYTES, etag=f'"{next(tags)}"')) == "changed"


def test_a_server_that_stops_giving_ranges_is_told(client: Hasty) -> None:
    replies = iter([plainly, lambda asked: Reply(200, {"etag": '"one"'}, BYTES)])
    assert key_of(client, lambda asked: next(replies)(asked)) == "no_ranges"


def test_a_connection_that_is_cut_is_taken_up_where_it_broke(client: Hasty) -> None:
    cuts = iter([1000, 2000, 3000])
    with serving(lambda asked: plainly(asked)._replace(cut=next(cuts, None))) as server:
        assert opened(client, server).read(0, FIRST) == BYTES[:FIRST]
    assert [asked.headers["range"].partition("-")[0] for asked in server.asked] == ["bytes=0", "bytes=1000", "bytes=3000", "bytes=6000"]  # fmt: skip


def test_a_connection_that_is_always_cut_is_given_up(client: Hasty) -> None:
    error = error_of(client, lambda asked: plainly(asked)._replace(cut=10_000))
    assert (error.saying.key, error.saying.values["tries"], error.offset) == ("error.http.cut", 4, 30_000)


def test_nobody_listening_is_told(client: Hasty) -> None:
    with serving(plainly) as server:
        url = server.url
    with pytest.raises(NotFetched) as raised:
        HttpSource(client, Ask(url=url, path="m"))
    assert raised.value.saying.key == "error.http.cut"
    assert len(client.waited) == 3


def test_a_server_that_says_nothing_is_slow(client: Hasty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "READ_SECONDS", 0.1)
    hasty, never = Hasty(), threading.Event()
    assert key_of(hasty, lambda asked: plainly(asked)._replace(pause=never)) == "slow"
    never.set()
    hasty.close()


def test_a_body_that_trickles_is_slow(client: Hasty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(clients, "LEAST_RATE", 1 << 50)
    assert key_of(client, plainly) == "slow"


# Busy servers


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:40 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT"}, 3.0),
        ({"retry-after": "soon"}, 1.0),
        ({}, 1.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_waited_for_as_long_as_it_asks(
    client: Hasty, status: int, headers: dict[str, str], waited: float
) -> None:
    busy = iter([Reply(status, {"content-length": "0", **headers})])
    with serving(lambda asked: next(busy, None) or plainly(asked)) as server:
        assert opened(client, server).read(0, 9) == BYTES[:9]
    assert client.waited == [waited]


def test_a_server_that_asks_for_an_hour_is_not_waited_for(client: Hasty) -> None:
    error = error_of(client, lambda asked: Reply(429, {"retry-after": "3600"}))
    assert (error.saying.key, error.saying.values["seconds"], client.waited) == ("error.http.busy", 3600.0, [])


def test_a_server_that_stays_busy_is_given_up(client: Hasty) -> None:
    assert key_of(client, lambda asked: Reply(503, {"retry-after": "2"})) == "busy"
    assert client.waited == [2.0, 2.0, 2.0]


# Redirects, and who we are


def test_a_secret_goes_to_its_own_server_alone(client: Hasty) -> None:
    with (
        serving(plainly) as elsewhere,
        serving(lambda asked: Reply(302, {"location": f"{elsewhere.url}/blob?signed"})) as server,
    ):
        access = Access(origin=origin_of(server.url), headers=TOKEN)
        assert opened(client, server, access=access).read(0, 500_000) == BYTES[:500_000]
    assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer secret"]
    assert len(elsewhere.asked) == 2
    assert [name for asked in elsewhere.asked for name in asked.headers if name in ("authorization", "cookie")] == []


def test_another_port_is_another_server() -> None:
    assert origin_of("http://h:80/x") == origin_of("http://H/y") != origin_of("http://h:8080/x")
    assert origin_of("https://h") != origin_of("http://h")


def test_a_redirect_that_has_run_out_is_asked_for_anew(client: Hasty) -> None:
    used: list[str] = []

    def once(asked: Asked) -> Reply:
        if asked.path == "/m":
            return Reply(302, {"location": f"/signed/{len(used)}"})
        fresh = asked.path not in used
        used.append(asked.path)
        return plainly(asked) if fresh else Reply(403, {}, b"expired")

    with serving(once) as server:
        assert opened(client, server).read(0, 600_000) == BYTES[:600_000]


@pytest.mark.parametrize("target", ["http://a..b/x", "http://[::1/x", "http://host:99999/x", "mailto:x", "http://%00/"])
def test_a_redirect_to_what_is_no_address_is_one_error(client: Hasty, target: str) -> None:
    assert key_of(client, lambda asked: Reply(302, {"location": target})) in ("redirect", "cut")


def test_a_redirect_never_leads_from_https_to_http() -> None:
    class Downgrading:
        status, headers = 302, {"location": "http://127.0.0.1/m"}

        def chunks(self) -> Iterator[bytes]:
            return iter(())

        def close(self) -> None:
            pass

    class One:
        def get(self, url: str, headers: object) -> Downgrading:
            assert url.startswith("https:")
            return Downgrading()

        def wait(self, seconds: float) -> None:
            raise AssertionError

    with pytest.raises(NotFetched) as raised:
        HttpSource(One(), Ask(url="https://127.0.0.1/m", path="m"))
    assert raised.value.saying.key == "error.http.redirect"


@pytest.mark.parametrize(
    ("status", "code", "key"),
    [(401, "GatedRepo", "gated"), (403, "GatedRepo", "gated"), (403, "", "gated"), (401, "RepoNotFound", "unseen")],
)
def test_who_may_not_have_it_hears_what_to_do(client: Hasty, status: int, code: str, key: str) -> None:
    headers = {"x-error-code": code, "x-error-message": "Access to model org/name is restricted."}
    with serving(lambda asked: Reply(status, headers, b"<html>")) as server, pytest.raises(Refused) as raised:
        opened(client, server, access=Access(origin=origin_of(server.url), variable="HF_TOKEN"))
    assert raised.value.saying.key == f"error.http.{key}"
    assert raised.value.saying.values["variable"] == "HF_TOKEN"


def test_a_refusal_is_told_in_the_servers_own_words(client: Hasty) -> None:
    error = error_of(client, lambda asked: Reply(404, {}, b'{"error": "Entry not found: m"}'))
    assert error.saying.values["reason"] == "Entry not found: m"
