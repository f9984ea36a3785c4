"""`weigh fit` as it is typed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from tests.fit.heads import whole, write
from weigh.cli.main import weigh

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
    assert "command" not in found


def test_experts_go_to_the_host_before_layers_do() -> None:
    _, answer = fit("Qwen3-30B-A3B-Q8_0.gguf", "--on", "4090")
    (found,) = answer["fits"]  # type: ignore[misc]
    assert (found["verdict"], "--cpu-moe" in found["command"]) == ("offload", True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Qwen3-8B", "--on", "banana"), "banana"),
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


def test_absurd_configurations_are_answered(tmp_path: Path) -> None:
    for change in ({"num_attention_heads": 0}, {"hidden_size": 10**30}, {"num_hidden_layers": -1}, {"vocab_size": "x"}):
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


@pytest.mark.parametrize("name", ["out.png", "nowhere/out.svg"])
def test_a_picture_that_cannot_be_is_one_line(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(
        weigh, ["fit", "Qwen3-8B", "--on", "4090", "--quiet", "--plot", str(tmp_path / name)], standalone_mode=False
    )
    assert done.return_value == 2
    assert len(done.output.splitlines()) == 2


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
    assert "speed" not in found
    assert "compute" in found["estimated"]


@pytest.mark.parametrize("size", ["0x0", "1280", "axb", "1280x720x0", "99999999999x1", "1x1x1x1"])
def test_a_size_that_cannot_be_is_one_line(size: str) -> None:
    status, answer = fit("Wan2.1-T2V-14B", "--on", "4090", "--size", size)
    assert status == 2
    assert "1280x720x129" in str(answer["error"])


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
