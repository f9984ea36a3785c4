"""What tries our own code: budgets, orders of formats, polyglots, encodings."""

# ruff: noqa: E501

import gzip
import io
import json
import pickle
import tarfile
import zipfile

from tools.attacks.folders import document, repository
from tools.attacks.ggufs import HOSTILE
from tools.attacks.kerases import CODE, keras, layer, model
from tools.attacks.opcodes import INERT, call, stacked, system, text, whole
from tools.attacks.torches import packed
from tools.attacks.wrapped import tarred

CALL = b"cposix\nsystem\n(S'true'\ntR"
TEMPLATE = HOSTILE["cycler globals"]


def cases() -> dict[str, dict[str, bytes]]:
    made = {**_polyglots(), **_budgets(), **_sources(), **_texts(), **_archives()}
    return {f"tricks/{name}": files for name, files in made.items()} | _ruined()


def _polyglots() -> dict[str, dict[str, bytes]]:
    bitmap = b"BM\x00\x00\x00" + bytes(77) + b"0" + CALL + b"."
    return {
        "picture that is a pickle": {"model.bin": b"GIF89a\x01\x00\x01" + b"0" + CALL + b"." + bytes(40)},
        "bitmap that is a pickle": {"model.bin": bitmap},
        "tar named as a pickle": {"model.pkl": tarred({"cposix\nsystem\n(S'true'\ntR.": b"x"})},
        "tar named as a pickle of another suffix": {"model.tar": tarred({"cposix\nsystem\n(S'true'\ntR.": b"x"})},
        "odd name after the call": {"model.pkl": CALL + b"0c!!!\n???\n."},
        "odd name after the call in a text": {"model.txt": CALL + b"0c!!!\n???\n."},
        "odd name before the call": {"model.bin": b"cthis-module\nx-y\n0" + CALL + b"."},
        "python that is a pickle": {"model.py": b"cposix\nsystem\n(S'true'\ntR.#\nimport os\n"},
        "true and pop first": {"model.bin": b"\x880" + CALL + b"."},
        "words before": {"model.txt": b"Vhello world\n0Vthis is text\n0" + CALL + b"."},
        "numbers as lines": {"model.csv": b"I1\n0I2\n0I3\n0" + CALL + b"."},
        "pickle then a zip": {"model.pt": system() + packed({"archive/data.pkl": pickle.dumps({}, 2), "archive/version": b"3\n"})},
        "zip inside a pickle's string": {"model.pkl": whole(b"B" + len(packed({"a.pkl": system()})).to_bytes(4, "little") + packed({"a.pkl": system()}))},
        "gzip then a pickle": {"model.gz": gzip.compress(b"hello") + system()},
    }  # fmt: skip


def _budgets() -> dict[str, dict[str, bytes]]:
    many = "\n".join(f"- {{_target_: torch.nn.Linear, n: {number}}}" for number in range(2000))
    lines = "\n".join(f"a{number}:\n  _target_: torch.nn.Linear" for number in range(2000))
    names = [{"name": f"t{number}", "template": "{{ messages }}"} for number in range(2000)]
    wide = {f"a{number:05d}": f"model-{number:05d}.safetensors" for number in range(2000)}
    return {
        "target after two thousand": {"config.yaml": (lines + "\nz:\n  _target_: os.system\n").encode()},
        "inline target after two thousand": {"config.yaml": (many + "\n- {_target_: os.system}\n").encode()},
        "template after two thousand": repository({"tokenizer_config.json": document({"chat_template": [*names, {"name": "z", "template": TEMPLATE}]})}),
        "path after two thousand": {"m/x.index.json": document({"weight_map": {**wide, "z": "zz/../../../etc/passwd"}})},
        "configuration behind five megabytes": {"modules.json": b"[" + b" " * (5 << 20) + document({"auto_map": {"AutoModel": "acme/other--x.Net"}}) + b"]"},
        "yaml behind five megabytes": {"config.yaml": b"a: 1\n" + b"# x\n" * (5 << 18) + b"z: !!python/object/apply:os.system ['true']\n"},
        "template behind five megabytes": {"chat_template.jinja": b"{{ messages }}" + b" " * (5 << 20) + TEMPLATE.encode()},
        "a hundred thousand imports": {"model.pkl": whole(stacked("collections", "OrderedDict") * 100_000 + call(stacked("posix", "system"), text(INERT)))},
        "different names first": {"model.pkl": whole(b"".join(stacked("torch", f"a{number}") + b"0" for number in range(95_000)) + call(stacked("posix", "system"), text(INERT)))},
        "deep nesting of gzip": {"model.gz": _nested(system(), 8)},
        "many members": {"model.zip": packed({**{f"a{number}.txt": b"x" for number in range(6000)}, "z.pkl": system()})},
        "a big member first": {"model.zip": packed({"a.bin": bytes(100 << 20), "z.pkl": system()}, method=zipfile.ZIP_DEFLATED)},
    }  # fmt: skip


