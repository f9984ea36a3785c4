"""What takes longer: large headers in bounded memory."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from weigh.app.weigh import weigh


@pytest.mark.heavy
def test_a_sparse_model_of_141_gigabytes_is_weighed(tmp_path: Path) -> None:
    shards, each = 30, 35
    nbytes = 141_000_000_000 // (shards * each) // 2 * 2
    files = {}
    for shard in range(shards):
        name = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        table = {
            f"model.layers.{shard}.{number}.weight": {
                "dtype": "BF16",
                "shape": [nbytes // 2],
                "data_offsets": [number * nbytes, (number + 1) * nbytes],
            }
            for number in range(each)
        }
        files |= dict.fromkeys(table, name)
        text = json.dumps(table).encode()
        with (tmp_path / name).open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            file.truncate(8 + len(text) + each * nbytes)
    index = {"metadata": {"total_size": shards * each * nbytes}, "weight_map": files}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    report = weigh(str(tmp_path))
    assert report.verdict == "clean"
    assert report.model is not None and report.model.num_parameters is not None
    assert report.model.num_parameters.value == shards * each * nbytes // 2
