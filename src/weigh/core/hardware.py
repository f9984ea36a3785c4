"""What a model can run on: a device, and a machine made of devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from weigh.core.value import Value

Confidence = Literal["high", "medium", "low"]
# By what holds back decoding: memory on the card (GDDR or HBM), memory shared with the processor, or the processor.
Class = Literal["gddr", "hbm", "apple", "unified", "npu", "cpu"]


class Device(Value, frozen=True, kw_only=True):
    """`memory` in bytes, `budget` of it what a model may take; `bandwidth` in bytes a second; `tflops` dense, by type.

    `count` devices of this kind are meant together; `memory` and `bandwidth` are of one.
    """

    name: str
    device_class: Class
    memory: int
    budget: int
    bandwidth: float
    tflops: Mapping[str, float] = {}
    count: int = 1
    cores: int | None = None
    confidence: Confidence | None = None
    source: str | None = None


class Machine(Value, frozen=True, kw_only=True):
    """This machine: its accelerators, its memory (bytes free for a model) and the cores that are free."""

    devices: tuple[Device, ...] = ()
    memory: int
    available: int
    cores: int
    processor: str | None = None