def _nested(content: bytes, times: int) -> bytes:
    for _ in range(times):
        content = gzip.compress(content, mtime=0)
    return content


SOURCES = {
    "name against itself": b"import os\nif __name__ == __name__:\n    os.system('true')\n",
    "own type checking": b"import os\nTYPE_CHECKING = True\nif TYPE_CHECKING:\n    os.system('true')\n",
    "else of a script": b"import os\nif __name__ == '__main__':\n    pass\nelse:\n    os.system('true')\n",
    "subclasses": b"x = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Popen']\nx[0]('true')\n",
    "modules of sys": b"import sys\nsys.modules['os'].system('true')\n",
    "globals of builtins": b"globals()['__builtins__']['exec']('1')\n",
    "dictionary of a module": b"import os\nos.__dict__['system']('true')\n",
    "vars of a module": b"import os\nvars(os)['system']('true')\n",
    "attrgetter": b"import os\nimport operator\noperator.attrgetter('system')(os)('true')\n",
    "methodcaller": b"import os\nimport operator\noperator.methodcaller('system', 'true')(os)\n",
    "partial": b"import os\nfrom functools import partial\npartial(os.system, 'true')()\n",
    "map": b"import os\nlist(map(os.system, ['true']))\n",
    "star import": b"from os import *\nsystem('true')\n",
    "alias of exec": b"run = exec\nrun('1')\n",
    "dictionary of builtins": b"import builtins\nbuiltins.__dict__['exec']('1')\n",
    "called by call": b"eval.__call__('1')\n",
    "lambda at once": b"import os\n(lambda: os.system('true'))()\n",
    "in a text": b"import os\nx = f\"{os.system('true')}\"\n",
    "in a comprehension": b"import os\nx = [os.system(y) for y in ['true']]\n",
    "in an exception": b"import os\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    os.system('true')\n",
    "in a with": b"import os\nwith os.popen('true') as x:\n    pass\n",
    "in a match": b"import os\nmatch 1:\n    case _:\n        os.system('true')\n",
    "in an assertion": b"import os\nassert os.system('true') == 0\n",
    "walrus": b"import os\nif (x := os.system)('true'):\n    pass\n",
    "attribute of a class": b"import os\n\n\nclass X:\n    run = os.system\n\n\nX.run('true')\n",
    "from a table": b"import os\n{'a': os.system}['a']('true')\n",
    "from a list": b"import os\n[os.system][0]('true')\n",
    "set attribute": b"import os\nimport builtins\nbuiltins.print = os.system\nprint('true')\n",
    "conditional": b"import os\n(os.system if 1 else print)('true')\n",
    "or": b"import os\n(None or os.system)('true')\n",
    "thread": b"import os\nimport threading\nthreading.Thread(target=os.system, args=('true',)).start()\n",
    "atexit": b"import os\nimport atexit\natexit.register(os.system, 'true')\n",
    "module getattr": b"import os\n\n\ndef __getattr__(name):\n    os.system('true')\n",
    "deleted": b"import os\n\n\nclass X:\n    def __del__(self):\n        os.system('true')\n\n\nX()\n",
    "descriptor": b"import os\n\n\nclass X:\n    def __set_name__(self, a, b):\n        os.system('true')\n\n\nclass Y:\n    x = X()\n",
    "context": b"import os\n\n\nclass X:\n    def __enter__(self):\n        os.system('true')\n\n    def __exit__(self, *a):\n        pass\n\n\nwith X():\n    pass\n",
    "iteration": b"import os\n\n\nclass X:\n    def __iter__(self):\n        os.system('true')\n        return iter(())\n\n\nfor x in X():\n    pass\n",
    "representation": b"import os\n\n\nclass X:\n    def __str__(self):\n        os.system('true')\n        return ''\n\n\nprint(X())\n",
    "operator": b"import os\n\n\nclass X:\n    def __add__(self, x):\n        os.system('true')\n\n\nX() + 1\n",
    "keyword of import": b"import importlib\nimportlib.import_module(name='os').system('true')\n",
    "spec": b"import importlib.util\nimportlib.util.find_spec('os').loader.load_module('os').system('true')\n",
    "characters": b"eval(''.join(map(chr, [49])))\n",
    "bytes": b"exec(bytes([49]))\n",
    "codecs": b"import codecs\nexec(codecs.decode('cnff', 'rot13'))\n",
    "nested functions": b"import os\n\n\ndef a():\n    def b():\n        os.system('true')\n    b()\n\n\na()\n",
    "asyncio": b"import os\nimport asyncio\n\n\nasync def a():\n    os.system('true')\n\n\nasyncio.run(a())\n",
    "latin coding": "# coding: latin-1\nimport os\nx = 'é'\nos.system('true')\n".encode("latin-1"),
    "line continuation": b"import o\\\ns\nos.\\\nsystem('true')\n",
    "semicolons": b"import os;os.system('true')\n",
    "form feed": b"\x0cimport os\nos.system('true')\n",
    "carriage returns": b"import os\ros.system('true')\r",
    "mark": b"\xef\xbb\xbfimport os\nos.system('true')\n",
}  # fmt: skip


