"""What a checkpoint is, told from its tensors' names and shapes, whatever lies around them."""

from __future__ import annotations

import random
import re
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weigh.app.weigh import weigh
from weigh.core.model import Contents
from weigh.core.tensors import TensorInfo
from weigh.describe.contents import contents
from weigh.knowledge.checkpoints import adapters, checkpoints
from weigh.text.contents import contents_line

ROWS = {row.id: row for row in checkpoints()}


def tensor(name: str, *shape: int) -> TensorInfo:
    return TensorInfo(name=name, dtype="F16", shape=shape, nbytes=2)


def network(id: str, prefix: str = "") -> list[TensorInfo]:
    """The tensors that one row asks for."""
    return [tensor(prefix + name, *(length or 8 for length in shape)) for name, shape in ROWS[id].has.items()]


def told(*tensors: TensorInfo, keys: tuple[str, ...] = ()) -> str:
    found = contents(tensors, keys)
    return contents_line(found, "en") if found is not None else ""


@pytest.mark.parametrize("id", sorted(ROWS))
@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "state_dict.module."])
def test_each_network_is_told_alone_under_any_prefix(id: str, prefix: str) -> None:
    found = contents(network(id, prefix))
    assert found is not None
    assert (found.kind, found.family, found.variant) == ("component", ROWS[id].family, ROWS[id].variant)


SDXL = [
    *network("sdxl", "model.diffusion_model."),
    *network("vae-sd", "first_stage_model."),
    *network("clip-l", "conditioner.embedders.0.transformer."),
    *network("openclip-g-open", "conditioner.embedders.1.model."),
]
SD1 = [
    *network("sd1", "model.diffusion_model."),
    *network("vae-sd", "first_stage_model."),
    *network("clip-l", "cond_stage_model.transformer."),
]
WHOLE: list[tuple[str, list[TensorInfo], tuple[str, ...]]] = [
    ("SDXL checkpoint: UNet + VAE + two text encoders", SDXL, ()),
    ("SD 1.x checkpoint: UNet + VAE + text encoder", SD1, ()),
    (
        "SD 1.x checkpoint: UNet + VAE + text encoder with an optimizer's state, an averaged copy (EMA), "
        "PyTorch Lightning's bookkeeping",
        [*[tensor(f"state_dict.{one.name}", *one.shape) for one in SD1], tensor("model_ema.decay")],
        ("pytorch-lightning_version", "optimizer_states"),
    ),
    (
        "SD 3.5 large checkpoint: diffusion transformer + VAE + three text encoders",
        [
            *network("sd3.5-large", "model.diffusion_model."),
            *network("vae-flux1", "first_stage_model."),
            *network("clip-l", "text_encoders.clip_l.transformer."),
            *network("openclip-g", "text_encoders.clip_g.transformer."),
            *network("t5-xxl", "text_encoders.t5xxl.transformer."),
        ],
        (),
    ),
    (
        "Qwen-Image checkpoint: diffusion transformer + VAE + text encoder with a ComfyUI workflow",
        [
            *network("qwen-image", "model.diffusion_model."),
            *network("vae-wan2.1", "vae."),
            *network("llama-hf", "text_encoders.qwen25_7b.transformer.model."),
            *network("qwen2.5-vl", "text_encoders.qwen25_7b.transformer."),
        ],
        ("workflow", "prompt"),
    ),
    ("FLUX.1 schnell: diffusion transformer", network("flux1-schnell"), ()),
    ("Wan 2.2 (text and image to video): diffusion transformer", network("wan2.2-ti2v-5b"), ()),
    ("SD 1.x / 2.x / SDXL: VAE", network("vae-sd"), ()),
    ("a textual inversion embedding for SD 1.x", [tensor("emb_params", 4, 768)], ()),
    ("a textual inversion embedding for SD 2.x", [tensor("string_to_param.*", 2, 1024)], ()),
    ("a textual inversion embedding for SDXL", [tensor("clip_l", 2, 768), tensor("clip_g", 2, 1280)], ()),
    ("the state of a training, no model with an optimizer's state", [tensor("state.0.exp_avg", 4)], ("state", "param_groups")),
    ("", [tensor("nobody.knows", 3)], ()),
]  # fmt: skip


