"""TensorFlow graphs and ONNX models, written on the wire."""

import json

from tools.attacks.kerases import layer, model
from tools.attacks.opcodes import system
from tools.attacks.wire import field, message


def node(op: str, name: str = "n", *attributes: tuple[str, bytes]) -> bytes:
    return message((1, name), (2, op), *((5, message((1, key), (2, value))) for key, value in attributes))


def graph(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    library = (
        field(
            2,
            message(
                *((1, message((1, message((1, f"f{number}"))), (3, inner))) for number, inner in enumerate(functions))
            ),
        )
        if functions
        else b""
    )
    return message(*((1, one) for one in nodes)) + library + field(4, message((1, 1882)))


def saved(content: bytes, *, more: bytes = b"") -> bytes:
    information = message((4, "serve"), (5, "2.15.0"))
    return message((1, 1), (2, message((1, information), (2, content)) + more))


def constant(value: bytes, *, name: str = "c") -> bytes:
    tensor = message((1, 7), (2, b""), (8, value))
    return node("Const", name, ("dtype", message((6, 7))), ("value", message((8, tensor))))


PLAIN = (node("Placeholder", "x"), node("MatMul", "y"))


def cases() -> dict[str, dict[str, bytes]]:
    return _tensorflow() | _onnx()


def _tensorflow() -> dict[str, dict[str, bytes]]:
    found = {
        f"tf/{op}": {"saved_model.pb": saved(graph(*PLAIN, node(op)))}
        for op in "ReadFile WriteFile PyFunc EagerPyFunc PyFuncStateless MatchingFiles Save SaveSlices PrintV2 DebugIdentity LoadDataset SaveDatasetV2 WholeFileReaderV2 TextLineDataset FixedLengthRecordDataset SqlDataset CreateSummaryFileWriter RegisterDataset XlaHostCompute".split()  # noqa: E501
    }
    inner = graph(node("WriteFile"))
    function = graph(*PLAIN, functions=(node("WriteFile"),))
    twice = graph(constant(graph(constant(inner), node("DatasetFromGraph"))), node("DatasetFromGraph"))
    found |= {
        "tf/write file in a function": {"saved_model.pb": saved(function)},
        "tf/write file in a constant": {"saved_model.pb": saved(graph(constant(inner), node("DatasetFromGraph")))},
        "tf/write file in a constant twice": {"saved_model.pb": saved(twice)},
        "tf/frozen graph": {"frozen.pb": graph(*PLAIN, node("WriteFile"))},
        "tf/frozen graph of another name": {"weights.bin": graph(*PLAIN, node("WriteFile"))},
        "tf/meta graph": {"model.meta": message((1, message((5, "1.15.0"))), (2, graph(*PLAIN, node("ReadFile"))))},
        "tf/folder": {
            "m/saved_model.pb": saved(graph(*PLAIN, node("WriteFile"))),
            "m/variables/variables.index": b"",
            "m/fingerprint.pb": b"",
        },
        "tf/text graph": {
            "graph.pbtxt": b'node {\n  name: "x"\n  op: "Placeholder"\n}\nnode {\n  name: "w"\n  op: "WriteFile"\n}\n'
        },
        "tf/text saved model": {
            "saved_model.pbtxt": b'saved_model_schema_version: 1\nmeta_graphs {\n  graph_def {\n    node {\n      name: "w"\n      op: "WriteFile"\n    }\n  }\n}\n'  # noqa: E501
        },
        "tf/second meta graph": {
            "saved_model.pb": saved(graph(*PLAIN)) + field(2, message((2, graph(node("WriteFile")))))
        },
        "tf/keras metadata": {
            "m/saved_model.pb": saved(graph(*PLAIN)),
            "m/keras_metadata.pb": message(
                (
                    1,
                    message(
                        (2, 1),
                        (3, "root"),
                        (4, "_tf_keras_layer"),
                        (
                            5,
                            json.dumps(
                                layer(
                                    "Lambda",
                                    config={"function": {"class_name": "__tuple__", "items": ["4wEAAAA=", None, None]}},
                                )
                            ),
                        ),
                    ),
                )
            ),
        },
        "tf/assets with a pickle": {"m/saved_model.pb": saved(graph(*PLAIN)), "m/assets/vocabulary.pkl": system()},
        "tf/assets outside": {
            "m/saved_model.pb": saved(
                graph(*PLAIN), more=field(6, message((1, message((1, "x:0"))), (2, "../../../etc/passwd")))
            )
        },
        "suspicious/tf custom op": {"saved_model.pb": saved(graph(*PLAIN, node("AcmeSecretOp")))},
        "suspicious/tf unknown op in a function": {
            "saved_model.pb": saved(graph(*PLAIN, functions=(node("Acme>Op"),)))
        },
    }
    assert model
    return found


def external(location: str, *, offset: int = 0, length: int = 16) -> bytes:
    entries = (("location", location), ("offset", str(offset)), ("length", str(length)))
    return message((1, 4), (2, 1), (8, "w"), (14, 1), *((13, message((1, key), (2, value))) for key, value in entries))


def onnx(
    *parts: tuple[int, bytes], nodes: tuple[bytes, ...] = (), domains: tuple[str, ...] = ("",), more: bytes = b""
) -> bytes:
    relu = message((1, "x"), (2, "y"), (4, "Relu"))
    value = message((1, message((1, 1), (2, message((1, message((1, 4))))))))
    inputs = ((11, message((1, "x"), (2, value))), (12, message((1, "y"), (2, value))))
    body = message(*((1, one) for one in (nodes or (relu,))), (2, "g"), *parts, *inputs)
    return message((1, 8), (2, "acme"), (7, body), *((8, message((1, domain), (2, 17))) for domain in domains)) + more


def _onnx() -> dict[str, dict[str, bytes]]:
    found = {}
    for name, location in (
        ("absolute", "/etc/passwd"),
        ("parent", "../../../etc/passwd"),
        ("parent in the middle", "a/../../b"),
        ("backslash", "..\\..\\x"),
        ("drive", "C:\\Windows\\x"),
        ("url", "file:///etc/passwd"),
        ("unc", "\\\\host\\share"),
        ("null", "w.bin\x00/../x"),
        ("tilde parent", "./../x"),
    ):
        found[f"onnx/external {name}"] = {"m/model.onnx": onnx((5, external(location))), "m/w.bin": bytes(16)}
    outside = external("../../x")
    attribute = message((1, "value"), (5, outside), (20, 4))
    inner = message((1, message((2, "y"), (4, "Constant"), (5, attribute))), (2, "inner"))
    constant_node = message((2, "y"), (4, "Constant"), (5, attribute))
    branch = message((1, "c"), (2, "y"), (4, "If"), (5, message((1, "then_branch"), (6, inner), (20, 5))))
    return found | {
        "onnx/external in an attribute": {"m.onnx": onnx(nodes=(constant_node,))},
        "onnx/external in a subgraph": {"m.onnx": onnx(nodes=(branch,))},
        "onnx/external in a function": {
            "m.onnx": onnx(more=field(25, message((1, "f"), (7, constant_node), (10, "acme"))))
        },
        "onnx/external in training": {"m.onnx": onnx(more=field(20, message((1, message((5, outside), (2, "t"))))))},
        "onnx/external in a sparse tensor": {"m.onnx": onnx((15, message((1, outside), (2, outside), (3, 4))))},
        "onnx/python operator": {
            "m.onnx": onnx(
                nodes=(message((1, "x"), (2, "y"), (4, "PyOp"), (7, "ai.onnx.contrib")),),
                domains=("", "ai.onnx.contrib"),
            )
        },
        "onnx/python operator of torch": {
            "m.onnx": onnx(
                nodes=(message((1, "x"), (2, "y"), (4, "PythonOp"), (7, "com.microsoft")),),
                domains=("", "com.microsoft"),
            )
        },
        "onnx/pickle in metadata": {
            "m.onnx": onnx(more=field(14, message((1, "blob"), (2, system().decode("latin-1")))))
        },
        "onnx/appended pickle": {"m.onnx": onnx() + system()},
        "suspicious/onnx unknown domain": {
            "m.onnx": onnx(
                nodes=(message((1, "x"), (2, "y"), (4, "Magic"), (7, "com.acme.native")),),
                domains=("", "com.acme.native"),
            )
        },
        "broken/onnx external missing": {"m/model.onnx": onnx((5, external("w.bin")))},
        "broken/onnx external short": {"m/model.onnx": onnx((5, external("w.bin"))), "m/w.bin": bytes(4)},
        "broken/onnx external offset": {
            "m/model.onnx": onnx((5, external("w.bin", offset=1 << 40))),
            "m/w.bin": bytes(64),
        },
        "broken/onnx raw data short": {"m.onnx": onnx((5, message((1, 4), (2, 1), (8, "w"), (9, bytes(8)))))},
        "broken/onnx negative dimension": {"m.onnx": onnx((5, message((1, -4), (2, 1), (8, "w"), (9, bytes(16)))))},
        "broken/onnx dtype unknown": {"m.onnx": onnx((5, message((1, 4), (2, 99), (8, "w"), (9, bytes(16)))))},
        "broken/onnx cut in the middle": {"m.onnx": onnx((5, message((1, 4), (2, 1), (8, "w"), (9, bytes(16)))))[:40]},
        "broken/onnx cut by one": {"m.onnx": onnx((5, message((1, 4), (2, 1), (8, "w"), (9, bytes(16)))))[:-1]},
        "broken/onnx empty": {"m.onnx": b""},
        "broken/onnx duplicate tensor": {
            "m.onnx": onnx(*((5, message((1, 4), (2, 1), (8, "w"), (9, bytes(16)))),) * 2)
        },
        "broken/onnx without graph": {"m.onnx": message((1, 8), (2, "acme"), (8, message((1, ""), (2, 17))))},
        "broken/tf cut": {"saved_model.pb": saved(graph(*PLAIN))[:-3]},
        "broken/tf cut in the head": {"saved_model.pb": saved(graph(*PLAIN))[:5]},
        "broken/tf empty": {"saved_model.pb": b""},
        "broken/tf zeros": {"saved_model.pb": bytes(64)},
    }
