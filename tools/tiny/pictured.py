"""Models of random weights that chat about pictures: LLaVA and Qwen2-VL, as transformers saves them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tools.tiny.text import SPECIAL, byte_pairs

if TYPE_CHECKING:
    from transformers import Qwen2VLForConditionalGeneration

_TURNS = (
    "{{% for m in messages %}}<|im_start|>{{{{ m['role'] }}}}\n{{% if m['content'] is string %}}{{{{ m['content'] }}}}"
    "{{% else %}}{{% for c in m['content'] %}}{{% if c['type'] == 'image' %}}{image}"
    "{{% else %}}{{{{ c['text'] }}}}{{% endif %}}{{% endfor %}}{{% endif %}}<|im_end|>\n{{% endfor %}}"
    "{{% if add_generation_prompt %}}<|im_start|>assistant\n{{% endif %}}"
)
QWEN_SPECIAL = (*SPECIAL, "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")


def write(folder: Path) -> None:
    """`llava` and `qwen`."""
    import torch

    torch.manual_seed(0)
    _llava(folder / "llava")
    qwen(folder / "qwen")


def _llava(folder: Path) -> None:
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    template = _TURNS.format(image="<image>")
    tokenizer = byte_pairs((*SPECIAL, "<image>"), template)
    seen = CLIPVisionConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=32, patch_size=8,
        projection_dim=32,
    )  # fmt: skip
    said = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, initializer_range=0.2, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    image = tokenizer.convert_tokens_to_ids("<image>")
    config = LlavaConfig(vision_config=seen, text_config=said, image_token_index=image)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    LlavaProcessor(
        images, tokenizer, patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=template,
    ).save_pretrained(folder)  # fmt: skip


def qwen(folder: Path) -> Qwen2VLForConditionalGeneration:
    """The model too, for who writes it in another form."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLImageProcessor

    tokenizer = byte_pairs(QWEN_SPECIAL, _TURNS.format(image="<|vision_start|><|image_pad|><|vision_end|>"))
    start, end, image, film = (tokenizer.convert_tokens_to_ids(token) for token in QWEN_SPECIAL[3:])
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0},
            "bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id,
            "tie_word_embeddings": False, "initializer_range": 0.2,
        },
        vision_config={
            "depth": 3, "embed_dim": 64, "num_heads": 4, "hidden_size": 64, "mlp_ratio": 2, "patch_size": 14,
            "initializer_range": 0.2,
        },
        image_token_id=image, video_token_id=film, vision_start_token_id=start, vision_end_token_id=end,
        tie_word_embeddings=False,
    )  # fmt: skip
    model = Qwen2VLForConditionalGeneration(config).eval()
    model.generation_config.do_sample = False
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=28 * 28 * 16).save_pretrained(folder)
    return model
