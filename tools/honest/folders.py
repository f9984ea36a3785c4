"""Repository folders as transformers, diffusers, sentence-transformers and their kin save them."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import tokenizers
import torch
import transformers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from tools.honest import Honest, pickled, saved

_SIZES = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 64,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
    "head_dim": 8,
}  # fmt: skip
_PICTURES = _SIZES | {"image_size": 32, "patch_size": 16}
_EXPERTS = _SIZES | {"num_local_experts": 2, "num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 8}
_SHAPES: dict[str, tuple[str, dict[str, object]]] = {
    "LlamaForCausalLM": ("LlamaConfig", _SIZES),
    "MistralForCausalLM": ("MistralConfig", _SIZES),
    "Qwen2ForCausalLM": ("Qwen2Config", _SIZES),
    "Qwen3ForCausalLM": ("Qwen3Config", _SIZES),
    "Qwen3MoeForCausalLM": ("Qwen3MoeConfig", _EXPERTS),
    "MixtralForCausalLM": ("MixtralConfig", _EXPERTS),
    "GemmaForCausalLM": ("GemmaConfig", _SIZES),
    "PhiForCausalLM": ("PhiConfig", _SIZES),
    "GPT2LMHeadModel": ("GPT2Config", {"n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 64, "bos_token_id": 1, "eos_token_id": 2}),
    "GPTNeoXForCausalLM": ("GPTNeoXConfig", _SIZES),
    "BertForMaskedLM": ("BertConfig", _SIZES),
    "RobertaForSequenceClassification": ("RobertaConfig", _SIZES),
    "DistilBertModel": ("DistilBertConfig", {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16, "vocab_size": 64}),
    "T5ForConditionalGeneration": ("T5Config", {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": 64}),
    "BartForConditionalGeneration": ("BartConfig", {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 64}),
    "ViTForImageClassification": ("ViTConfig", _PICTURES),
    "CLIPModel": ("CLIPConfig", {"text_config": _SIZES, "vision_config": _PICTURES, "projection_dim": 16}),
    "WhisperForConditionalGeneration": ("WhisperConfig", {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 64, "num_mel_bins": 8, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}),
    "ElectraModel": ("ElectraConfig", _SIZES | {"embedding_size": 16}),
    "XLMRobertaModel": ("XLMRobertaConfig", _SIZES),
    "MambaForCausalLM": ("MambaConfig", {"hidden_size": 16, "num_hidden_layers": 1, "vocab_size": 64}),
    "DetrForObjectDetection": ("DetrConfig", {}),
}  # fmt: skip
del _SHAPES["DetrForObjectDetection"]  # it would fetch a backbone


def _model(name: str) -> transformers.PreTrainedModel:
    config, values = _SHAPES[name]
    return getattr(transformers, name)(getattr(transformers, config)(**values))


def _saved(name: str, *, shard: str | None = None, old: bool = False) -> Honest:
    def write(folder: Path) -> Path:
        inside, model = folder / name, _model(name)
        model.save_pretrained(inside, **({"max_shard_size": shard} if shard else {}))
        if old:
            torch.save(model.state_dict(), inside / "pytorch_model.bin")
            (inside / "model.safetensors").unlink()
        (inside / "README.md").write_text(
            "---\nlicense: mit\npipeline_tag: text-generation\n---\n# A model\n\n`pip install x`\n"
        )
        return inside

    kind = "in shards" if shard else "as bin" if old else "as safetensors"
    return Honest(f"{name} {kind}", write, functools.partial(_read, getattr(transformers, name)))


def _read(kind: type[transformers.PreTrainedModel], folder: Path) -> object:
    model, notes = kind.from_pretrained(folder, output_loading_info=True)
    assert not notes["mismatched_keys"] and not notes["unexpected_keys"]
    return model


def _old_shards(folder: Path) -> Path:
    inside, model = folder / "old_shards", _model("LlamaForCausalLM")
    model.config.save_pretrained(inside)
    state = model.state_dict()
    names = [f"pytorch_model-0000{number}-of-00002.bin" for number in (1, 2)]
    halves = {
        name: {key: value for at, (key, value) in enumerate(state.items()) if at % 2 == number}
        for number, name in enumerate(names)
    }
    for name, half in halves.items():
        torch.save({key: value.clone() for key, value in half.items()}, inside / name)
    total = sum(value.numel() * value.element_size() for value in state.values())
    index = {
        "metadata": {"total_size": total},
        "weight_map": {key: name for name, half in halves.items() for key in half},
    }
    (inside / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    return inside


def tokenizer(template: str | dict[str, str] | None = None) -> transformers.PreTrainedTokenizerFast:
    """A small byte-level tokenizer."""
    own = tokenizers.Tokenizer(models.BPE())
    own.pre_tokenizer, own.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    own.train_from_iterator(
        ["a model is weighed"] * 3,
        trainers.BpeTrainer(vocab_size=60, special_tokens=["<pad>", "<s>", "</s>"], show_progress=False),
    )
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=own, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    made.chat_template = template
    return made


def _with_tokenizer(folder: Path) -> Path:
    inside = folder / "chatty"
    _model("LlamaForCausalLM").save_pretrained(inside)
    tokenizer("{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}").save_pretrained(inside)
    return inside


def _read_with_tokenizer(folder: Path) -> object:
    transformers.AutoModelForCausalLM.from_pretrained(folder)
    return transformers.AutoTokenizer.from_pretrained(folder).apply_chat_template(
        [{"role": "user", "content": "a"}], tokenize=False
    )


def _bert_files(folder: Path) -> Path:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "model", "##s"]
    own = tokenizers.Tokenizer(models.WordPiece({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    own.normalizer, own.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    own.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=own, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]"
    ).save_pretrained(folder)  # fmt: skip
    return folder


def _sentences(folder: Path) -> Path:
    import sentence_transformers
    from sentence_transformers import models as parts

    base = folder / "base"
    transformers.BertModel(transformers.BertConfig(**_SIZES)).save_pretrained(base)
    _bert_files(base)
    first = parts.Transformer(str(base))
    modules = [first, parts.Pooling(16), parts.Dense(16, 8), parts.Normalize()]
    sentence_transformers.SentenceTransformer(modules=modules, device="cpu").save(str(folder / "sentences"))
    return folder / "sentences"


def _read_sentences(folder: Path) -> object:
    import sentence_transformers

    return sentence_transformers.SentenceTransformer(str(folder), device="cpu")


def _diffused(folder: Path) -> Path:
    import diffusers

    unet = diffusers.UNet2DModel(sample_size=8, block_out_channels=(4, 4), norm_num_groups=2, down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"), layers_per_block=1)  # fmt: skip
    diffusers.DDPMPipeline(unet, diffusers.DDPMScheduler()).save_pretrained(folder / "ddpm")
    return folder / "ddpm"


def _painted(folder: Path) -> Path:
    """A whole text-to-image pipeline, its safety checker left out as its own documents show."""
    import diffusers

    unet = diffusers.UNet2DConditionModel(sample_size=8, block_out_channels=(4, 8), norm_num_groups=2, layers_per_block=1, cross_attention_dim=16, attention_head_dim=2, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"))  # fmt: skip
    vae = diffusers.AutoencoderKL(block_out_channels=(4,), norm_num_groups=2, sample_size=8)
    text = transformers.CLIPTextModel(transformers.CLIPTextConfig(**_SIZES))
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a": 2, "a</w>": 3}
    vocabulary = transformers.CLIPTokenizer(vocab=words, merges=[])
    diffusers.StableDiffusionPipeline(vae, text, vocabulary, unet, diffusers.DDIMScheduler(), None, None, requires_safety_checker=False).save_pretrained(folder / "painted")  # fmt: skip
    return folder / "painted"


def _read_pipeline(folder: Path) -> object:
    import diffusers

    return diffusers.DiffusionPipeline.from_pretrained(folder)


def _adapter(folder: Path, *, old: bool) -> Path:
    """As PEFT lays an adapter out."""
    from safetensors.torch import save_file

    inside = folder / "adapter"
    inside.mkdir()
    weights = {
        f"base_model.model.model.layers.0.self_attn.{part}_proj.lora_{side}.weight": torch.ones(4, 4)
        for part in "qv"
        for side in "AB"
    }
    torch.save(weights, inside / "adapter_model.bin") if old else save_file(
        weights, inside / "adapter_model.safetensors", {"format": "pt"}
    )
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "base_model_name_or_path": "org/base", "auto_mapping": None, "bias": "none", "modules_to_save": None}  # fmt: skip
    (inside / "adapter_config.json").write_text(json.dumps(config))
    return inside


def _read_adapter(folder: Path) -> object:
    from safetensors.torch import load_file

    old = folder / "adapter_model.bin"
    return torch.load(old) if old.exists() else load_file(folder / "adapter_model.safetensors")


def _processor(folder: Path) -> Path:
    inside = folder / "vision"
    _model("ViTForImageClassification").save_pretrained(inside)
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(inside)
    return inside


_OBJECTS: dict[str, Callable[[], object]] = {
    "configuration": lambda: transformers.LlamaConfig(**_SIZES),
    "tokenizer": tokenizer,
    "generation": lambda: transformers.GenerationConfig(max_new_tokens=3),
    "added_token": lambda: tokenizers.AddedToken("<x>"),
    "raw_tokenizer": lambda: tokenizer().backend_tokenizer,
    "batch": lambda: transformers.BatchEncoding({"input_ids": [[1, 2]]}),
    "feature": lambda: transformers.BatchFeature({"x": [1]}),
    "processor": lambda: transformers.ViTImageProcessor(),
}

CASES: tuple[Honest, ...] = (
    *(_saved(name) for name in _SHAPES),
    *(_saved(name, old=True) for name in ("LlamaForCausalLM", "BertForMaskedLM", "GPT2LMHeadModel", "T5ForConditionalGeneration", "CLIPModel")),
    *(_saved(name, shard="4KB") for name in ("LlamaForCausalLM", "Qwen3MoeForCausalLM")),
    *(saved(f"{name}_whole.pt", functools.partial(_model, name)) for name in ("LlamaForCausalLM", "BertForMaskedLM", "GPT2LMHeadModel", "T5ForConditionalGeneration", "ViTForImageClassification", "CLIPModel")),
    *(pickled(name, make) for name, make in _OBJECTS.items()),
    Honest("old shards", _old_shards, functools.partial(_read, transformers.LlamaForCausalLM)),
    Honest("with tokenizer", _with_tokenizer, _read_with_tokenizer),
    Honest("with image processor", _processor, lambda folder: transformers.AutoImageProcessor.from_pretrained(folder)),
    Honest("sentence-transformers", _sentences, _read_sentences),
    Honest("diffusers", _diffused, _read_pipeline),
    Honest("stable diffusion", _painted, _read_pipeline),
    Honest("adapter", functools.partial(_adapter, old=False), _read_adapter),
    Honest("old adapter", functools.partial(_adapter, old=True), _read_adapter),
)  # fmt: skip
