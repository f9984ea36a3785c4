"""Pictures are made ready for an ONNX graph as transformers makes them ready for its own."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy
import pytest
from PIL import Image

from weigh.core.engine import Failed
from weigh.engines.media import picture_of
from weigh.engines.onnx_pictured import pixels_of, preparation_of

CLIP = {
    "image_processor_type": "CLIPImageProcessor", "do_center_crop": True, "crop_size": 32, "resample": 3,
    "do_normalize": True, "image_mean": [0.48, 0.45, 0.4], "image_std": [0.26, 0.26, 0.27],
}  # fmt: skip
VIT = {
    "image_processor_type": "ViTImageProcessor",
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
CASES = {
    "clip-one-number": {**CLIP, "size": 32},
    "clip-shortest-edge": {**CLIP, "size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}},
    "vit-square": {**VIT, "size": {"height": 24, "width": 40}},
    "vit-one-number": {**VIT, "size": 32},
    "convnext": {
        **VIT,
        "image_processor_type": "ConvNextImageProcessor",
        "size": {"shortest_edge": 28},
        "crop_pct": 0.875,
    },
    "convnext-squeezed": {
        **VIT,
        "image_processor_type": "ConvNextImageProcessor",
        "size": {"shortest_edge": 384},
        "crop_pct": 0.875,
    },
    "not-normal": {**VIT, "size": 32, "do_normalize": False, "resample": 3},
    "as-it-is": {**VIT, "size": 32, "do_resize": False, "do_rescale": False, "do_normalize": False},
}


def picture(width: int, height: int) -> bytes:
    pixels = numpy.random.default_rng(width).integers(0, 255, (height, width, 3), "uint8")
    into = io.BytesIO()
    Image.fromarray(pixels).save(into, "PNG")
    return into.getvalue()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("size", [(64, 64), (97, 50), (51, 131), (20, 33)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", CASES)
def test_pixels_are_the_library_s(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    import transformers

    (tmp_path / "preprocessor_config.json").write_text(json.dumps(CASES[name]))
    own = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    data = picture(*size)
    expected = own(images=picture_of(data), return_tensors="np")["pixel_values"]
    found = pixels_of(picture_of(data), preparation_of(str(tmp_path)))
    assert found.shape == expected.shape
    assert numpy.abs(found - expected).max() <= 1e-5 * max(numpy.abs(expected).max(), 1)


def test_a_whole_processor_s_file_says_it_too(tmp_path: Path) -> None:
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": CLIP}))
    assert preparation_of(str(tmp_path)) == CLIP


def test_a_repository_that_says_nothing_of_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failed) as caught:
        preparation_of(str(tmp_path))
    assert caught.value.fault.kind == "unsupported"
