"""A file on a server as a Source: ranges of it, read ahead, within a budget."""

from __future__ import annotations

import re
from operator import itemgetter
from types import TracebackType

import msgspec

from weigh.sources.client import Answer, Client
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Ask, ask, try_again

FIRST = 64 << 10  # bytes of the first request, and after a jump
LAST = 128 << 10  # of the one for a file's end, where archives keep their directory
BEHIND = 4 << 10  # before where a jump leads
MOST_AHEAD = 8 << 20
MOST_BYTES = 64 << 20  # of one file
MOST_REQUESTS = 512  # for one file
MANY_JUMPS, AFTER_MANY = 4, 16 << 10  # whoever jumps often wants little at a time
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_NO_RANGE = re.compile(r"bytes \*/(\d{1,18})")
_GONE = frozenset({"error.http.refused", "error.http.gated", "error.http.missing", "error.http.status"})


class HttpSource:
    """The file asked for, read by ranges of it. A context manager.

    What was fetched is kept until `close`. Reading on doubles what is fetched at once, so that never more than twice
    the bytes wanted are; a jump begins anew. A file that changes in between, a server without ranges and a range
    that was not asked for are NotFetched, and so is what lies beyond MOST_BYTES or MOST_REQUESTS.
    """

    def __init__(self, client: Client, what: Ask, *, size: int | None = None, keep: bool = False) -> None:
        """Without a `size` the first bytes are fetched to learn it; `keep` holds them beyond `close`.

        Raises NotFetched.
        """
        self.path = what.path
        self.size = size if size is not None else FIRST
        self._client = client
        self._what = what
        self._at = what.url
        self._sure = size is not None
        self._version: str | None = None
        self._pieces: list[tuple[int, bytearray]] = []
        self._expected = (0, 0)
        self._ahead = FIRST // 2
        self._jumps = 0
        self.fetched = self._requests = 0
        self._keep = keep
        if size is None:
            self._fetch(0, FIRST)
            self._ahead = FIRST

    @property
    def distant(self) -> HttpSource:
        """It is far away itself."""
        return self

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, fewer than `length` only at the end. Raises NotFetched."""
        stop = min(offset + length, self.size)
        if offset < 0 or stop <= offset:
            return b""
        while (gap := self._gap(offset, stop)) is not None:
            self._fetch(*self._widened(*gap))
        parts = [data[max(offset - start, 0) : stop - start] for start, data in self._pieces if start < stop]
        return b"".join(parts)

    def at_hand(self, offset: int) -> int:
        """How many bytes from `offset` on are here already."""
        gap = self._gap(offset, self.size) if offset < self.size else None
        return (self.size if gap is None else gap[0]) - offset

    def expect(self, offset: int, length: int) -> None:
        """About so many bytes from `offset` on will be read next: one request may bring them all."""
        self._expected = (offset, min(offset + length, self.size))

    def close(self) -> None:
        """Forget what was fetched."""
        if not self._keep:
            self._pieces = []

    def __enter__(self) -> HttpSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _gap(self, offset: int, stop: int) -> tuple[int, int] | None:
        """The first stretch between these that is not here."""
        for start, data in self._pieces:
            if start > offset:
                return (offset, min(start, stop)) if offset < stop else None
            offset = max(offset, start + len(data))
        return (offset, stop) if offset < stop else None

    def _widened(self, start: int, stop: int) -> tuple[int, int]:
        """The gap and what will likely be wanted next, up to what is here and to the budget."""
        before = max((at + len(data) for at, data in self._pieces if at <= start), default=0)
        after = min((at for at, _ in self._pieces if at >= stop), default=self.size)
        if self._expected[0] <= start < self._expected[1]:
            wanted = max(self._expected[1] - start, 0)
            self._ahead = max(wanted // 8, FIRST)
        else:
            self._ahead = wanted = min(2 * self._ahead, MOST_AHEAD) if before == start else self._after_a_jump()
        room = max(MOST_BYTES - self.fetched, 0)
        end = max(stop, min(start + min(wanted, room), after))
        earlier = max(before, min(start - BEHIND, stop - LAST if stop == self.size else stop))
        return (earlier if before < start and end - earlier <= room else start), end

    def _after_a_jump(self) -> int:
        self._jumps += 1
        return FIRST if self._jumps <= MANY_JUMPS else AFTER_MANY

    def _fetch(self, start: int, stop: int) -> None:
        """Bring these bytes; a connection that breaks is taken up where it broke, a bounded number of times."""
        got = bytearray()
        tries = 0
        while start + len(got) < min(stop, self.size):
            at = start + len(got)
            try:
                self._ask(at, min(stop, self.size), got)
            except (ConnectionError, TimeoutError) as error:
                tries += 1
                try_again(self._client, error, tries, path=self.path, offset=at or None)
        if got:
            self._pieces = sorted([*self._pieces, (start, got)], key=itemgetter(0))

    def _ask(self, start: int, stop: int, into: bytearray) -> None:
        """One request for these bytes, held against what was asked; the whole file is asked for without a range."""
        if self._requests == MOST_REQUESTS or self.fetched + stop - start > MOST_BYTES:
            raise NotFetched("http.budget", path=self.path, offset=start, most=MOST_BYTES, requests=MOST_REQUESTS)
        self._requests += 1
        whole = self._sure and start == 0 and stop == self.size
        answer = self._answer({} if whole else {"range": f"bytes={start}-{stop - 1}"})
        try:
            self._receive(answer, self._held_against(answer, start, stop, whole=whole), into)
        finally:
            answer.close()

    def _answer(self, headers: dict[str, str]) -> Answer:
        """From where the last answer came, which may be a redirect's target; once that is gone, from the start."""
        if self._at != self._what.url:
            try:
                return ask(self._client, self._asked(self._at, headers)).answer
            except NotFetched as error:
                if error.saying.key not in _GONE:
                    raise
        answer, self._at = ask(self._client, self._asked(self._what.url, headers))
        return answer

    def _asked(self, url: str, headers: dict[str, str]) -> Ask:
        return msgspec.structs.replace(self._what, url=url, headers=headers)

    def _held_against(self, answer: Answer, start: int, stop: int, *, whole: bool) -> int:
        """How many bytes the body brings, all of them asked for; learns the size. Raises NotFetched."""
        if answer.status == 416:
            return self._beyond(answer)
        if answer.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise NotFetched("http.encoded", path=self.path, encoding=answer.headers["content-encoding"])
        self._check_version(answer)
        if answer.status == 200 and not whole:
            if answer.headers.get("content-type", "").startswith("text/html"):
                raise NotFetched("http.page", path=self.path)
            raise NotFetched("http.no_ranges", path=self.path, url=self._what.url)
        nbytes = self.size if answer.status == 200 else self._ranged(answer, start, stop)
        said = answer.headers.get("content-length", str(nbytes))
        if said != str(nbytes):
            if answer.status == 200 and said.isdecimal() and len(said) < 19:
                raise NotFetched("http.size", path=self.path, said=int(said), size=self.size)
            raise NotFetched("http.length", path=self.path, offset=start, said=said, wanted=nbytes)
        return nbytes

    def _beyond(self, answer: Answer) -> int:
        """Of an empty file there is no range; every other range was within what the server said before."""
        found = _NO_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if found is None or int(found[1]) or (self._sure and self.size):
            raise NotFetched("http.unsatisfied", path=self.path)
        self.size, self._sure = 0, True
        return 0

    def _check_version(self, answer: Answer) -> None:
        version = answer.headers.get("etag") or answer.headers.get("last-modified")
        if self._version is None:
            self._version = version
        elif version != self._version:
            raise NotFetched("http.changed", path=self.path)

    def _ranged(self, answer: Answer, start: int, stop: int) -> int:
        said = answer.headers.get("content-range", "-")
        found = _RANGE.fullmatch(said)
        first, last, size = map(int, found.groups()) if found is not None else (-1, -1, -1)
        if first != start or not start <= last < min(stop, size):
            raise NotFetched("http.range", path=self.path, offset=start, said=said, last=stop - 1)
        if self._sure and size != self.size:
            raise NotFetched("http.size", path=self.path, said=size, size=self.size)
        self.size, self._sure = size, True
        return last + 1 - start

    def _receive(self, answer: Answer, nbytes: int, into: bytearray) -> None:
        received = 0
        for chunk in answer.chunks() if nbytes else ():
            received += len(chunk)
            if received > nbytes:
                raise NotFetched("http.length", path=self.path, said=received, wanted=nbytes)
            self.fetched += len(chunk)
            into += chunk
        if received < nbytes:
            raise ConnectionError(f"{received} of {nbytes} bytes")
