"""Keras models, as archives and as HDF5, with layers that run code and files that reach outside."""

import base64
import io
import json
from collections.abc import Callable

import h5py
import numpy as np

from tools.attacks.opcodes import system
from tools.attacks.torches import packed

Config = dict[str, object]


def layer(
    name: str, *, module: str = "keras.layers", config: Config | None = None, registered: str | None = None
) -> Config:
    return {
        "module": module,
        "class_name": name,
        "config": {"name": name.lower(), **(config or {})},
        "registered_name": registered,
    }


def model(*layers: Config, **more: object) -> Config:
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "m", "layers": list(layers), **more},
        "registered_name": None,
    }


def weights() -> bytes:
    written = io.BytesIO()
    with h5py.File(written, "w") as file:
        file.create_dataset("layers/dense/vars/0", data=np.zeros((2, 2), np.float32))
    return written.getvalue()


def keras(config: object, extra: dict[str, bytes] | None = None) -> bytes:
    members = {
        "metadata.json": b'{"keras_version": "3.10.0", "date_saved": "2026-01-01@00:00:00"}',
        "config.json": json.dumps(config).encode(),
    }
    return packed({**members, "model.weights.h5": weights(), **(extra or {})})


def h5(config: object, fill: Callable[[h5py.File], None] | None = None) -> bytes:
    written = io.BytesIO()
    with h5py.File(written, "w") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        file.create_dataset("model_weights/dense/kernel:0", data=np.zeros((2, 2), np.float32))
        if fill is not None:
            fill(file)
    return written.getvalue()


CODE = {
    "class_name": "__lambda__",
    "config": {"code": base64.b64encode(b"\xe3\x00").decode(), "defaults": None, "closure": None},
}
DENSE = layer("Dense", config={"units": 2})


def cases() -> dict[str, dict[str, bytes]]:
    found = {f"keras/{name} in an archive": {"model.keras": keras(config)} for name, config in _configs().items()}
    found |= {f"keras/{name} in hdf5": {"model.h5": h5(config)} for name, config in _configs().items()}
    return found | _archives() | _hdf5()


