"""TensorFlow's own files made with tensorflow-cpu 2.21: `python -m tools.samples.tf OUT` (one folder a format)."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2, saver_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tensorflow.python.keras.protobuf import saved_metadata_pb2

from tools.samples.oracles import NUMPY, Tensor, main, note


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    for name in ("tf-savedmodel", "tf-graphdef", "tf-metagraph", "tf-checkpoint"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    second_generation(folder)
    first_generation(folder)
    frozen(folder / "tf-graphdef")
    keras_metadata(folder / "tf-savedmodel" / "keras_metadata.pb")


def dtype(number: int) -> str:
    kind = tf.dtypes.as_dtype(number)
    return {"string": "STRING", "resource": "RESOURCE"}.get(kind.name) or NUMPY[kind.name]


def constants(graph: tf.compat.v1.GraphDef) -> list[Tensor]:
    """What is frozen into a graph and its functions."""
    nodes = [("", node) for node in graph.node]
    nodes += [(f"{one.signature.name}/", node) for one in graph.library.function for node in one.node_def]
    found = []
    for stem, node in nodes:
        if node.op == "Const":
            value = node.attr["value"].tensor
            found.append((stem + node.name, dtype(value.dtype), [one.size for one in value.tensor_shape.dim]))
    return found


def operators(graph: tf.compat.v1.GraphDef) -> list[str]:
    nodes = [*graph.node, *(node for one in graph.library.function for node in one.node_def)]
    return sorted({node.op for node in nodes})


class Small(tf.Module):
    """One layer and a function that calls another."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(tf.ones((4, 3)), name="weight")
        self.steps = tf.Variable(tf.constant(0, tf.int64), name="steps")

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def __call__(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        self.steps.assign_add(1)
        return {"y": tf.nn.relu(x @ self.weight) + tf.constant([1.0, 2.0, 3.0])}


def second_generation(folder: Path) -> None:
    """SavedModel 2 and a checkpoint of objects."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        module = Small()
        options = tf.saved_model.SaveOptions(save_debug_info=False)
        tf.saved_model.save(module, name, signatures=module.__call__, options=options)
        target = folder / "tf-savedmodel" / "second.pb"
        shutil.copy(made / "saved_model.pb", target)
        note_saved(target)
        fingerprint = folder / "tf-savedmodel" / "fingerprint.pb"
        shutil.copy(made / "fingerprint.pb", fingerprint)
        note(fingerprint, "tf-savedmodel")
        index = folder / "tf-checkpoint" / "variables.index"
        shutil.copy(made / "variables" / "variables.index", index)
        note_checkpoint(index, made / "variables" / "variables")


def note_saved(path: Path) -> None:
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    graph = model.meta_graphs[0].graph_def
    note(
        path,
        "tf-savedmodel",
        constants(graph),
        operators=operators(graph),
        tags=[list(one.meta_info_def.tags) for one in model.meta_graphs],
        signatures=sorted(model.meta_graphs[0].signature_def),
    )


def note_checkpoint(path: Path, prefix: Path) -> None:
    reader = tf.train.load_checkpoint(str(prefix))
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    note(path, "tf-checkpoint", [(name, dtype(dtypes[name]), shape) for name, shape in shapes.items()])


def first_generation(folder: Path) -> None:
    """A session's graph: SavedModel 1, its MetaGraph, checkpoints of both versions, one of them in parts."""
    graph = tf.Graph()
    with graph.as_default(), tempfile.TemporaryDirectory() as name:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
        weight = tf.compat.v1.get_variable("weight", [4, 3], use_resource=False)
        half = tf.compat.v1.get_variable("half", [5], dtype=tf.float16, use_resource=False)
        parts = tf.compat.v1.get_variable(
            "parts", [6, 2], partitioner=tf.compat.v1.fixed_size_partitioner(2), use_resource=False
        )
        y = tf.identity(x @ weight + tf.reduce_sum(tf.cast(half, tf.float32)) + tf.reduce_sum(parts), name="y")
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            saved = Path(name) / "saved"
            tf.compat.v1.saved_model.simple_save(session, str(saved), {"x": x}, {"y": y})
            target = folder / "tf-savedmodel" / "first.pb"
            shutil.copy(saved / "saved_model.pb", target)
            note_saved(target)
            saver = tf.compat.v1.train.Saver()
            saver.save(session, f"{name}/model")
            meta = folder / "tf-metagraph" / "model.meta"
            shutil.copy(f"{name}/model.meta", meta)
            read = tf.compat.v1.MetaGraphDef.FromString(meta.read_bytes())
            note(meta, "tf-metagraph", constants(read.graph_def), operators=operators(read.graph_def))
            index = folder / "tf-checkpoint" / "parts.index"
            shutil.copy(f"{name}/model.index", index)
            note_checkpoint(index, Path(f"{name}/model"))
            old = tf.compat.v1.train.Saver(write_version=saver_pb2.SaverDef.V1)
            old.save(session, f"{name}/old", write_meta_graph=False)
            target = folder / "tf-checkpoint" / "old.ckpt"
            shutil.copy(f"{name}/old", target)
            note_checkpoint(target, Path(f"{name}/old"))


def frozen(folder: Path) -> None:
    """Variables made constants; a graph with functions only; one as text inside another."""
    module = Small()

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def plain(x: tf.Tensor) -> tf.Tensor:
        return x @ module.weight

    graph = convert_variables_to_constants_v2(plain.get_concrete_function()).graph.as_graph_def()
    save_graph(graph, folder / "frozen.pb")
    save_graph(module.__call__.get_concrete_function().graph.as_graph_def(), folder / "functions.pb")
    outer = tf.Graph()
    with outer.as_default():
        tf.constant(graph.SerializeToString(), name="inner")
        tf.constant(3, name="three")
        tf.raw_ops.ReadFile(filename=tf.constant("a file"))
    save_graph(outer.as_graph_def(), folder / "nested.pb")


def save_graph(graph: tf.compat.v1.GraphDef, path: Path) -> None:
    path.write_bytes(graph.SerializeToString(deterministic=True))
    note(path, "tf-graphdef", constants(graph), operators=operators(graph))


def keras_metadata(path: Path) -> None:
    """What Keras 2 lays beside a model: its layers' configurations, a Lambda among them."""
    made = saved_metadata_pb2.SavedMetadata()
    layer = '{"class_name": "Lambda", "name": "lambda", "config": {"name": "lambda", "function": ["4wEAAAA=", null]}}'
    for number, kind, text in [(0, "_tf_keras_model", '{"class_name": "Sequential"}'), (1, "_tf_keras_layer", layer)]:
        node = made.nodes.add(node_id=number, node_path=f"root.layer-{number}", identifier=kind, metadata=text)
        node.version.producer = 2
    path.write_bytes(made.SerializeToString())
    note(path, "tf-savedmodel")


if __name__ == "__main__":
    main(write)
