"""Memory, sizes and speeds held against published rows, term by term."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from weigh.core.architecture import Architecture
from weigh.core.hardware import Device
from weigh.describe.architecture import from_config
from weigh.fit import llamacpp
from weigh.fit.speed import Stage, Work, speed
from weigh.fit.weights import of_recipe

ROWS = Path(__file__).parent / "rows"
MIB, GIB = 1 << 20, 1 << 30


def table(name: str) -> Any:
    return json.loads((ROWS / f"{name}.json").read_text("utf-8"))


def shape(name: str, model: str) -> Architecture:
    found = from_config(table(name)["configs"][model])
    assert found is not None
    return found


DRY = table("llamacpp")["rows"]


def setting(row: dict[str, Any]) -> llamacpp.Setting:
    return llamacpp.Setting(
        context_length=row["n_ctx"],
        parallel=row["n_parallel"],
        ubatch=row["n_ubatch"],
        kv=row["kv_type"],
        flash_attention=row["flash_attn"],
    )


@pytest.mark.parametrize("row", DRY, ids=lambda row: "-".join(str(value) for value in list(row.values())[:6]))
def test_each_term_is_llama_cpps_own(row: dict[str, Any]) -> None:
    architecture = shape("llamacpp", row["model"])
    assert llamacpp.kv_cache(architecture, setting(row)) / MIB == pytest.approx(row["kv_total_mib"], rel=1e-3)
    assert llamacpp.compute(architecture, setting(row)) / MIB == pytest.approx(row["compute_mib"], rel=0.02)  # type: ignore[operator]
    assert llamacpp.output(architecture, setting(row)) / MIB == pytest.approx(row["output_mib"], abs=0.01)
    state = llamacpp.recurrent_state(architecture, setting(row)) / MIB
    assert state == pytest.approx(row.get("recurrent_mib", 0), abs=0.01)


@pytest.mark.parametrize("row", table("sizes")["rows"], ids=lambda row: f"{row['model']}-{row['quant']}")
def test_a_size_is_that_of_the_published_file(row: dict[str, Any]) -> None:
    weights = of_recipe(shape("sizes", row["model"]), row["quant"])
    assert weights is not None
    assert weights.total == pytest.approx(row["bytes"], rel=0.01)


SPEEDS = table("speeds")["rows"]
EMBEDDING = {"Meta-Llama-3-8B": 128256 * 4096, "Meta-Llama-3-70B": 128256 * 8192}
KV_PER_TOKEN = {"Meta-Llama-3-8B": 32 * 2 * 8 * 128 * 2, "Meta-Llama-3-70B": 80 * 2 * 8 * 128 * 2}


def predicted(row: dict[str, Any]) -> tuple[float, float, float]:
    packed = row["quant"] != "F16"
    device_class = "apple" if row["device"].startswith("M") else "hbm" if "100" in row["device"] else "gddr"
    device = Device(
        name=row["device"], device_class=device_class, memory=0, budget=0, bandwidth=row["bandwidth_gbs"] * 1e9
    )
    work = Work(
        weight_bytes=row["file_gib"] * GIB - EMBEDDING[row["model"]] * (0.5625 if packed else 2),
        kv_bytes=KV_PER_TOKEN[row["model"]] * 512,
        active_parameters=8e9,
        packed=packed,
        routed=False,
    )
    found = speed(work, [Stage(device=device, share=1.0)]).decode
    assert found is not None
    assert found.high <= device.bandwidth / (work.weight_bytes + work.kv_bytes) * 1.000001
    return found.low, found.typical, found.high


def test_decoding_is_predicted_on_cards_and_lies_inside_a_narrow_interval() -> None:
    cards = [row for row in SPEEDS if not row["device"].startswith("M")]
    errors = [abs(predicted(row)[1] / row["tok_s"] - 1) for row in cards]
    assert statistics.median(errors) <= 0.10
    inside = [low <= row["tok_s"] <= high for row in SPEEDS for low, _, high in [predicted(row)]]
    assert sum(inside) / len(inside) >= 0.8
    assert statistics.median(high / low for row in SPEEDS for low, _, high in [predicted(row)]) <= 1.62
