"""TorchScript: a program and its numbers in one archive. To load it is to run it, so it must be allowed, and clean."""

from __future__ import annotations

from typing import Any

from weigh.core.engine import Engine, Failed, Launch
from weigh.core.work import Fault
from weigh.engines.arrays import Port
from weigh.engines.plain import Plain, outputs, works_of


def load(launch: Launch) -> Plain:
    """In the child. Raises Failed where nobody allowed it."""
    import torch

    if not launch.allow_pickle:
        raise Failed(Fault(kind="unsupported", detail="TorchScript runs code when it is loaded: --allow-pickle"))
    if launch.threads:
        torch.set_num_threads(launch.threads)
    model = torch.jit.load(launch.path, map_location=launch.device or "cpu").eval()
    names = [one.name for one in model.forward.schema.arguments[1:] if not one.has_default_value()]

    def infer(given: dict[str, Any]) -> dict[str, Any]:
        with torch.inference_mode():
            made = model(*(torch.from_numpy(value.copy()).to(launch.device or "cpu") for value in given.values()))
        return {name: _numbers(value) for name, value in outputs(made).items()}

    return Plain([Port(name=name) for name in names], infer)


def _numbers(tensor: Any) -> Any:
    """Types that numpy lacks become F32."""
    plain = tensor.detach().cpu()
    return plain.float().numpy() if plain.is_floating_point() and plain.itemsize < 4 else plain.numpy()


ENGINE = Engine(
    name="torchscript",
    extra="torch",
    needs=("torch", "numpy"),
    reach="child",
    module="weigh.engines.torchscript",
    works=works_of("torchscript"),
)
