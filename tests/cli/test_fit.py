"""`weigh fit` as it is typed."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from tests.fit.heads import whole, write
from weigh.cli.main import weigh
from weigh.text.plot import _has_font

CONFIG = {
    "model_type": "llama",
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
}


def fit(*arguments: str) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(weigh, ["fit", *arguments, "--json", "--offline"], standalone_mode=False)
    return done.return_value, json.loads(done.output)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return str(tmp_path)


@pytest.mark.parametrize(
    ("device", "verdict"), [("4090", "fits"), ("4x 4090", "fits"), ("M4 Max 64GB", "fits"), ("GTX 1050 Ti", "offload")]
)
def test_a_configuration_alone_is_enough(folder: str, device: str, verdict: str) -> None:
    status, answer = fit(folder, "--on", device, "--quant", "Q4_K_M")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert status == 0
    assert (found["verdict"], found["basis"], found["engine"]) == (verdict, "config", "llama.cpp")
    assert found["memory"]["total"] == sum(size for term, size in found["memory"].items() if term != "total")
    assert found["memory"]["kv_cache"] == 1024 << 20
    low, typical, high = (found["speed"]["decode"][key] for key in ("low", "typical", "high"))
    assert 0 < low <= typical <= high


def test_what_does_not_go_there_is_not_said_to_fit(folder: str) -> None:
    _, answer = fit(folder, "--on", "RTX 4060", "--engine", "vllm", "--quant", "FP8")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert found["verdict"] == "no"
    assert found["command"] is None


def test_experts_go_to_the_host_before_layers_do() -> None:
    _, answer = fit("Qwen3-30B-A3B-Q8_0.gguf", "--on", "4090")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert (found["verdict"], "--cpu-moe" in found["command"]) == ("offload", True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Qwen3-8B", "--on", "banana"), "banana"),
        (("Qwen3-8B", "--on", "昇腾999"), "Ascend"),
        (("Qwen3-8B", "--on", "RTX 4091"), "RTX"),
        (("Qwen3-8B", "--on", "4090", "--context", "-5"), "-5"),
        (("Qwen3-8B", "--on", "4090", "--context", "99999999999999"), "99,999,999,999,999"),
        (("Qwen3-8B", "--on", "4090", "--parallel", "-1"), "-1"),
        (("Qwen3-8B", "--on", "4090", "--ubatch", "99999999"), "99,999,999"),
        (("Qwen3-8B", "--on", "4090", "--draft", "nothing-known"), "nothing-known"),
        (("Qwen3-8B", "--on", "4090", "--mmproj", "/nowhere.gguf"), "/nowhere.gguf"),
        (("Qwen3-8B", "--on", "4090", "--engine", "warp"), "warp"),
        (("Qwen3-8B", "--on", "4090", "--kv", "q99"), "q99"),
        (("Qwen3-8B", "--on", "4090", "--context", "0"), "0"),
        (("Qwen3-8B", "--on", "4090", "--quant", "Q99_X"), "Q99_X"),
        (("nothing-known", "--on", "4090"), "nothing-known"),
        (("/nowhere/at/all", "--on", "4090"), "path"),
    ],
)
def test_a_wish_that_cannot_be_is_one_clear_line(arguments: tuple[str, ...], said: str) -> None:
    status, answer = fit(*arguments)
    assert status == 2
    assert said in answer["error"]["message"]  # type: ignore[index]
    assert answer.get("fits", []) == []


def test_a_context_beyond_the_models_own_is_refused(folder: str) -> None:
    status, answer = fit(folder, "--on", "4090", "--context", "200000", "--quant", "Q4_K_M")
    assert status == 2
    assert "131,072" in answer["error"]["message"]  # type: ignore[index]


def test_a_folder_without_a_configuration_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    status, answer = fit(str(tmp_path), "--on", "4090")
    assert status == 2
    assert "error" in answer


ABSURD: tuple[dict[str, object], ...] = (
    {"num_attention_heads": 0}, {"hidden_size": 10**30}, {"num_hidden_layers": -1}, {"vocab_size": "x"},
    {"num_key_value_heads": 10**18}, {"head_dim": -128}, {"intermediate_size": [10**400] * 3}, {"hidden_size": 10**400},
    {"block_configs": [{"attention": {"n_heads_in_group": 0}, "ffn": {"ffn_mult": 1e308}}], "hidden_size": 10**400},
    {"per_layer_config": {"²": {"head_dim": 1}, "9" * 5000: {}, "0": {"head_dim": []}}}, {"layer_types": [None] * 64},
    {"block_auto_adjust_ff_dim": True, "block_multiple_of": 0, "intermediate_size": 10**400},
    {"vision_config": {"hidden_size": 10**30, "depth": 10**30}}, {"moe_layers_enum": "²,x,1"}, {"num_experts": 10**9},
    {"sliding_window": -1}, {"linear_attn_config": {"full_attn_layers": [[]], "num_heads": {}}}, {"block_types": [{}]},
    {"zero_expert_num": 1, "num_layers": 10**20}, {"attn_layer_indices": {"a": 1}}, {"num_kv_shared_layers": 10**9},
)  # fmt: skip


def test_absurd_configurations_are_answered(tmp_path: Path) -> None:
    for change in ABSURD:
        (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **change}))
        status, answer = fit(str(tmp_path), "--on", "4090", "--quant", "Q4_K_M")
        assert status in (0, 2)
        assert ("error" in answer) == (status == 2)


def test_an_exact_account_needs_the_file() -> None:
    status, answer = fit("Qwen3-8B-Q4_K_M", "--on", "4090", "--exact")
    assert status == 2
    assert "GGUF" in str(answer["error"])


def test_a_name_alone_has_the_shape_of_its_base() -> None:
    _, answer = fit("Qwen3-8B-Q4_K_M", "--on", "4090")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert (found["basis"], found["shapes"]) == ("name", "qwen3-8b")
    assert found["memory"]["kv_cache"] == 36 * 2 * 8 * 128 * 2 * 8192


def test_a_file_here_is_accounted_by_the_engine_itself(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    path = tmp_path / "model.gguf"
    head = write(path, "qwen3")
    os.truncate(path, whole(head, "qwen3"))
    _, answer = fit(str(path), "--on", "4090")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert found["basis"] == "exact"
    _, answer = fit(str(path), "--on", "4090", "--no-exact")
    (other,) = answer["fits"]  # type: ignore[misc]
    assert other["basis"] == "header"
    assert found["memory"]["kv_cache"] == other["memory"]["kv_cache"]


def test_ollama_has_a_command_of_its_own() -> None:
    _, answer = fit("Qwen3-8B-Q4_K_M.gguf", "--on", "4090", "--engine", "ollama", "--kv", "q8_0")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert found["engine"] == "ollama"
    assert "OLLAMA_KV_CACHE_TYPE=q8_0" in found["command"]
    assert found["command"].endswith("ollama run qwen3-8b-q4_k_m")


def test_memory_over_context_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "out.svg"
    done = CliRunner().invoke(
        weigh, ["fit", "Qwen3-8B", "--on", "4090", "--on", "RTX 4060", "--plot", str(path)], standalone_mode=False
    )
    assert done.return_value == 0
    assert "40,960" in done.output
    lines = path.read_text("utf-8").count("<polyline")
    assert lines == 2
    ElementTree.fromstring(path.read_text("utf-8"))


@pytest.mark.parametrize("name", ["out.gif", "nowhere/out.svg", "nowhere/out.png"])
def test_a_picture_that_cannot_be_is_one_line(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(
        weigh, ["fit", "Qwen3-8B", "--on", "4090", "--quiet", "--plot", str(tmp_path / name)], standalone_mode=False
    )
    assert done.return_value == 2
    assert len(done.output.splitlines()) == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_png_shows_lines(tmp_path: Path, language: str) -> None:
    pytest.importorskip("resvg_py")
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "out.png"
    done = CliRunner().invoke(
        weigh, ["fit", "Qwen3-8B", "--on", "4090", "--quiet", "--lang", language, "--plot", str(path)],
        standalone_mode=False,
    )  # fmt: skip
    assert done.return_value == 0
    with image.open(path) as drawn:
        assert drawn.size == (1520, 880)
        blue = sum(count for count, colour in drawn.convert("RGB").getcolors(1 << 20) if colour == (31, 111, 235))
        dark = sum(count for count, colour in drawn.convert("RGB").getcolors(1 << 20) if colour == (34, 34, 34))
    assert blue > 1000
    assert dark > 500 or not _has_font("ab")  # the words, where the machine has any font


def test_a_png_without_its_library_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    path = str(tmp_path / "out.png")
    done = CliRunner().invoke(
        weigh, ["fit", "Qwen3-8B", "--on", "4090", "--quiet", "--lang", "en", "--plot", path], standalone_mode=False
    )
    assert done.return_value == 2
    assert "weigh[plot]" in done.output
    assert len(done.output.splitlines()) == 2


FIT = "device engine context_length verdict memory devices speed basis because command".split()
TERMS = "weights kv_cache recurrent_state compute output overhead total".split()


@pytest.mark.parametrize(
    "name", ["Qwen3-8B-Q4_K_M", "DeepSeek-R1", "bge-m3", "whisper-large-v3", "FLUX.1-dev", "some-7B"]
)
@pytest.mark.parametrize("device", ["4090", "GTX 1050 Ti", "2x A100 80G", "M4 Max 64", "昇腾910B", "Raspberry Pi 5"])
def test_every_key_is_there_whatever_the_answer(name: str, device: str) -> None:
    _, answer = fit(name, "--on", device)
    (found,) = answer["fits"]  # type: ignore[misc]
    assert set(FIT) - found.keys() == set()
    assert set(TERMS) - found["memory"].keys() == set()
    assert found["verdict"] in ("fits", "tight", "offload", "no")
    assert all(share.keys() == {"device", "memory", "budget"} for share in found["devices"])
    if found["speed"] is not None:
        assert found["speed"].keys() == {"decode", "prefill"}
        assert found["speed"]["decode"].keys() == {"low", "typical", "high"}
    assert found["most"] >= found["memory"]["total"] > 0


@pytest.mark.parametrize(("text", "values"), [("q8_0", 34 / 32), ("k=q8_0,v=f16", 2.0), ("v=q4_0", 18 / 32)])
def test_keys_and_values_may_be_of_types_of_their_own(text: str, values: float) -> None:
    _, answer = fit("Qwen3-8B-Q4_K_M", "--on", "4090", "--kv", text)
    (found,) = answer["fits"]  # type: ignore[misc]
    keys = 2.0 if text.startswith("v") else 34 / 32
    assert found["memory"]["kv_cache"] == round(36 * 8 * 128 * 8192 * (keys + values))


@pytest.mark.parametrize("text", ["k=q99", "x=f16", "k=", "=,=", "f16,q8_0"])
def test_a_type_that_there_is_not_is_one_line(text: str) -> None:
    status, answer = fit("Qwen3-8B-Q4_K_M", "--on", "4090", "--kv", text)
    assert status == 2
    assert "q8_0" in str(answer["error"])


def test_what_is_loaded_beside_it_is_counted_and_named(tmp_path: Path) -> None:
    lora = str(tmp_path / "lora.safetensors")
    save_file({"layers.0.q_proj.lora_A.weight": np.zeros((16, 64), dtype=np.float16)}, lora)
    plain, beside = (
        fit("Qwen3-8B-Q4_K_M", "--on", "4090", *more)[1]["fits"][0]  # type: ignore[index]
        for more in ((), ("--draft", "Qwen3-0.6B-Q8_0", "--lora", lora))
    )
    assert beside["memory"]["draft"] > 600 << 20
    assert beside["memory"]["adapters"] == 16 * 64 * 2
    more = beside["memory"]["draft"] + beside["memory"]["adapters"]
    assert beside["memory"]["total"] == plain["memory"]["total"] + more
    assert "-md Qwen3-0.6B-Q8_0 --lora" in beside["command"]


def test_a_projector_in_the_folder_comes_with_the_model(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    (tmp_path / "model.gguf").write_bytes(b"")
    head = write(tmp_path / "model.gguf", "qwen3")
    os.truncate(tmp_path / "model.gguf", whole(head, "qwen3"))
    writer = gguf.GGUFWriter(tmp_path / "mmproj.gguf", "clip")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_tensor("v.blk.0.ffn_up.weight", np.zeros((64, 64), dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    _, answer = fit(str(tmp_path), "--on", "4090", "--no-exact", "--engine", "llama.cpp")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert found["memory"]["projector"] == 64 * 64 * 2 + (400 << 20)
    assert "--mmproj" in found["command"]
    assert "projector" in found["estimated"]


def test_towers_lie_in_a_file_of_their_own_or_in_the_model(tmp_path: Path) -> None:
    vision = {"hidden_size": 1152, "num_hidden_layers": 27, "intermediate_size": 4304, "patch_size": 14}
    keys = {"model_type": "qwen3_vl", "text_config": CONFIG | {"model_type": "qwen3_vl_text"}, "vision_config": vision}
    (tmp_path / "config.json").write_text(json.dumps(keys))
    towers = [
        fit(str(tmp_path), "--on", "4090", "--quant", quant)[1]["fits"][0]  # type: ignore[index]
        for quant in ("Q4_K_M", "FP8")
    ]
    assert towers[0]["memory"]["projector"] > 800 << 20
    assert "projector" not in towers[1]["memory"]


def test_a_cards_graph_is_an_interval_and_the_verdict_counts_on_the_most() -> None:
    _, answer = fit("Qwen3-8B-Q4_K_M", "--on", "4090", "--on", "cpu")
    card, processor = answer["fits"]  # type: ignore[misc]
    assert card["compute"]["low"] < card["compute"]["typical"] < card["compute"]["high"]
    assert card["compute"]["typical"] == card["memory"]["compute"]
    assert card["most"] > card["memory"]["total"] + card["compute"]["high"] - card["compute"]["typical"]
    assert processor["compute"] is None
    assert processor["repacked"] < processor["memory"]["weights"]


@pytest.mark.parametrize(
    ("count", "said"),
    [(2, "--tensor-parallel-size 2"), (3, "--pipeline-parallel-size 3"), (8, "--tensor-parallel-size 8")],
)
def test_gpus_share_layers_where_heads_go_round(count: int, said: str) -> None:
    _, answer = fit("Qwen3-32B-AWQ", "--on", f"{count}x 4090", "--engine", "vllm")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert said in found["command"]


CASES = """\
bge-m3                  transformers
whisper-large-v3        transformers
Wan2.1-T2V-14B          diffusers
FLUX.1-dev              diffusers
"""


@pytest.mark.parametrize("line", CASES.splitlines())
def test_what_writes_no_text_is_fitted_as_what_it_is(line: str) -> None:
    name, engine = line.split()
    status, answer = fit(name, "--on", "A100 80GB")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert (status, found["engine"]) == (0, engine)
    assert found["speed"] is None
    assert "compute" in found["estimated"]


@pytest.mark.parametrize("size", ["0x0", "1280", "axb", "1280x720x0", "99999999999x1", "1x1x1x1"])
def test_a_size_that_cannot_be_is_one_line(size: str) -> None:
    status, answer = fit("Wan2.1-T2V-14B", "--on", "4090", "--size", size)
    assert status == 2
    assert "1280x720x129" in str(answer["error"])


def test_a_pipelines_parts_go_to_a_small_card_in_turn(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(
        json.dumps({"_class_name": "FluxPipeline", "_diffusers_version": "0.35"})
    )
    for part, rows in (("transformer", 512), ("text_encoder", 256)):
        (tmp_path / part).mkdir()
        half = np.zeros((rows, 1024), dtype=np.float16)
        save_file({"blocks.0.weight": half}, tmp_path / part / "diffusion_pytorch_model.safetensors")
    status, answer = fit(str(tmp_path), "--on", "4090", "--on", "GTX 1050 Ti", "--size", "1280x1024")
    assert status == 0
    assert [found["engine"] for found in answer["fits"]] == ["diffusers", "diffusers"]  # type: ignore[attr-defined]
    assert answer["fits"][0]["memory"]["weights"] == 768 * 1024 * 2  # type: ignore[index]


def test_a_pipeline_too_large_for_a_card_goes_there_layer_by_layer() -> None:
    _, answer = fit("FLUX.1-dev", "--on", "RTX 3060", "--on", "A100 80GB")
    small, large = answer["fits"]  # type: ignore[misc]
    assert (small["verdict"], large["verdict"]) == ("offload", "fits")
    card, host = small["devices"]
    assert card["memory"] < card["budget"]
    assert host["memory"] == small["memory"]["weights"]


@pytest.mark.parametrize(
    "built", ["BertModel", "XLMRobertaForSequenceClassification", "BertForMaskedLM", "WhisperForConditionalGeneration"]
)
def test_what_a_network_does_is_known_by_its_class_alone(tmp_path: Path, built: str) -> None:
    keys = {"num_hidden_layers": 12, "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}
    kind = "whisper" if "Whisper" in built else "bert"
    (tmp_path / "config.json").write_text(
        json.dumps({"architectures": [built], "model_type": kind, "vocab_size": 30522, **keys})
    )
    _, answer = fit(str(tmp_path), "--on", "4090")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert (found["engine"], found["speed"]) == ("transformers", None)


def test_training_is_an_estimate() -> None:
    _, answer = fit("Qwen2.5-7B", "--on", "4090", "--train", "qlora")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert found["verdict"] == "fits"
    assert "training" in found["estimated"]
    assert found["memory"]["total"] == sum(size for term, size in found["memory"].items() if term != "total")


# What it is called, what runs it, its weights in 10^9 bytes as published.
PACKED = """\
mlx-community/Qwen3-0.6B-4bit                    mlx        0.343
mlx-community/Qwen3.5-397B-A17B-8bit             mlx        422.0
Qwen3-8B-UD-Q4_K_XL.gguf                         llama.cpp  5.13
Qwen3-8B-AWQ                                     vllm       6.10
"""


@pytest.mark.parametrize("line", PACKED.splitlines())
def test_a_label_stands_for_the_bytes_that_such_files_have(line: str) -> None:
    name, engine, size = line.split()
    _, answer = fit(name, "--on", "M3 Ultra 512GB")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert found["engine"] == engine
    assert found["memory"]["weights"] / 1e9 == pytest.approx(float(size), rel=0.03)


@pytest.mark.parametrize("heads", [{"num_attention_heads": 0, "num_key_value_heads": 0}, {"num_attention_heads": -1}])
def test_attention_without_heads_is_not_said_to_fit(tmp_path: Path, heads: dict[str, int]) -> None:
    rest = {key: value for key, value in CONFIG.items() if key not in ("num_attention_heads", "num_key_value_heads")}
    (tmp_path / "config.json").write_text(json.dumps(rest | heads))
    status, answer = fit(str(tmp_path), "--on", "4090")
    assert status == 2
    assert "heads" in str(answer["error"])


def test_absurd_figures_do_not_fit(tmp_path: Path) -> None:
    most = (1 << 40) - 1
    keys = ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads", "vocab_size")
    (tmp_path / "config.json").write_text(
        json.dumps(CONFIG | dict.fromkeys(keys, most) | {"num_hidden_layers": 10_000})
    )
    status, answer = fit(str(tmp_path), "--on", "8xH100")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert (status, found["verdict"]) == (0, "no")


def test_what_a_driver_takes_is_an_estimate(folder: str) -> None:
    for device, estimated in (("4090", ["weights", "compute", "overhead"]), ("cpu", ["weights"])):
        _, answer = fit(folder, "--on", device, "--quant", "Q2_K", "--context", "512")
        (found,) = answer["fits"]  # type: ignore[misc]
        assert found["estimated"] == estimated


COMMANDS = [
    (page, line)
    for page in ("en", "zh")
    for line in (Path(__file__).parents[2] / "docs" / page / "fit.md").read_text("utf-8").splitlines()
    if line.startswith("weigh fit ")
]


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_of_the_page_runs(page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [*shlex.split(line)[1:], "--quiet", "--lang", page]
    assert CliRunner().invoke(weigh, arguments, standalone_mode=False).return_value == 0
