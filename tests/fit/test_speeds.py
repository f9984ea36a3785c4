"""Decoding held against published rows, each device predicted from the others."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from weigh.core.fit import Interval
from weigh.core.hardware import Device
from weigh.fit import vllm
from weigh.fit.bases import base_of, shape_of
from weigh.fit.devices import device
from weigh.fit.speed import Stage, Work, speed
from weigh.fit.weights import of_bits, of_recipe
from weigh.knowledge.devices import paces
from weigh.names.decode import decode

MXFP4_BITS = 4.25
DISCRETE = ("gddr", "hbm")


class Case(NamedTuple):
    device: Device
    work: Work
    rate: float
    name: str

    @property
    def reading(self) -> float:
        """Milliseconds to read once what a token needs, at the whole of the bandwidth."""
        return 1000 * (self.work.weight_bytes + self.work.kv_bytes) / self.device.bandwidth


def case(row: dict[str, object]) -> Case:
    base = base_of(decode(str(row["model"])))
    assert base is not None
    shape = shape_of(base)
    assert shape is not None
    weights = of_recipe(shape, str(row["quant"])) or of_bits(shape, MXFP4_BITS)
    assert weights is not None
    work = Work(
        weight_bytes=weights.active,
        kv_bytes=vllm.bytes_per_token(shape, vllm.Setting(context_length=1)) * int(str(row["depth"])),
        active_parameters=weights.active_parameters,
        packed=row["quant"] != "F16",
        routed=bool(weights.routed),
    )
    found = device(str(row["device"]))
    return Case(found, work, float(str(row["tok_s"])), f"{found.name} {row['model']} {row['quant']}")


CASES = [case(row) for row in json.loads((Path(__file__).parent / "rows" / "cards.json").read_text("utf-8"))]
CARDS = [one for one in CASES if one.device.device_class in DISCRETE]


def predicted(one: Case) -> Interval:
    found = speed(one.work, [Stage(device=one.device, share=1.0)]).decode
    assert found is not None
    return found


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_no_figure_is_above_bandwidth_over_bytes(one: Case) -> None:
    assert predicted(one).high <= 1000 / one.reading * 1.000001


def test_cards_are_predicted_within_a_tenth() -> None:
    assert statistics.median(abs(predicted(one).typical / one.rate - 1) for one in CARDS) <= 0.10


def test_four_of_five_lie_inside_a_narrow_interval() -> None:
    for some in (CARDS, CASES):
        intervals = [(predicted(one), one.rate) for one in some]
        assert sum(found.low <= rate <= found.high for found, rate in intervals) / len(some) >= 0.8
        assert statistics.median(found.high / found.low for found, _ in intervals) <= 1.62


class Fitted(NamedTuple):
    """Milliseconds a token costs besides, and the shares of the bandwidth reached, packed or not."""

    token: float
    shares: dict[bool, float]

    def rate(self, one: Case) -> float:
        return 1000 / (one.reading / self.shares.get(one.work.packed, 0.8) + self.token)


def fitted(rows: Sequence[Case]) -> Fitted:
    """By a plain search: of all costs a token the one that leaves the least error, with median shares."""

    def error(found: Fitted) -> float:
        return sum(abs(math.log(found.rate(one) / one.rate)) for one in rows)

    return min((_with(rows, tenth / 10) for tenth in range(50)), key=error)


def _with(rows: Sequence[Case], token: float) -> Fitted:
    shares = {}
    for packed in (True, False):
        reached = [
            one.reading / (1000 / one.rate - token)
            for one in rows
            if one.work.packed == packed and 1000 / one.rate > token + 0.2
        ]
        if reached:
            shares[packed] = min(statistics.median(reached), 0.98)
    return Fitted(token, shares)


def test_each_card_is_predicted_from_the_others() -> None:
    errors, inside = [], []
    for kind in DISCRETE:
        rows = [one for one in CARDS if one.device.device_class == kind]
        spread = paces()[kind].spread
        for name in {one.device.name for one in rows}:
            found = fitted([one for one in rows if one.device.name != name])
            for one in rows:
                if one.device.name == name:
                    errors.append(abs(found.rate(one) / one.rate - 1))
                    inside.append(1 / spread <= found.rate(one) / one.rate <= spread)
    assert len(errors) >= 40
    assert statistics.median(errors) <= 0.10
    assert sum(inside) / len(inside) >= 0.8
