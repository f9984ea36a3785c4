"""Honest files, made by the reference libraries, near the line that the hostile ones cross."""

import collections
import datetime
import decimal
import functools
import gzip
import io
import json
import operator
import pathlib
import pickle
import uuid

import numpy as np

from tools.attacks.folders import QUIET, document, repository
from tools.attacks.ggufs import STRING, gguf, pair, string, templated
from tools.attacks.graphs import PLAIN, constant, graph, node, onnx, saved
from tools.attacks.kerases import DENSE, h5, keras, layer, model
from tools.attacks.opcodes import call, stacked, text, whole
from tools.attacks.tensors import W, safetensors
from tools.attacks.torches import checkpoint, packed
from tools.attacks.wrapped import sevenzip, tarred

CHAT = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}"  # noqa: E501
    "{% endif %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"  # noqa: E501
)
TOOLS = (
    "{%- set ns = namespace(found=false) %}{%- if tools %}{{- '# Tools\n' }}{%- for tool in tools %}{{- tool | tojson(indent=2) }}{%- endfor %}{%- endif %}"  # noqa: E501
    "{%- macro render(x) %}{{- x.name ~ ': ' ~ (x.arguments | tojson) }}{%- endmacro %}{%- for m in messages %}{%- if m.tool_calls is defined %}{{- render(m.tool_calls[0].function) }}"  # noqa: E501
    "{%- elif m.content is string %}{{- m.content.split('</think>')[-1].lstrip('\\n') }}{%- else %}{{- raise_exception('bad role') }}{%- endif %}{%- endfor %}{{- strftime_now('%d %b %Y') }}"  # noqa: E501
)


def cases() -> dict[str, dict[str, bytes]]:
    made = {**_pickles(), **_arrays(), **_torch(), **_texts(), **_graphs()}
    return {f"clean/{name}": files for name, files in made.items()}


def _pickles() -> dict[str, dict[str, bytes]]:
    values: dict[str, object] = {
        "builtins": {
            "a": 1,
            "b": [1.5, None, True],
            "c": (1, 2),
            "d": {1, 2},
            "e": frozenset({3}),
            "f": b"x",
            "g": bytearray(b"y"),
            "h": 1j,
            "i": range(3),
            "j": slice(1),
        },
        "collections": [
            collections.OrderedDict(a=1),
            collections.defaultdict(list, a=[1]),
            collections.Counter("aab"),
            collections.deque([1], 3),
        ],
        "dates": [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(1), datetime.date(2026, 1, 1)],
        "decimal and uuid": [decimal.Decimal("1.5"), uuid.UUID(int=5), pathlib.PurePosixPath("a/b")],
        "partial of a safe function": functools.partial(int, base=2),
        "itemgetter": operator.itemgetter(1, 2),
        "numpy": {
            "a": np.arange(3),
            "s": np.float32(1),
            "d": np.dtype("f4"),
            "o": np.array(["a", None], dtype=object),
            "m": np.ma.masked_array([1, 2]),
        },
        "generators": [np.random.RandomState(0), np.random.default_rng(0)],
        "dangerous words": [
            "os.system('rm -rf /')",
            "__import__('os')",
            "subprocess.Popen",
            "eval",
            "posix system",
            "cposix\nsystem\n(S'x'\ntR.",
        ],
        "a million numbers": list(range(200_000)),
    }
    found = {
        f"pickle of {name} protocol {protocol}": {"a.pkl": pickle.dumps(value, protocol)}
        for name, value in values.items()
        for protocol in (0, 2, 5)
        if not (name == "a million numbers" and protocol == 0)
    }
    return found | {
        "empty pickle of none": {"a.pkl": b"N."},
        "default dictionary of list": {
            "a.pkl": whole(call(stacked("collections", "defaultdict"), stacked("builtins", "list")))
        },
        "two streams": {"a.pkl": pickle.dumps(1) + pickle.dumps({"b": 2})},
        "gzip of a pickle": {"a.pkl.gz": gzip.compress(pickle.dumps({"a": 1}))},
        "zip of texts": {"a.zip": packed({"README.md": b"# x\n", "data.csv": b"a,b\n1,2\n"})},
        "tar of a pickle": {"a.tar": tarred({"a.pkl": pickle.dumps([1])})},
        "7z of a pickle": {"a.7z": sevenzip("a.pkl", pickle.dumps([1]), compressed=True)},
        "string with a shell": {"a.pkl": whole(text("os") + b"0" + text("system"))},
    }


