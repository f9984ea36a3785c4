"""PaddlePaddle's files made with paddlepaddle 3.3.1: `python -m tools.samples.paddle OUT`.

With FLAGS_enable_pir_api=1 in the environment the program as JSON alone, else it as protobuf and its parameters.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("FLAGS_enable_pir_api", "0")

import paddle

from tools.samples.oracles import NUMPY, main, note

AS_JSON = os.environ["FLAGS_enable_pir_api"] == "1"  # noqa: SIM112 - so Paddle spells it


def write(folder: Path) -> None:
    """A program and its parameters."""
    paddle.enable_static()
    with tempfile.TemporaryDirectory() as name:
        x = paddle.static.data("x", [-1, 4], "float32")
        y = paddle.nn.functional.relu(paddle.static.nn.fc(x, 3))
        run = paddle.static.Executor(paddle.CPUPlace())
        run.run(paddle.static.default_startup_program())
        paddle.static.save_inference_model(f"{name}/inference", [x], [y], run)
        if AS_JSON:
            path = folder / "inference.json"
            path.write_bytes(Path(f"{name}/inference.json").read_bytes())
            held = [one for one in paddle.static.default_main_program().list_vars() if one.persistable]
            tensors = [(one.name, NUMPY[str(one.dtype).rpartition(".")[2].lower()], list(one.shape)) for one in held]
            tensors = [one for one in tensors if one[0].startswith("fc")]
            note(path, "paddle", tensors, operators=["add", "data", "fetch", "matmul", "relu"])
            return
        program, feeds, fetches = paddle.static.load_inference_model(f"{name}/inference", run)
        tensors = [
            (one.name, NUMPY[str(one.dtype).rpartition(".")[2].replace("FP32", "float32").lower()], list(one.shape))
            for one in program.list_vars()
            if one.persistable and one.name not in ("feed", "fetch")
        ]
        operators = sorted({one.type for block in program.blocks for one in block.ops})
        path = folder / "inference.pdmodel"
        path.write_bytes(Path(f"{name}/inference.pdmodel").read_bytes())
        note(path, "paddle", tensors, operators=operators, inputs=feeds, outputs=[one.name for one in fetches])
        path = folder / "inference.pdiparams"
        path.write_bytes(Path(f"{name}/inference.pdiparams").read_bytes())
        in_order = sorted(tensors)  # parameters lie in the order of their names
        note(path, "paddle", [(str(number), dtype, shape) for number, (_, dtype, shape) in enumerate(in_order)])


if __name__ == "__main__":
    main(write)
