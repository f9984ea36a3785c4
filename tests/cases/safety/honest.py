"""Clean files, each written by the library whose format it is."""

from __future__ import annotations

import argparse
import collections
import datetime
import decimal
import enum
import fractions
import functools
import operator
import pathlib
import pickle
import re
import types
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tests.cases.safety.templates import HONEST

Maker = Callable[[Path], Path]


def _torch(name: str, make: Callable[[], object], **options: object) -> tuple[str, Maker]:
    def write(folder: Path) -> Path:
        torch.save(make(), folder / name, **options)
        return folder / name

    return f"torch {name}", write


def _pickle(name: str, value: object, protocol: int = 4) -> tuple[str, Maker]:
    def write(folder: Path) -> Path:
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(value, protocol=protocol))
        return folder / f"{name}.pkl"

    return f"pickle {name} {protocol}", write


def _trained() -> dict[str, object]:
    model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    model(torch.ones(3, 4)).sum().backward()
    optimizer.step()
    scheduler.step()
    return {
        "epoch": 3,
        "global_step": 100,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": model.state_dict(),
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [scheduler.state_dict()],
        "hyper_parameters": argparse.Namespace(lr=1e-3, name="x", path=pathlib.PurePosixPath("a/b")),
        "callbacks": {"ModelCheckpoint{'monitor': 'loss'}": {"best_model_score": torch.tensor(0.5), "best_k": {}}},
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"current": {"ready": 1}}}},
        "rng": torch.get_rng_state(),
        "numpy_rng": np.random.RandomState(1).get_state(),
    }


def _tiny() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.SiLU(), nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.Flatten(),
        nn.Linear(16, 4), nn.Dropout(), nn.Softmax(dim=1), nn.ModuleList([nn.Embedding(4, 4), nn.LSTM(4, 4)]),
        nn.TransformerEncoderLayer(4, 2, activation="gelu"), nn.ParameterDict({"a": nn.Parameter(torch.ones(2))}),
    )  # fmt: skip


def _quantised() -> object:
    return {
        "q": torch.quantize_per_tensor(torch.randn(4, 4), 0.1, 0, torch.qint8),
        "c": torch.quantize_per_channel(torch.randn(4, 4), torch.ones(4), torch.zeros(4), 0, torch.quint8),
    }


def _sparse() -> object:
    dense = torch.eye(4)
    return {"coo": dense.to_sparse(), "csr": dense.to_sparse_csr(), "meta": torch.empty(4, device="meta")}


def _odd_views() -> object:
    base = torch.arange(100.0).reshape(10, 10)
    return {
        "t": base.t(),
        "slice": base[2:5, ::2],
        "expanded": torch.ones(1).expand(50),
        "empty": torch.empty(0, 4),
        "scalar": torch.tensor(3),
    }


def _dtypes() -> object:
    kinds = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.uint8, torch.int16, torch.int32,
             torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2, torch.uint16)  # fmt: skip
    return {str(kind): torch.zeros(3, dtype=kind) for kind in kinds}


def _script(folder: Path) -> Path:
    traced = torch.jit.trace(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), torch.ones(1, 4))
    torch.jit.save(traced, folder / "traced.pt")
    return folder / "traced.pt"


def _safetensors(name: str, metadata: Mapping[str, str] | None = None) -> tuple[str, Maker]:
    def write(folder: Path) -> Path:
        from safetensors.torch import save_file

        save_file(
            {"a.weight": torch.ones(4, 4), "b": torch.zeros(0), "c": torch.ones(3, dtype=torch.bfloat16)},
            folder / name,
            dict(metadata) if metadata else None,
        )
        return folder / name

    return f"safetensors {name}", write


def _gguf(name: str, template: str | None) -> tuple[str, Maker]:
    def write(folder: Path) -> Path:
        import gguf

        writer = gguf.GGUFWriter(folder / "tiny.gguf", "llama")
        writer.add_name("Tiny")
        writer.add_description("A model. See https://example.com for more.")
        writer.add_block_count(1)
        writer.add_context_length(128)
        writer.add_embedding_length(32)
        writer.add_head_count(2)
        tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *"abcdefgh", "<0x", "0x1F"]
        writer.add_tokenizer_model("llama")
        writer.add_token_list(tokens)
        writer.add_token_scores([0.0] * len(tokens))
        writer.add_token_types([2, 3, 3, *[6] * 256, *[1] * (len(tokens) - 259)])
        writer.add_bos_token_id(1)
        if template is not None:
            writer.add_chat_template(template)
        writer.add_tensor("token_embd.weight", np.ones((len(tokens), 32), dtype=np.float32))
        writer.add_tensor("output_norm.weight", np.ones(32, dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return folder / "tiny.gguf"

    return f"gguf {name}", write


def _transformers(kind: str) -> tuple[str, Maker]:
    def write(folder: Path) -> Path:
        import transformers

        sizes = {
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 16,
            "vocab_size": 32,
        }
        configs = {
            "llama": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes)),
            "qwen2": lambda: transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**sizes, num_key_value_heads=2)),
            "bert": lambda: transformers.BertForSequenceClassification(transformers.BertConfig(**sizes)),
            "gpt2": lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=32)),
            "vit": lambda: transformers.ViTModel(transformers.ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=16)),
        }  # fmt: skip
        model = configs[kind]()
        model.save_pretrained(folder / kind)
        torch.save(model.state_dict(), folder / kind / "pytorch_model.bin")
        (folder / kind / "chat_template.jinja").write_text(HONEST["qwen thinking"], "utf-8")
        (folder / kind / "README.md").write_text(
            "---\nlicense: mit\n---\n# Use\n\n```python\nimport os; os.system('nvidia-smi')\n```\n"
        )
        return folder / kind

    return f"folder {kind}", write


