"""What is promised of any model on any device: nothing is said to fit that may not, nothing is faster than its memory."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from weigh.core.architecture import Architecture
from weigh.core.hardware import Device
from weigh.describe.architecture import from_config
from weigh.fit.case import ENGINES, Case
from weigh.fit.devices import budget_of
from weigh.fit.place import HOST, place
from weigh.fit.weights import Weights

CLASSES = ("gddr", "hbm", "apple", "unified", "npu", "cpu")


@st.composite
def devices(draw: st.DrawFn) -> Device:
    kind = draw(st.sampled_from(CLASSES))
    memory = draw(st.integers(1, 512)) << 30
    return Device(
        name="any", device_class=kind, memory=memory, budget=budget_of(kind, memory), count=draw(st.integers(1, 16)),
        bandwidth=draw(st.floats(1e9, 1e13)), tflops={"fp16": draw(st.floats(0.1, 5000))},
        cores=draw(st.none() | st.integers(1, 256)),
    )  # fmt: skip


@st.composite
def networks(draw: st.DrawFn) -> Architecture:
    heads = draw(st.sampled_from((1, 7, 32, 128)))
    config: dict[str, object] = {
        "model_type": draw(st.sampled_from(("llama", "qwen3_moe", "gemma3_text", "deepseek_v3", "jamba", "unheard_of"))),
        "num_hidden_layers": draw(st.integers(1, 130)), "hidden_size": draw(st.sampled_from((64, 2048, 16384))),
        "num_attention_heads": heads, "num_key_value_heads": draw(st.sampled_from((1, heads))), "head_dim": 128,
        "intermediate_size": draw(st.sampled_from((128, 8192, 53248))), "vocab_size": draw(st.integers(256, 300_000)),
        "sliding_window": draw(st.none() | st.integers(1, 8192)),
    }  # fmt: skip
    if draw(st.booleans()):
        config |= {"num_experts": 64, "num_experts_per_tok": 4, "moe_intermediate_size": 768}
    if config["model_type"] == "deepseek_v3":
        config |= {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128}
    found = from_config(config)
    assert found is not None
    return found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    total = draw(st.integers(1, 2 << 40))
    active = draw(st.integers(1, total))
    parameters = draw(st.integers(1, 1 << 42))
    weights = Weights(
        total=total, active=active, routed=draw(st.integers(0, total)), parameters=parameters,
        active_parameters=draw(st.integers(1, parameters)),
    )  # fmt: skip
    known = draw(st.booleans())
    return Case(
        name="any", weights=weights, packed=draw(st.booleans()), basis="name",
        architecture=draw(networks()) if known else None, kv_per_token=None if known else draw(st.integers(0, 1 << 22)),
        doubt=1.0 if known else 2.5, context_length=draw(st.integers(1, 1 << 21)), parallel=draw(st.integers(1, 64)),
        ubatch=draw(st.sampled_from((1, 512, 4096))), kv=draw(st.sampled_from(("f16", "q8_0", "q4_0"))),
        flash_attention=draw(st.booleans()), projector=draw(st.sampled_from((0, 1 << 30))),
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(cases(), devices(), st.sampled_from(ENGINES))
def test_nothing_fits_whose_upper_bound_is_over_the_budget(case: Case, device: Device, engine: str) -> None:
    fit = place(case, device, engine)
    assert fit.most is not None
    assert fit.most >= fit.memory.total
    if fit.verdict in ("fits", "tight"):
        assert fit.most <= device.budget * device.count
    for share in fit.devices if fit.verdict != "no" else ():
        assert share.memory <= share.budget
    assert fit.memory.total == sum(
        size for term in fit.memory.__struct_fields__ if term != "total" for size in (getattr(fit.memory, term),)
    )
    assert min(getattr(fit.memory, term) for term in fit.memory.__struct_fields__) >= 0


@settings(max_examples=300, deadline=None)
@given(cases(), devices(), st.sampled_from(ENGINES))
def test_nothing_decodes_faster_than_its_bytes_are_read(case: Case, device: Device, engine: str) -> None:
    fit = place(case, device, engine)
    if fit.speed is None or fit.speed.decode is None:
        return
    pace = fit.speed.decode
    assert 0 <= pace.low <= pace.typical <= pace.high
    bandwidth = max(device.bandwidth, HOST.bandwidth if fit.verdict == "offload" else 0) * device.count
    assert pace.high <= bandwidth / case.weights.active * 1.000001 or pace.high <= 0.001
