"""ExecuTorch programs and tensors from its own exporter: `python -m tools.samples.executorch OUT`."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tools.samples.oracles import Tensor as Row
from tools.samples.oracles import main, note

NAMES = {"FLOAT": "F32", "LONG": "I64", "INT": "I32", "HALF": "F16"}


def write(folder: Path) -> None:
    """Every sample and its oracle, below `folder`."""
    import torch
    from executorch.exir import ExecutorchBackendConfig, to_edge

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Linear(8, 4)
            self.second = torch.nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(torch.relu(self.first(x)))

    write_old(folder)
    torch.manual_seed(0)
    exported = torch.export.export(Net().eval(), (torch.ones(1, 8),))
    for name, config in {
        "linear": ExecutorchBackendConfig(),
        "tensors-apart": ExecutorchBackendConfig(external_constants=True),
    }.items():
        program = to_edge(exported).to_executorch(config)
        path = folder / f"{name}.pte"
        path.write_bytes(program.buffer)
        rows, operators = listed(program.executorch_program)
        note(path, "executorch", rows, operators=operators)
        if config.external_constants:
            program.write_tensor_data_to_file(str(folder))
            for apart in folder.glob("*.ptd"):
                note(apart, "executorch", sorted(named(Net())), operators=[])


def write_old(folder: Path) -> None:
    """A program as it was before September 2024: its constants in the flatbuffer, no header between."""
    from importlib.resources import files

    schema = files("executorch.schema")
    tensor = {"scalar_type": "FLOAT", "sizes": [2, 3], "dim_order": [0, 1], "data_buffer_idx": 1}
    plan = {
        "name": "forward",
        "values": [{"val_type": "Tensor", "val": tensor}, {"val_type": "Int", "val": {"int_val": 7}}],
        "operators": [{"name": "aten::add", "overload": "out"}],
        "inputs": [],
        "outputs": [0],
        "delegates": [{"id": "XnnpackBackend", "processed": {"location": "INLINE", "index": 0}}],
    }
    program = {
        "version": 0,
        "execution_plan": [plan],
        "constant_buffer": [{"storage": []}, {"storage": list(range(24))}],
        "backend_delegate_data": [{"data": [1, 2, 3]}],
    }
    with tempfile.TemporaryDirectory() as made:
        source = Path(made) / "old.json"
        source.write_text(json.dumps(program))
        subprocess.run(["flatc", "-b", "-o", made, str(schema / "program.fbs"), str(source)], check=True)
        (folder / "constants-inside.pte").write_bytes((Path(made) / "old.pte").read_bytes())
    operators = ["aten::add.out", "delegate:XnnpackBackend"]
    note(folder / "constants-inside.pte", "executorch", [("forward.0", "F32", [2, 3])], operators=operators)


def listed(program: Any) -> tuple[list[Row], list[str]]:
    """Constants and operators, as the program's own value has them."""
    rows: list[Row] = []
    plan = program.execution_plan[0]
    for number, value in enumerate(plan.values):
        tensor = value.val
        if type(tensor).__name__ != "Tensor":
            continue
        extra = tensor.extra_tensor_info
        outside = extra is not None and extra.location.name == "EXTERNAL"
        if tensor.data_buffer_idx or outside:
            name = extra.fully_qualified_name if extra is not None else None
            rows.append((name or f"{plan.name}.{number}", NAMES[tensor.scalar_type.name], list(tensor.sizes)))
    return rows, sorted(f"{one.name}.{one.overload}" for one in plan.operators)


def named(net: Any) -> list[Row]:
    return [(name, "F32", list(tensor.shape)) for name, tensor in net.state_dict().items()]


if __name__ == "__main__":
    main(write)
