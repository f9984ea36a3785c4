"""Objects of Python's own library, as configurations and results are kept in pickles."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

import argparse
import array
import calendar
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import itertools
import logging
import operator
import pathlib
import random
import re
import signal
import socket
import statistics
import string
import time
import types
import typing
import uuid
import zoneinfo
from http import HTTPStatus

from tools.honest import Honest, pickled


@dataclasses.dataclass
class Settings:
    """A configuration as a script of one's own keeps it."""

    rate: float = 1e-3
    layers: tuple[int, ...] = (1, 2)


class Phase(enum.Enum):
    """An enumeration of one's own."""

    TRAIN = "train"


Row = collections.namedtuple("Row", "a b")

VALUES: dict[str, object] = {
    "plain": {"a": [1, 2.5, "x", b"y", None, True, 1j, -(1 << 70)], "t": ((), (1,), (1, 2, 3, 4)), "s": {1, 2}, "f": frozenset("ab")},
    "ordered": collections.OrderedDict([("a", 1), ("b", collections.OrderedDict())]),
    "defaults": [collections.defaultdict(kind) for kind in (list, dict, int, float, set, str, tuple)],
    "nested defaults": collections.defaultdict(functools.partial(collections.defaultdict, int)),
    "counters": [collections.Counter("abca"), collections.deque([1], maxlen=3), collections.ChainMap({"a": 1})],
    "wrappers": [collections.UserDict(a=1), collections.UserList([1]), collections.UserString("x")],
    "times": [datetime.datetime(2026, 1, 2, 3, 4), datetime.date(2026, 1, 1), datetime.time(1, 2), datetime.timedelta(1, 2), datetime.UTC, datetime.timezone(datetime.timedelta(hours=8)), time.gmtime(0), time.localtime(0)],
    "zones": [zoneinfo.ZoneInfo("UTC"), datetime.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)],
    "numbers": [decimal.Decimal("NaN"), decimal.Decimal("1.50"), fractions.Fraction(-7, 3), decimal.getcontext(), statistics.NormalDist(0, 1)],
    "ids": [uuid.uuid4(), uuid.uuid5(uuid.NAMESPACE_URL, "x")],
    "paths": [pathlib.Path("runs/1"), pathlib.PurePosixPath("/data"), pathlib.PureWindowsPath("C:/x")],
    "patterns": [re.compile(r"\d+(?P<unit>[kmg])", re.I | re.M), re.compile(rb"\x00+"), re.I | re.M, re.RegexFlag.A],
    "namespaces": [argparse.Namespace(lr=1e-3, path=pathlib.Path("x"), sub=argparse.Namespace(a=[1])), types.SimpleNamespace(a=1)],
    "getters": [operator.itemgetter(1), operator.itemgetter("a", "b"), operator.attrgetter("name")],
    "operators": [operator.add, operator.mul, operator.sub, operator.truediv, operator.neg, operator.lt, operator.eq, operator.and_, max, min, sum, len, abs, round, sorted, zip, enumerate, isinstance, print],
    "partials": [functools.partial(int, base=2), functools.partial(round, ndigits=2), functools.partial(functools.partial, max)],
    "types": [int, float, str, bytes, list, dict, tuple, set, frozenset, bool, complex, object, type(None), slice, range, bytearray, BaseException, ValueError, KeyError],
    "singletons": [None, Ellipsis, NotImplemented, type(...), type(NotImplemented)],
    "slices": [slice(1, 2, 3), range(1, 10, 2), bytearray(b"ab")],
    "iterators": [iter([1, 2]), iter((1,)), iter({"a": 1}), itertools.count(3), itertools.cycle([1, 2]), itertools.chain([1], [2]), itertools.repeat(1, 3), reversed([1]), enumerate([1]), zip([1], [2], strict=False), iter(range(3))],
    "exceptions": [ValueError("bad"), KeyError("k"), RuntimeError(), StopIteration(), OSError(2, "no such file"), FileNotFoundError(2, "gone"), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), KeyboardInterrupt(), ZeroDivisionError("x"), TimeoutError()],
    "random": [random.Random(1), random.getstate()],
    "arrays of numbers": [array.array("d", [1.0]), array.array("i", [1, 2])],
    "addresses": [ipaddress.ip_address("10.0.0.1"), ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_address("::1"), ipaddress.ip_interface("10.0.0.1/8")],
    "hints": [typing.Any, typing.Union[int, str], typing.Optional[int], list[int], dict[str, int], int | None, typing.List[int], typing.Dict[str, int], typing.Tuple[int, ...], typing.Literal["a"], typing.Callable],  # noqa: UP006, UP007, UP045
    "loggers": [logging.getLogger("train"), logging.getLogger(), logging.LogRecord("a", 10, "p", 1, "m", (), None)],
    "enums": [HTTPStatus.OK, signal.SIGINT, socket.AF_INET, calendar.Month(1) if hasattr(calendar, "Month") else 1, uuid.SafeUUID.safe, enum.auto, enum.Enum, enum.IntEnum, enum.Flag],
    "templates": [string.Template("$a"), string.Formatter(), calendar.TextCalendar(0)],
    "dates as words": {"created": "2026-01-01", "cmd": "os.system('ls')", "doc": "__import__ eval exec subprocess posix\nsystem", "bytes": b"cposix\nsystem\n(S'id'\ntR."},
    "big": {"table": [[index, str(index), index / 7] for index in range(3000)]},
    "shared": (lambda inner: [inner, inner, {"a": inner}])([1, 2, 3]),
    "recursive": (lambda own: (own.append(own), own)[1])([1]),
    "long strings": {"readme": "eval(" * 5000, "license": "MIT\n" * 2000},
    "text of many tongues": {"你好": "过秤", "emoji": "🧪", "surrogate": "\ud800"},
}  # fmt: skip

CASES: tuple[Honest, ...] = (
    *(pickled(name, lambda value=value: value, protocol=protocol) for name, value in VALUES.items() for protocol in (2, 4)),
    *(pickled("plain", lambda: VALUES["plain"], protocol=protocol) for protocol in (0, 1, 3, 5)),
    *(pickled("times", lambda: VALUES["times"], protocol=protocol) for protocol in (0, 3, 5)),
    pickled("settings of one's own", Settings, verdict="suspicious"),
    pickled("enum of one's own", lambda: Phase.TRAIN, verdict="suspicious"),
    pickled("namedtuple of one's own", lambda: Row(1, 2), verdict="suspicious"),
)  # fmt: skip