def _arrays() -> dict[str, dict[str, bytes]]:
    plain, record, objects, many = (io.BytesIO() for _ in range(4))
    np.save(plain, np.arange(6).reshape(2, 3, order="F"))
    np.save(record, np.zeros(3, dtype=[("a", "f4"), ("b", "i8", (2,)), ("c", "U5")]))
    np.save(objects, np.array(["a", 1, None], dtype=object), allow_pickle=True)
    np.savez_compressed(many, a=np.zeros(3), b=np.ones((2, 2)))
    return {
        "array": {"a.npy": plain.getvalue()},
        "record array": {"a.npy": record.getvalue()},
        "object array": {"a.npy": objects.getvalue()},
        "arrays": {"a.npz": many.getvalue()},
        "safetensors": {
            "a.safetensors": safetensors(
                {"__metadata__": {"format": "pt", "note": "exec(os.system) __import__"}, "a": W}
            )
        },
        "safetensors of nothing": {"a.safetensors": safetensors({}, b"")},
        "scalar safetensors": {
            "a.safetensors": safetensors({"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}, bytes(4))
        },
        "empty tensor safetensors": {
            "a.safetensors": safetensors({"a": {"dtype": "BF16", "shape": [0, 4], "data_offsets": [0, 0]}}, b"")
        },
    }


def _torch() -> dict[str, dict[str, bytes]]:
    import torch

    def saved_as(value: object, *, legacy: bool = False) -> bytes:
        written = io.BytesIO()
        torch.save(value, written, _use_new_zipfile_serialization=not legacy)
        return written.getvalue()

    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.BatchNorm1d(3))
    optimiser = torch.optim.AdamW(net.parameters())
    net(torch.ones(4, 2)).sum().backward()
    optimiser.step()
    scripted = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), scripted)
    values: dict[str, object] = {
        "state": net.state_dict(),
        "optimiser": optimiser.state_dict(),
        "module": net,
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "half": {"a": torch.ones(2).half(), "b": torch.ones(2).bfloat16()},
        "view": {"a": torch.arange(6).reshape(2, 3).t(), "b": torch.arange(6)[2:]},
        "sparse": torch.eye(3).to_sparse(),
        "quantised": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        "checkpoint": {
            "epoch": 3,
            "state_dict": net.state_dict(),
            "rng": torch.get_rng_state(),
            "lr": 1e-3,
            "name": "x",
        },
        "size": torch.Size([1, 2]),
        "device": torch.device("cpu"),
        "dtype": torch.float16,
    }
    found = {f"torch {name}": {"a.pt": saved_as(value)} for name, value in values.items()}
    found |= {f"torch {name} legacy": {"a.pt": saved_as(value, legacy=True)} for name, value in values.items()}
    return found | {
        "torchscript": {"a.pt": scripted.getvalue()},
        "torch renamed root": {
            "a.pt": packed({name.replace("archive", "renamed"): content for name, content in checkpoint().items()})
        },
    }


def _texts() -> dict[str, dict[str, bytes]]:
    return {
        "gguf": {"a.gguf": gguf()},
        "gguf with a chat template": {"a.gguf": templated(CHAT)},
        "gguf with tools": {"a.gguf": templated(TOOLS)},
        "gguf with a link": {"a.gguf": gguf(pair("general.url", STRING, string("https://example.org/acme/x")))},
        "repository": repository({}),
        "repository with a template": repository(
            {
                "tokenizer_config.json": document({"chat_template": CHAT, "tokenizer_class": "LlamaTokenizer"}),
                "chat_template.jinja": TOOLS.encode(),
                "README.md": b"# x\n\n```python\nimport os\nos.system('ls')\n```\n",
            }
        ),
        "repository with sdpa": repository(
            {}, _attn_implementation="sdpa", _attn_implementation_autoset=True, torch_dtype="bfloat16"
        ),
        "repository with a script nobody reaches": repository({"convert.py": QUIET}),
        "yaml": {"config.yaml": b"model:\n  _target_: torch.nn.Linear\n  in_features: 2\n  out_features: 3\n"},
        "yaml plain": {"config.yaml": b"a: 1\nb: [x, y]\nc: !!str 5\n"},
        "json": {"config.json": json.dumps({"model_type": "bert", "note": "os.system"}).encode()},
        "readme": {"README.md": b"# os.system('x')\n{{ x.__class__ }}\n"},
        "keras": {"a.keras": keras(model(DENSE, layer("Dropout", config={"rate": 0.5}), layer("ReLU")))},
        "keras hdf5": {"a.h5": h5(model(DENSE))},
    }


def _graphs() -> dict[str, dict[str, bytes]]:
    nodes = (
        *PLAIN,
        node("SaveV2"),
        node("RestoreV2"),
        node("ReadVariableOp"),
        node("VarHandleOp"),
        node("StatefulPartitionedCall"),
        node("MergeV2Checkpoints"),
        node("ShardedFilename"),
        node("StringJoin"),
        constant(b"model"),
    )
    return {
        "saved model": {
            "m/saved_model.pb": saved(graph(*nodes, functions=(node("MatMul"),))),
            "m/variables/README": b"x",
        },
        "frozen graph": {"a.pb": graph(*nodes)},
        "onnx": {"a.onnx": onnx()},
    }
