"""What `fit` says of a launch: the engine that was chosen, on the device that does the work."""

from __future__ import annotations

from collections.abc import Mapping

from weigh.app.fit import Wish, devices_of, fits
from weigh.app.weigh import weigh
from weigh.core.engine import Launch
from weigh.core.errors import BadReference
from weigh.core.fit import Fit
from weigh.core.hardware import Device
from weigh.sources.machine import Run

_ENGINES: Mapping[str, str] = {
    "llama-server": "llama.cpp",
    "llama.cpp": "llama.cpp",
    "ollama": "ollama",
    "transformers": "transformers",
    "vllm": "vllm",
}


def predicted(text: str, launch: Launch, device_name: str | None, run: Run) -> Fit | None:
    """By the closed forms alone; None where nothing says how large the model is. Raises BadReference for a device.

    The device is the one of this name; else the processor for what runs there, else this machine's first.
    """
    device = _device(launch, device_name, run)
    wish = Wish(
        engine=_ENGINES.get(launch.engine),
        context_length=launch.context_length,
        kv=launch.kv or "f16",
        parallel=launch.parallel,
        exact=False,
    )
    try:
        return fits(weigh(text), (device,), wish)[0]
    except BadReference:
        return None


def _device(launch: Launch, name: str | None, run: Run) -> Device:
    here = devices_of((), run)
    if name is not None:
        found = next((one for one in here if name.casefold() in one.name.casefold()), None)
        if found is None and name.casefold() != "cpu":
            raise BadReference("bench.device", device=name, known=", ".join(one.name for one in here))
        return found or here[-1]
    on_cpu = launch.device == "cpu" or (launch.engine == "llama.cpp" and not launch.n_gpu_layers)
    return here[-1] if on_cpu else here[0]