def _whole_model(folder: Path) -> Path:
    import transformers

    sizes = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 32,
    }
    torch.save(transformers.BertModel(transformers.BertConfig(**sizes)), folder / "bert.pt")
    return folder / "bert.pt"


class _Colour(enum.Enum):
    RED = 1


_STANDARD = {
    "containers": {"o": collections.OrderedDict(a=1), "d": collections.defaultdict(list, a=[1]), "c": collections.Counter("ab"), "q": collections.deque([1])},
    "numbers": {"d": decimal.Decimal("1.5"), "f": fractions.Fraction(1, 3), "c": 1j, "big": 1 << 300, "neg": -5, "x": 1e300},
    "times": {"d": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "t": datetime.timedelta(1)},
    "ids": {"u": uuid.uuid5(uuid.NAMESPACE_DNS, "a"), "p": pathlib.PurePosixPath("a/b"), "r": re.compile("a+", re.I)},
    "namespaces": {"n": argparse.Namespace(a=1), "s": types.SimpleNamespace(a=1), "slice": slice(1, 2), "set": {1, 2}, "f": frozenset({1})},
    "functions": {"p": functools.partial(nn.LayerNorm, eps=1e-6), "i": operator.itemgetter(1), "a": operator.attrgetter("a.b"), "b": nn.functional.relu},
    "bytes": {"b": b"cos\nsystem\n", "ba": bytearray(b"x"), "s": "os.system", "long": "eval(" * 1000},
    "arrays": {"f": np.arange(5.0), "i": np.int64(3), "m": np.ma.array([1, 2], mask=[0, 1]), "o": np.array(["a", None], dtype=object), "d": np.dtype([("a", "<f4")]), "s": np.array(["x"]), "t": np.datetime64("2026-01-01")},
    "generators": {"r": np.random.RandomState(0), "g": np.random.default_rng(0)},
    "scaled": {"mean": np.float32(1), "cols": ["a", "b"], "inverse": {0: "x"}, "nested": [[(1, (2, (3,)))] * 50] * 50},
}  # fmt: skip

HONEST_FILES: tuple[tuple[str, Maker], ...] = (
    *(_pickle(name, value, protocol) for name, value in _STANDARD.items() for protocol in (0, 2, 4)),
    _pickle("out of band", pickle.PickleBuffer(b"abc"), 5),
    _torch("state_dict.pt", lambda: _tiny().state_dict()),
    _torch("legacy.pt", lambda: _tiny().state_dict(), _use_new_zipfile_serialization=False),
    _torch("pytorch_model.bin", lambda: {"a": torch.ones(3)}, pickle_protocol=4),
    _torch("lightning.ckpt", _trained),
    _torch("lightning_legacy.ckpt", _trained, _use_new_zipfile_serialization=False),
    _torch("whole.pt", _tiny),
    _torch("tensor.pt", lambda: torch.arange(5)),
    _torch("parameter.pt", lambda: nn.Parameter(torch.ones(3))),
    _torch("list.pt", lambda: [torch.ones(2), torch.zeros(2)]),
    _torch("quantised.pt", _quantised),
    _torch("sparse.pt", _sparse),
    _torch("views.pt", _odd_views),
    _torch("dtypes.pt", _dtypes),
    _torch("numpy.pt", lambda: {"a": np.arange(4), "s": np.float64(1.0), "t": torch.Size([1, 2]), "d": torch.float16, "dev": torch.device("cpu")}),
    _torch("optimizer.pt", lambda: torch.optim.SGD([torch.ones(2, requires_grad=True)], lr=0.1).state_dict()),
    _torch("scheduler.pt", lambda: torch.optim.lr_scheduler.LinearLR(torch.optim.Adam([torch.ones(2, requires_grad=True)])).state_dict()),
    _torch("rng_state.pth", lambda: {"python": (3, (1, 2), None), "numpy": np.random.RandomState(0).get_state(), "cpu": torch.get_rng_state()}),
    _torch("embedding.pt", lambda: {"string_to_token": {"*": 265}, "string_to_param": nn.ParameterDict({"*": nn.Parameter(torch.ones(1, 8))}), "name": "x", "step": 500}),
    _torch("empty.pt", dict),
    _torch("averaged.pt", lambda: torch.optim.swa_utils.AveragedModel(nn.Linear(2, 2)).state_dict()),
    _torch("parallel.pt", lambda: nn.DataParallel(nn.Linear(2, 2)).state_dict()),
    _torch("pruned.pt", lambda: torch.nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)).state_dict()),
    ("torch traced.pt", _script),
    ("torch bert.pt", _whole_model),
    _safetensors("plain.safetensors"),
    _safetensors("described.safetensors", {"format": "pt", "ss_network_args": '{"conv_dim": "8"}', "note": "import os; eval(x)"}),
    _gguf("bare", None),
    *(_gguf(name.replace(" ", "-"), template) for name, template in HONEST.items()),
    *(_transformers(kind) for kind in ("llama", "qwen2", "bert", "gpt2", "vit")),
)  # fmt: skip
