"""TensorFlow's SavedModels, checkpoints and TFLite files."""

# tables of cases are lines of text
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tools.honest import Honest


class Counter(tf.Module):
    """A module with branches, loops and a table."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(tf.ones((4, 4)), name="weight")
        self.count = tf.Variable(0, dtype=tf.int64)

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32)])
    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        self.count.assign_add(1)
        for _ in tf.range(2):
            x = tf.nn.relu(x @ self.weight)
        return tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: -x)


class Lookup(tf.Module):
    """Words to numbers, by a table kept in the graph."""

    def __init__(self) -> None:
        super().__init__()
        keys = tf.lookup.KeyValueTensorInitializer(tf.constant(["a", "b"]), tf.constant([0, 1], tf.int64))
        self.table = tf.lookup.StaticHashTable(keys, -1)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
    def look(self, words: tf.Tensor) -> tf.Tensor:
        return self.table.lookup(tf.strings.lower(tf.strings.regex_replace(words, "[^a-z]", "")))


def _keras() -> tf.keras.Model:
    return tf.keras.Sequential(
        [tf.keras.Input((4,)), tf.keras.layers.Dense(3, activation="relu"), tf.keras.layers.Dense(1)]
    )


def _module(make: Callable[[], tf.Module]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        tf.saved_model.save(make(), str(folder / "saved"))
        return folder / "saved"

    return write


def _signed(folder: Path) -> Path:
    module = Counter()
    tf.saved_model.save(
        module, str(folder / "saved"), signatures={"serving_default": module.__call__, "again": module.__call__}
    )
    return folder / "saved"


def _exported(folder: Path) -> Path:
    _keras().export(str(folder / "exported"), verbose=False)
    return folder / "exported"


def _checkpoint(folder: Path) -> Path:
    inside = folder / "checkpoints"
    tf.train.Checkpoint(model=Counter(), step=tf.Variable(3)).save(str(inside / "ckpt"))
    return inside


def _lite(folder: Path) -> Path:
    (folder / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(_keras()).convert())
    return folder / "model.tflite"


def _read_lite(path: Path) -> object:
    tf.lite.Interpreter(str(path)).allocate_tensors()
    return path


def _load(folder: Path) -> object:
    return tf.saved_model.load(str(folder))


CASES: tuple[Honest, ...] = (
    Honest("module", _module(Counter), _load),
    Honest("table of words", _module(Lookup), _load),
    Honest("signed", _signed, _load),
    Honest("exported by keras", _exported, _load),
    Honest("checkpoint", _checkpoint, lambda folder: tf.train.load_checkpoint(str(folder)).get_variable_to_shape_map()),
    Honest("model.tflite", _lite, _read_lite),
)