def _sources() -> dict[str, dict[str, bytes]]:
    return {
        f"source {name}": repository({"modeling_x.py": body}, auto_map={"AutoModel": "modeling_x.Net"})
        for name, body in SOURCES.items()
    }


def _texts() -> dict[str, dict[str, bytes]]:
    lambda_ = layer("Lambda", config={"function": CODE})
    deep: object = model(lambda_)
    for _ in range(30):
        deep = model(deep)  # type: ignore[arg-type]
    return {
        "auto map in capitals": repository({"Modeling_X.py": b"import os\nos.system('true')\n"}, auto_map={"AutoModel": "Modeling_X.Net"}),
        "auto map by slashes": repository({"sub/net.py": b"import os\nos.system('true')\n"}, auto_map={"AutoModel": "sub.net.Net"}),
        "auto map of a list": repository({"net.py": b"import os\nos.system('true')\n"}, auto_map={"AutoModel": ["net.Net"]}),
        "settings that look like a tokenizer": repository({"processor_config.json": document({"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "trust_remote_code": True, "auto_map": {"AutoProcessor": "acme/other--x.Net"}})}),
        "native module": repository({"net.py": b"from . import kernel\n", "kernel.so": b"\x7fELF\x02\x01\x01" + bytes(100)}, auto_map={"AutoModel": "net.Net"}),
        "key escaped in json": {"m/config.json": b'{"model_type": "llama", "auto\\u005fmap": {"AutoModel": "acme/other--x.Net"}}'},
        "keras deep": {"model.keras": keras(deep)},
        "keras class of other letters": {"model.keras": keras(model(layer("Lambda", module="keras.src.layers.core.lambda_layer", config={"function": CODE})))},
        "keras suffix of capitals": {"MODEL.KERAS": keras(model(lambda_))},
        "keras by another suffix": {"model.zip": keras(model(lambda_))},
        "keras as text": {"architecture.json": json.dumps(model(lambda_)).encode()},
        "yaml of a tagged key by handle": {"c.yaml": b"%TAG ! tag:yaml.org,2002:python/object/apply:\n---\nx: !os.system ['true']\n"},
        "yaml tag over a line": {"c.yaml": b"x:\n  !!python/object/apply:os.system\n  ['true']\n"},
        "yaml after a block": {"c.yaml": b"a: |\n  text\nb: !!python/object/apply:os.system ['true']\n"},
        "yaml after a false block": {"c.yaml": b"a: [x, |\n  ]\nb: 1\n---\nc: !!python/object/apply:os.system ['true']\n"},
        "yaml behind a hash": {"c.yaml": b"a: 'x #y' \nb: \"#\" \nc: !!python/object/apply:os.system ['true']\n"},
        "yaml in an apostrophe": {"c.yaml": b"a: it's\nb: !!python/object/apply:os.system ['it''s']\n"},
        "yaml between apostrophes": {"c.yaml": b"{a: it's, b: !!python/object/apply:os.system ['true'], c: it's}\n"},
        "yaml of another suffix": {"params.txt": b"a: !!python/object/apply:os.system ['true']\n"},
        "yaml in utf-16": {"c.yaml": "a: !!python/object/apply:os.system ['true']\n".encode("utf-16")},
        "hparams": {"hparams.yaml": b"model: !!python/object:argparse.Namespace {x: !!python/name:os.system ''}\n"},
        "template in utf-16": repository({"chat_template.jinja": TEMPLATE.encode("utf-16")}),
        "template with raw": repository({"chat_template.jinja": b"{% raw %}{{ x }}{% endraw %}" + TEMPLATE.encode()}),
        "modelfile by another name": {"m/Modelfile.prod": b"FROM ../../../etc/passwd\n", "m/x.txt": b"x"},
        "modelfile with a mark": {"m/Modelfile": b"\xef\xbb\xbfFROM ../../../etc/passwd\n", "m/x.txt": b"x"},
    }  # fmt: skip


def _archives() -> dict[str, dict[str, bytes]]:
    evil = system()
    return {
        "tar of two ends": {"model.tar": tarred({"a.txt": b"x"}) + tarred({"b.pkl": evil})},
        "tar with pax names": {"model.tar": _pax(evil)},
        "zip with a comment of a zip": {"model.zip": _commented(evil)},
        "zip of method twelve": {"model.zip": packed({"a.pkl": evil}, method=zipfile.ZIP_BZIP2)},
        "zip of method fourteen": {"model.zip": packed({"a.pkl": evil}, method=zipfile.ZIP_LZMA)},
        "npz of method fourteen": {"model.npz": packed({"a.npy": evil}, method=zipfile.ZIP_LZMA)},
        "joblib in a zip in a tar": {"model.tar": tarred({"a.zip": packed({"a.joblib": gzip.compress(evil)})})},
        "zip named as a folder": {"model.zip": packed({"a.pkl/": evil})},
    }


def _pax(evil: bytes) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("x" * 200 + ".pkl")
        entry.size = len(evil)
        archive.addfile(entry, io.BytesIO(evil))
    return written.getvalue()


def _commented(evil: bytes) -> bytes:
    inner = packed({"data.pkl": evil})
    outer = packed({"README.md": b"# x\n"})
    return outer[:-2] + len(inner).to_bytes(2, "little") + inner


def _ruined() -> dict[str, dict[str, bytes]]:
    plain = pickle.dumps({"a": list(range(2000)), "b": "x" * 2000}, 4)
    return {
        "broken/large pickle of an unset slot": {"a.pkl": plain[:-1] + b"h\xf0."},
        "broken/large pickle that underflows": {"a.pkl": plain[:-1] + b"0s."},
        "broken/large pickle of no mark": {"a.pkl": plain[:-1] + b"e."},
    }
