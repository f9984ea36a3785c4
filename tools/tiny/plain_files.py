"""Plain models of three numbers in and two out, each by its own library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.keras_backend import choose


def torchscript(path: Path, x: Any) -> Any:
    """A linear layer times `scale`, and how many rows there were; what it makes of `x` with a scale of 1."""
    import torch

    class Plain(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(3, 2)

        def forward(self, x: torch.Tensor, scale: torch.Tensor):
            return self.linear(x) * scale, torch.tensor(x.shape[0])

    torch.manual_seed(0)
    model = Plain().eval()
    torch.jit.trace(model, (torch.from_numpy(x), torch.tensor(1.0))).save(str(path))
    return model(torch.from_numpy(x), torch.tensor(1.0))[0].detach().numpy()


def keras(path: Path, x: Any) -> Any:
    """Two layers; a name that ends in .h5 gives the old form."""
    choose()
    import keras as library

    library.utils.set_random_seed(0)
    inputs = library.Input((3,), name="x")
    outputs = library.layers.Dense(2, name="y")(library.layers.Dense(4, activation="relu")(inputs))
    model = library.Model(inputs, outputs)
    model.save(str(path))
    return library.ops.convert_to_numpy(model(x))


def savedmodel(folder: Path, x: Any) -> Any:
    """A signature that multiplies."""
    import tensorflow

    class Plain(tensorflow.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = tensorflow.Variable(tensorflow.reshape(tensorflow.range(6.0), (3, 2)))

        @tensorflow.function(input_signature=[tensorflow.TensorSpec([None, 3], tensorflow.float32, name="x")])
        def __call__(self, x: Any) -> Any:
            return {"y": tensorflow.matmul(x, self.weight)}

    model = Plain()
    tensorflow.saved_model.save(model, str(folder), signatures=model.__call__.get_concrete_function())
    return model(x)["y"].numpy()


def tflite(path: Path, x: Any) -> Any:
    """The same through TensorFlow's converter."""
    import tensorflow

    folder = path.with_suffix("")
    own = savedmodel(folder, x)
    path.write_bytes(tensorflow.lite.TFLiteConverter.from_saved_model(str(folder)).convert())
    return own


def openvino(path: Path, x: Any) -> Any:
    """A matrix and its product, as IR."""
    import numpy
    import openvino as library
    from openvino import opset13

    weight = numpy.arange(6, dtype="float32").reshape(3, 2)
    given = opset13.parameter([-1, 3], numpy.float32, name="x")
    made = opset13.matmul(given, opset13.constant(weight), False, False)
    given.output(0).set_names({"x"})
    made.output(0).set_names({"y"})
    library.save_model(library.Model([made], [given], "plain"), str(path), compress_to_fp16=False)
    return x @ weight
