"""Keras's own files: .keras, .h5 and weights, of every ordinary kind of layer."""

# tables of cases are lines of text
from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from tools.honest import Honest
from tools.keras_backend import choose

choose()
import keras  # noqa: E402
from keras import layers  # noqa: E402


def _dense() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, activation="relu", kernel_regularizer="l2"),
            layers.Dropout(0.1),
            layers.Dense(1),
        ]
    )


def _pictures() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.BatchNormalization()(layers.Conv2D(2, 3, padding="same")(x))
    x = layers.Add()([layers.ReLU()(x), layers.LeakyReLU(0.1)(x)])
    x = layers.MaxPooling2D()(layers.DepthwiseConv2D(3, padding="same")(x))
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def _words() -> keras.Model:
    inputs = keras.Input((5,), dtype="int32")
    x = layers.Embedding(10, 4, mask_zero=True)(inputs)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    return keras.Model(inputs, layers.TimeDistributed(layers.Dense(1))(layers.GRU(3, return_sequences=True)(x)))


def _attention() -> keras.Model:
    inputs = keras.Input((4, 8))
    x = layers.LayerNormalization()(inputs + layers.MultiHeadAttention(2, 4)(inputs, inputs))
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))


def _nested() -> keras.Model:
    return keras.Sequential(
        [keras.Input((4,)), _dense(), layers.Activation("gelu"), layers.Normalization(mean=0.0, variance=1.0)]
    )


def _augmented() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.RandomFlip(),
            layers.RandomRotation(0.1),
            layers.CenterCrop(4, 4),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


def _compiled() -> keras.Model:
    model = _dense()
    model.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.1, 10)),
        keras.losses.Huber(),
        metrics=["mae", keras.metrics.RootMeanSquaredError()],
    )
    model.train_on_batch(keras.ops.ones((2, 4)), keras.ops.ones((2, 1)))
    return model


def _operations() -> keras.Model:
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.ops.concatenate([keras.ops.sqrt(keras.ops.abs(inputs)), inputs * 2 + 1], axis=-1))


MODELS: dict[str, Callable[[], keras.Model]] = {
    "dense": _dense, "pictures": _pictures, "words": _words, "attention": _attention, "nested": _nested,
    "augmented": _augmented, "compiled": _compiled, "operations": _operations,
}  # fmt: skip


def _save(folder: Path, *, name: str, suffix: str) -> Path:
    path = folder / f"{name}{suffix}"
    model = MODELS[name]()
    model.save_weights(path) if suffix == ".weights.h5" else model.save(path)
    return path


def _read(path: Path, *, name: str) -> object:
    if path.name.endswith(".weights.h5"):
        model = MODELS[name]()
        model.load_weights(path)
        return model
    return keras.saving.load_model(path, safe_mode=True)


CASES: tuple[Honest, ...] = tuple(
    Honest(f"{name}{suffix}", functools.partial(_save, name=name, suffix=suffix), functools.partial(_read, name=name))
    for suffix in (".keras", ".h5", ".weights.h5")
    for name in MODELS
    if not (name in ("attention", "operations", "words") and suffix == ".h5")  # Keras reads such back no more
)
