"""A device as people write it - `4090`, `2x RTX 4090`, `M4 Max 64GB`, `昇腾910B` - found in the table."""

from __future__ import annotations

import difflib
import functools
import re
from typing import NamedTuple

from weigh.core.errors import BadReference
from weigh.core.hardware import Device
from weigh.fit.counted import counted
from weigh.knowledge.devices import DeviceRow, devices

GB = 1 << 30
MARGIN = 1 << 30  # of a card's memory, left to the driver, the screen and the allocator
MOST_TEXT = 200
# The share of shared memory that the system lets an accelerator hold: small Macs about 0.74, large ones 0.84.
_APPLE_SMALL, _APPLE_LARGE, _APPLE_LARGE_FROM = 0.74, 0.84, 96 * GB
_SHARED = 0.75
_MEMORY = re.compile(r"(?<![\d.a-z])(\d{1,4})\s*(?:gib|gb|g)(?![a-z\d])", re.IGNORECASE)
_MADE = re.compile(r"(?<=sxm)\d|hbm\d?e?|ddr\d[x]?", re.IGNORECASE)  # how it is built: SXM4, HBM3, GDDR6
_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
# What is said around a product: the computer it is in, marks, clocks, how a virtual machine is given it.
_AROUND = re.compile(
    r"\bmac\s?book(?:\s(?:pro|air))?\b|\bmac\s(?:mini|studio|pro)\b|\bimac(?:\spro)?\b|\((?:r|tm|c)\)|@.*|\d+-core\s+processor"
    r"|\d+th\s+gen|\bw/.*|-\d+[qc]$|\br\b(?=\s+(?:core|xeon))|\btm\b|\bwith\s+max-q\s+design|\bper\s+gpu\b",
    re.IGNORECASE,
)
_GRACE = re.compile(r"\bgb(?=\d)")
# fmt: off
_CHINESE = {
    "昇腾": " ascend ", "寒武纪": " cambricon ", "摩尔线程": " moore threads ", "海光": " hygon ", "鲲鹏": " kunpeng ",
    "昆仑芯": " kunlunxin ", "沐曦": " metax ", "燧原": " enflame ", "壁仞": " biren ", "天数智芯": " iluvatar ",
    "树莓派": " raspberry pi ", "笔记本": " laptop ", "移动版": " laptop ", "英伟达": " nvidia ", "英特尔": " intel ",
    "苹果": " apple ", "显卡": " ", "显存": " ", "万卡": " ", "天数": " iluvatar ", }
# fmt: on
_USUAL = ("GeForce RTX 4090", "A100 SXM 80GB", "Apple M4 Max (40-core GPU)")  # for what nothing comes near
# What is said of a product without telling it from others.
_NOISE = frozenset(
    "nvidia geforce amd radeon instinct intel apple huawei google aws qualcomm gpu graphics card core cores the tesla"
    " npu dcu datacenter gen gib gb g memory vram processor cpu server workstation edition generation dgx hgx".split()
)
_SAME = {"mobile": "laptop", "notebook": "laptop", "agx": "agx"}
MODDED = 2  # times the memory a card is sold with: more nobody solders on


class _Known(NamedTuple):
    row: DeviceRow
    words: frozenset[str]


def device(text: str) -> Device:
    """The product meant, `count` of them; the memory written down counts where the product comes with several.

    Raises BadReference with the nearest names where none or several are meant alike.
    """
    if len(text) > MOST_TEXT:
        raise BadReference("device.long", most=MOST_TEXT)
    count, rest = counted(text)
    if (exact := _named().get(" ".join(rest.lower().split()))) is not None:
        return _device(exact, count, None)
    memory = next((int(found[1]) for found in _MEMORY.finditer(rest)), None)
    words = _words(_MEMORY.sub(" ", rest))
    if all(word.isdigit() and len(word) < 4 for word in words):
        words = frozenset()  # `100` is the number of many
    rows = [known for known in _table() if words and words <= known.words]
    if not rows and memory is None:  # `M4 Max 64`
        memory, rows = _bare_memory(words)
    if not rows and (part := _aside(rest)) is not None:  # `Pi CM5 - 16GB (Nvidia RTX 4090)`
        return device(f"{count}x {part}")
    if not rows:
        raise BadReference("device.unknown", text=text, nearest=", ".join(nearest(rest)))
    return _device(_best(rows, words, memory), count, memory)


