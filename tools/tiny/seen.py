"""Models of random weights that look at pictures: one that classifies, two that detect, one that measures, CLIP."""

from __future__ import annotations

from pathlib import Path

LABELS = {0: "cat", 1: "dog", 2: "scales"}


def write(folder: Path) -> None:
    """`classifier`, `detector`, `detr`, `depth` and `clip`, each as transformers saves it."""
    import torch
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPProcessor,
        DepthAnythingConfig,
        DepthAnythingForDepthEstimation,
        Dinov2Config,
        DPTImageProcessor,
        ViTConfig,
        ViTForImageClassification,
        ViTImageProcessor,
        YolosConfig,
        YolosForObjectDetection,
        YolosImageProcessor,
    )

    torch.manual_seed(0)
    small = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "initializer_range": 0.5,
    }
    named = {"id2label": LABELS, "label2id": {name: number for number, name in LABELS.items()}}
    side = {"height": 32, "width": 32}
    ViTForImageClassification(ViTConfig(**small, **named, image_size=32, patch_size=8)).save_pretrained(
        folder / "classifier"
    )
    ViTImageProcessor(size=side).save_pretrained(folder / "classifier")
    yolos = YolosConfig(**small, **named, image_size=[32, 32], patch_size=8, num_detection_tokens=5)
    YolosForObjectDetection(yolos).save_pretrained(folder / "detector")
    YolosImageProcessor(size={"shortest_edge": 32, "longest_edge": 32}).save_pretrained(folder / "detector")
    _detr(folder / "detr")
    back = Dinov2Config(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, mlp_ratio=2, image_size=28, patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False,
    )  # fmt: skip
    depth = DepthAnythingConfig(
        backbone_config=back, patch_size=14, reassemble_hidden_size=32, reassemble_factors=[4, 2, 1, 0.5],
        neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8, head_in_index=-1, head_hidden_size=8,
    )  # fmt: skip
    DepthAnythingForDepthEstimation(depth).save_pretrained(folder / "depth")
    DPTImageProcessor(size={"height": 28, "width": 28}, ensure_multiple_of=14, keep_aspect_ratio=True).save_pretrained(
        folder / "depth"
    )
    text = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 64, "max_position_embeddings": 32, "bos_token_id": 0, "eos_token_id": 1}  # fmt: skip
    vision = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
              "image_size": 32, "patch_size": 8}  # fmt: skip
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)).save_pretrained(folder / "clip")
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=side)
    CLIPProcessor(images, clip_tokenizer()).save_pretrained(folder / "clip")


def _detr(folder: Path) -> None:
    from transformers import DetrConfig, DetrForObjectDetection, DetrImageProcessor, ResNetConfig

    back = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage4"],
    )  # fmt: skip
    config = DetrConfig(
        backbone_config=back, use_timm_backbone=False, use_pretrained_backbone=False, num_queries=5, d_model=32,
        encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_ffn_dim=32, id2label=LABELS, label2id={name: number for number, name in LABELS.items()},
    )  # fmt: skip
    DetrForObjectDetection(config).save_pretrained(folder)
    DetrImageProcessor(size={"shortest_edge": 32, "longest_edge": 64}).save_pretrained(folder)


def clip_tokenizer() -> object:
    """Letters, one a token."""
    from transformers import CLIPTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=32)