@pytest.mark.parametrize(("line", "tensors", "keys"), WHOLE, ids=[line for line, _, _ in WHOLE])
def test_what_a_checkpoint_is_takes_one_line(line: str, tensors: list[TensorInfo], keys: tuple[str, ...]) -> None:
    shuffled = random.Random(1).sample(tensors, len(tensors))
    assert told(*shuffled, keys=keys) == line


ADAPTERS = """
LoRA adapter for SD 1.x      lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight   4x768
LoRA adapter for SD 2.x      lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight   4x1024
LoRA adapter for SDXL        lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight   4x2048
LoRA adapter for SDXL        lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight   5120x4
LoRA adapter for SDXL        unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight   4x2048
LoRA adapter for FLUX.1      transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight   16x3072
LoRA adapter for FLUX.1      lora_unet_double_blocks_0_img_attn_proj.lora_down.weight   16x3072
LoRA adapter for FLUX.1      lora_unet_double_blocks_18_img_attn_qkv.lora_down.weight   16x3072
LoRA adapter                 lora_unet_double_blocks_19_img_attn_qkv.lora_down.weight   16x3072
LoRA adapter for FLUX.2      transformer.single_transformer_blocks.47.attn.to_out.lora_A.weight   16x6144
LoRA adapter for HunyuanVideo  transformer.context_embedder.token_refiner.refiner_blocks.0.attn.to_q.lora_A.weight   16x3072
LoRA adapter for Wan         diffusion_model.blocks.0.cross_attn.k.lora_A.weight   32x5120
LoRA adapter for Qwen-Image  transformer.transformer_blocks.0.img_mlp.net.2.lora_B.weight   3072x16
LoRA adapter for Llama-like  base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight   8x4096
DoRA adapter for Llama-like  base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector   4096
LoHa adapter for SDXL        lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.hada_w1_b   4x2048
LoKr adapter                 lycoris_mid_block_attentions_0_proj_in.lokr_w1   8x8
IA3 adapter for Llama-like   base_model.model.model.layers.0.self_attn.k_proj.ia3_l   1024x1
LoRA adapter                 layers.0.attention.wq.weight.loraA   4x32
"""


@pytest.mark.parametrize("line", ADAPTERS.strip().splitlines())
def test_an_adapter_is_told_with_its_method_and_whom_it_is_for(line: str) -> None:
    expected, name, shape = re.split(r"\s{2,}", line)
    assert told(tensor(name, *map(int, shape.split("x")))) == expected


def test_a_model_with_one_merged_adapter_inside_is_a_model_still() -> None:
    assert told(
        *network("llama-hf", "model."), tensor("model.layers.0.self_attn.q_proj.lora_A.weight", 8, 64)
    ).startswith("Llama-like")


def test_lines_are_said_in_chinese_too() -> None:
    found = contents(SDXL)
    assert isinstance(found, Contents)
    assert contents_line(found, "zh") == "SDXL 检查点：UNet + VAE + 两个文本编码器"