def _configs() -> dict[str, object]:
    lambda_ = layer("Lambda", config={"function": CODE})
    call = {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"}
    return {
        "lambda": model(DENSE, lambda_),
        "lambda in a wrapper": model(layer("TimeDistributed", config={"layer": lambda_})),
        "lambda in a submodel": model(DENSE, model(DENSE, model(lambda_))),
        "lambda as a list": model(
            layer("Lambda", config={"function": ["4wEAAAA=", None, None], "function_type": "lambda"})
        ),
        "lambda of a named function": model(
            layer("Lambda", config={"function": "system", "function_type": "function", "module": "os"})
        ),
        "module is os": model(layer("system", module="os")),
        "function reference": model(layer("Dense", config={"activation": call})),
        "subprocess object": model(layer("Popen", module="subprocess", config={"args": ["true"]})),
        "unsafe deserialisation": model(
            layer(
                "function",
                module="keras.config",
                config={
                    "x": {
                        "module": "keras.config",
                        "class_name": "function",
                        "config": "enable_unsafe_deserialization",
                        "registered_name": "function",
                    }
                },
            )
        ),
        "get file": model(
            {
                "module": "keras.utils",
                "class_name": "get_file",
                "config": {"fname": "x", "origin": "http://example.org/x"},
                "registered_name": None,
            }
        ),
        "torch module": model(layer("TorchModuleWrapper", config={"module": base64.b64encode(system()).decode()})),
        "saved model layer": model(layer("TFSMLayer", config={"filepath": "/tmp/saved", "call_endpoint": "serve"})),
        "loss that is code": {
            **model(DENSE),
            "compile_config": {"loss": {"class_name": "function", "module": "os", "config": "system"}},
        },
    }


def _archives() -> dict[str, dict[str, bytes]]:
    double = (
        b'{"class_name": "Sequential", "module": "keras", "config": {"name": "m", "layers": []}, "config": '
        + json.dumps(model(_lambda())["config"]).encode()
        + b"}"
    )
    return {
        "keras/pickle beside": {"model.keras": keras(model(DENSE), {"assets/vocabulary.pkl": system()})},
        "keras/npz with objects": {
            "model.keras": keras(model(DENSE), {"model.weights.npz": packed({"a.npy": system()})})
        },
        "keras/config twice in json": {
            "model.keras": packed({"metadata.json": b"{}", "config.json": double, "model.weights.h5": weights()})
        },
        "keras/vocabulary path": {
            "model.keras": keras(model(layer("StringLookup", config={"vocabulary": "/etc/passwd"})))
        },
        "keras/escaping member": {"model.keras": keras(model(DENSE), {"../../x.py": b"import os"})},
        "keras/escaped class name": {
            "model.keras": packed(
                {
                    "metadata.json": b"{}",
                    "config.json": json.dumps(model(_lambda())).replace("Lambda", "\\u004cambda").encode(),
                    "model.weights.h5": weights(),
                }
            )
        },
        "keras/utf-16 config": {
            "model.keras": packed(
                {
                    "metadata.json": b"{}",
                    "config.json": json.dumps(model(_lambda())).encode("utf-16"),
                    "model.weights.h5": weights(),
                }
            )
        },
        "keras/bom config": {
            "model.keras": packed(
                {
                    "metadata.json": b"{}",
                    "config.json": b"\xef\xbb\xbf" + json.dumps(model(_lambda())).encode(),
                    "model.weights.h5": weights(),
                }
            )
        },
        "keras/as json": {"model.json": json.dumps(model(_lambda())).encode()},
        "keras/legacy json": {
            "model.json": json.dumps(
                {
                    "class_name": "Sequential",
                    "config": {
                        "name": "m",
                        "layers": [
                            {
                                "class_name": "Lambda",
                                "config": {
                                    "name": "l",
                                    "function": ["4wEAAAA=", None, None],
                                    "function_type": "lambda",
                                },
                            }
                        ],
                    },
                    "keras_version": "2.4.0",
                    "backend": "tensorflow",
                }
            ).encode()
        },
        "suspicious/keras registered layer": {
            "model.keras": keras(model(layer("Gate", module="acme.layers", registered="Acme>Gate")))
        },
        "suspicious/keras custom class": {
            "model.keras": keras(model({"module": None, "class_name": "Gate", "config": {}, "registered_name": "Gate"}))
        },
    }


def _lambda() -> Config:
    return layer("Lambda", config={"function": CODE})


def _hdf5() -> dict[str, dict[str, bytes]]:
    def external(file: h5py.File) -> None:
        file.create_dataset("w", (4,), "f4", external=[("/etc/passwd", 0, 16)])

    def link(file: h5py.File) -> None:
        file["w"] = h5py.ExternalLink("/etc/other.h5", "/x")

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("/etc/other.h5", "x", (4,))
        file.create_virtual_dataset("w", layout)

    def pickled(file: h5py.File) -> None:
        file.create_dataset("blob", data=np.frombuffer(system(), np.uint8))

    def opaque(file: h5py.File) -> None:
        file.attrs["state"] = np.void(system())

    def groups(file: h5py.File) -> None:
        file.create_group("g").attrs["model_config"] = json.dumps(model(_lambda()))

    def training(file: h5py.File) -> None:
        file.attrs["training_config"] = json.dumps({"loss": {"class_name": "system", "module": "os", "config": {}}})

    fills = {
        "external storage": external,
        "external link": link,
        "virtual dataset": virtual,
        "pickled dataset": pickled,
        "pickled attribute": opaque,
        "config on a group": groups,
        "training config": training,
    }
    return {f"keras/{name}": {"model.h5": h5(model(DENSE), fill)} for name, fill in fills.items()}