def nearest(text: str, *, most: int = 3) -> list[str]:
    """Names in the table that come close."""
    names = {row.name.lower(): row.name for row in devices()}
    spelt = text.lower().strip()
    close = difflib.get_close_matches(spelt, names, n=most, cutoff=0.5)
    digits = set(re.findall(r"\d{3,4}", spelt))
    same = [low for low in names if digits & set(re.findall(r"\d{3,4}", low))]
    said = {word for word in _words(text) if word.isalpha() and len(word) > 2}
    kin = [known.row.name.lower() for known in _table() if said & known.words]
    return [names[low] for low in dict.fromkeys([*same, *close, *kin])][:most] or list(_USUAL)


def budget_of(row_class: str, memory: int) -> int:
    """What of a device's memory a model may take."""
    match row_class:
        case "apple":
            return int(memory * (_APPLE_LARGE if memory >= _APPLE_LARGE_FROM else _APPLE_SMALL))
        case "unified" | "cpu":
            return int(memory * _SHARED)
        case _:
            return max(memory - MARGIN, 0)


def _words(text: str) -> frozenset[str]:
    low = text.lower()
    for chinese, word in _CHINESE.items():
        low = low.replace(chinese, word)
    low = _GRACE.sub(" grace ", _MADE.sub(" ", _AROUND.sub(" ", low)))
    return frozenset(_SAME.get(word, word) for word in _WORD.findall(low)) - _NOISE


@functools.cache
def _table() -> tuple[_Known, ...]:
    found = []
    for row in devices():
        for name in (row.name, *row.aliases):
            found.append(_Known(row, _words(name) | _words(row.vendor)))
    return tuple(found)


def _aside(text: str) -> str | None:
    """What of a text with something in brackets means a product: the inside, or else the outside."""
    found = re.fullmatch(r"([^()]+)\(([^()]+)\)\s*", text)
    for part in (found[2], found[1]) if found is not None else ():
        words = _words(_MEMORY.sub(" ", part))
        if any(words and words <= known.words for known in _table()) and not all(word.isdigit() for word in words):
            return part
    return None


@functools.cache
def _named() -> dict[str, DeviceRow]:
    """By whole names: of what is spelt like one, a number of gigabytes is no wish."""
    return {name.lower(): row for row in devices() for name in (row.name, *row.aliases)}


def _bare_memory(words: frozenset[str]) -> tuple[int | None, list[_Known]]:
    """A number that no product's name has may be its memory."""
    for word in sorted((word for word in words if word.isdigit()), key=int, reverse=True):
        if 1 <= int(word) <= 4096:
            rest = words - {word}
            rows = [known for known in _table() if rest and rest <= known.words and _comes_with(known.row, int(word))]
            if rows:
                return int(word), rows
    return None, []


def _comes_with(row: DeviceRow, memory_gb: int) -> bool:
    """Whether that many GiB can be its memory; where it is soldered beside the processor there are several sizes."""
    return row.device_class in ("apple", "unified") or _sold_with(row, memory_gb)


def _sold_with(row: DeviceRow, memory_gb: int) -> bool:
    return any(abs(size - memory_gb) <= 1 for size in (row.memory_gb, *row.also_gb))


def _best(rows: list[_Known], words: frozenset[str], memory: int | None) -> DeviceRow:
    """The plainest name with these words; of equals the one with the memory asked for, then the newest and largest."""

    def rank(known: _Known) -> tuple[bool, int, int, float]:
        other = memory is not None and not _sold_with(known.row, memory)
        return other, len(known.words - words), -(known.row.released or 0), -known.row.bandwidth_gbs

    return min(rows, key=rank).row


def _device(row: DeviceRow, count: int, memory_gb: int | None) -> Device:
    shared = row.device_class in ("apple", "unified", "cpu")
    taken = memory_gb if memory_gb is not None and (shared or abs(row.memory_gb - memory_gb) > 1) else row.memory_gb
    if taken > MODDED * max(row.memory_gb, *row.also_gb, 0) or not taken:
        raise BadReference("device.memory", name=row.name, memory=taken, sold=row.memory_gb)
    memory = round(taken * GB)
    return Device(
        name=row.name,
        device_class=row.device_class,
        memory=memory,
        budget=budget_of(row.device_class, memory),
        bandwidth=row.bandwidth_gbs * 1e9,
        tflops=row.tflops,
        count=count,
        cores=row.cores,
        confidence=row.confidence,
        source=row.source,
    )