def safetensors(path: Path, tensors: list[TensorInfo], **metadata: str) -> None:
    """Headers alone are written; the tensors' bytes are a hole in the file."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for one in tensors:
        header[one.name] = {"dtype": "F16", "shape": one.shape, "data_offsets": [at, at + one.num_elements * 2]}
        at += one.num_elements * 2
    text = msgspec.json.encode(header)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)


def test_a_single_file_shows_what_it_is_whatever_it_is_called(tmp_path: Path) -> None:
    safetensors(tmp_path / "model.dat", SDXL, workflow="{}")
    found = weigh(str(tmp_path / "model.dat")).model
    assert found is not None and found.contents is not None
    assert (found.contents.value.family, found.contents.value.beside) == ("SDXL", ("workflow",))


def test_a_pipeline_folder_is_read_part_by_part(tmp_path: Path) -> None:
    index = {
        "_class_name": "StableDiffusionXLPipeline",
        "_diffusers_version": "0.30.0",
        "feature_extractor": [None, None],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (tmp_path / "model_index.json").write_bytes(msgspec.json.encode(index))
    safetensors(tmp_path / "unet" / "diffusion_pytorch_model.safetensors", network("sdxl-diffusers"))
    safetensors(tmp_path / "unet" / "diffusion_pytorch_model.fp16.safetensors", network("sdxl-diffusers"))
    (tmp_path / "unet" / "config.json").write_text('{"sample_size": 128}')
    safetensors(tmp_path / "vae" / "diffusion_pytorch_model.safetensors", network("vae-sd-diffusers"))
    safetensors(tmp_path / "text_encoder" / "model.safetensors", network("clip-l"))
    safetensors(tmp_path / "text_encoder_2" / "model.safetensors", network("openclip-g"))
    report = weigh(str(tmp_path))
    assert report.format == "diffusers"
    assert report.model is not None and report.model.contents is not None and report.model.num_parameters is not None
    assert contents_line(report.model.contents.value, "en") == "SDXL checkpoint: UNet + VAE + two text encoders"
    parts = ["sdxl-diffusers", "vae-sd-diffusers", "clip-l", "openclip-g"]
    assert report.model.num_parameters.value == sum(one.num_elements for id in parts for one in network(id))


def test_a_pipeline_whose_classes_lie_in_the_folder_is_seen_to_bring_code(tmp_path: Path) -> None:
    from weigh.formats import folder_formats
    from weigh.sources.folder import Folder

    index = {"_class_name": ["pipeline", "Mine"], "unet": ["my_unet", "Mine"], "vae": ["diffusers", "AutoencoderKL"]}
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "my_unet.py").write_text("class Mine: ...")
    (tmp_path / "model_index.json").write_bytes(msgspec.json.encode(index))
    listing = Folder(str(tmp_path))
    format = next(format for format in folder_formats() if format.matches(listing))
    seen = [one.value for one in format.examine(listing, format.read(listing)) if one.kind == "code"]
    assert seen == ["pipeline pipeline Mine", "component my_unet Mine"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"unet": 3, "vae": ["a"], "_class_name": 7}'])
def test_an_odd_index_is_answered(tmp_path: Path, text: str) -> None:
    (tmp_path / "model_index.json").write_text(text)
    assert weigh(str(tmp_path)).format == "diffusers"


def test_a_folder_that_says_it_adapts_another_model_is_an_adapter(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "VERA", "base_model_name_or_path": "nova/Nova"}')
    safetensors(tmp_path / "adapter_model.safetensors", [tensor("base_model.vera_lambda_b", 8)])
    found = weigh(str(tmp_path)).model
    assert found is not None and found.contents is not None
    assert contents_line(found.contents.value, "en") == "VERA adapter"


def test_every_component_and_variant_has_words() -> None:
    from weigh.text import has_words

    assert {f"component.{row.component}" for row in ROWS.values()} == {
        f"component.{row.component}" for row in ROWS.values() if has_words(f"component.{row.component}", "en")
    }
    assert all(has_words(f"variant.{row.variant}", "zh") for row in ROWS.values() if row.variant)
    assert len(adapters()) > 5


@pytest.mark.parametrize(
    "packing",
    [
        "qweight",
        "weight_packed",
        "q_weight",
        "trellis",
        "codes",
        "W_q",
        "weight._data",
        "weight._data._data",
        "_weight_qdata",
    ],
)
def test_packed_weights_go_by_the_name_they_have_unpacked(packing: str) -> None:
    names = [name.removesuffix("weight") + packing for name in ROWS["llama-hf"].has]
    assert told(*[tensor(f"model.{name}", 8, 8) for name in names]) == "Llama-like: language model"


def test_four_bits_of_bitsandbytes_are_told_though_their_shape_is_a_column() -> None:
    rows = [tensor("img_in.weight", 98304, 1), tensor("img_in.weight.absmax", 3072), *network("flux1-dev")[:1]]
    rest = [one for one in network("flux1-dev") if one.name != "img_in.weight"]
    assert told(*rows, *rest) == "FLUX.1 dev: diffusion transformer"


def test_a_gguf_of_a_network_that_draws_is_told(tmp_path: Path) -> None:
    import numpy as np
    from gguf import GGUFWriter

    writer = GGUFWriter(tmp_path / "model.dat", "flux")
    for one in network("flux1-schnell"):
        writer.add_tensor(one.name, np.zeros(one.shape or (8, 8), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = weigh(str(tmp_path / "model.dat")).model
    assert found is not None and found.contents is not None
    assert contents_line(found.contents.value, "en") == "FLUX.1 schnell: diffusion transformer"


def test_a_whole_module_is_told_and_what_stands_empty_beside_it_is_not(tmp_path: Path) -> None:
    import torch

    state = {one.name: torch.zeros(8, 8, 1, 1) for one in network("yolo", "model.")}
    torch.save({"model": state, "optimizer": None, "ema": None, "epoch": -1}, tmp_path / "model.dat")
    found = weigh(str(tmp_path / "model.dat")).model
    assert found is not None and found.contents is not None
    assert contents_line(found.contents.value, "en") == "YOLO (Ultralytics): object detector"


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_checkpoint_of_lightning_shows_its_bookkeeping(tmp_path: Path, zipped: bool) -> None:
    import torch

    state = {
        f"model.diffusion_model.{one.name}": torch.empty(one.shape or (8,), device="meta") for one in network("sd1")
    }
    small = {name: torch.zeros(1).expand(one.shape) for name, one in state.items()}
    checkpoint = {"state_dict": small, "pytorch-lightning_version": "1.7", "callbacks": {}, "optimizer_states": []}
    torch.save(checkpoint, tmp_path / "model.dat", _use_new_zipfile_serialization=zipped)
    found = weigh(str(tmp_path / "model.dat")).model
    assert found is not None and found.contents is not None
    assert (found.contents.value.family, found.contents.value.beside) == ("SD 1.x", ("optimizer", "lightning"))


def test_layers_that_a_packed_model_keeps_are_shown(tmp_path: Path) -> None:
    layer = "model.layers.0.self_attn.q_proj"
    rows = [tensor(f"{layer}.{name}", *shape) for name, shape in (("qweight", (256, 16)), ("scales", (2, 128)))]
    rows += [tensor("model.layers.0.mlp.gate_proj.qweight", 256, 16), tensor("lm_head.weight", 100, 256)]
    safetensors(tmp_path / "model.safetensors", rows)
    found = weigh(str(tmp_path / "model.safetensors")).model
    assert found is not None and found.contents is not None
    assert found.contents.value.unquantised == ("lm_head",)


NAMES = sorted(
    {name for row in ROWS.values() for name in row.has} | {"emb_params", "x.lora_A.weight", "optimizer.state.0.exp_avg"}
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", ".", "model.", "ema.", "\n"]),
            st.one_of(st.sampled_from(NAMES), st.text(max_size=20)),
            st.lists(st.integers(-5, 1 << 70), max_size=5),
        )
    ),
    st.lists(st.sampled_from(["state", "param_groups", "ema", "workflow", "optimizer"])),
)
def test_any_names_and_shapes_are_answered(rows: list[tuple[str, str, list[int]]], keys: list[str]) -> None:
    found = contents([tensor(prefix + name, *shape) for prefix, name, shape in rows], keys)
    if found is not None:
        assert contents_line(found, "en") and contents_line(found, "zh")
