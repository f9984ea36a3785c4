"""What a GGUF gives layer by layer reaches every layer, beyond the first sixteen too."""

from __future__ import annotations

from pathlib import Path

from gguf import GGUFWriter

from weigh.describe.architecture import from_gguf
from weigh.formats import gguf
from weigh.sources.file import FileSource


def test_key_value_heads_of_forty_layers_are_all_kept(tmp_path: Path) -> None:
    heads = [8 if number % 2 else 2 for number in range(40)]
    writer = GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_block_count(40)
    writer.add_embedding_length(256)
    writer.add_head_count(8)
    writer.add_head_count_kv(heads)
    writer.add_array("tokenizer.ggml.scores", [float(number) for number in range(40)])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with FileSource(tmp_path / "model.gguf") as source:
        metadata = gguf.read(source).metadata
    architecture = from_gguf(metadata)
    assert architecture is not None
    assert [layer.num_key_value_heads for layer in architecture.layers] == heads
    assert not isinstance(metadata["tokenizer.ggml.scores"], tuple)
