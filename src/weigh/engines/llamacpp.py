"""llama.cpp's own account of a model's memory: it plans the buffers of a file without weights and allocates none."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from weigh.core.errors import BadReference
from weigh.core.fit import Memory
from weigh.fit.llamacpp import Setting
from weigh.fit.terms import summed

MIB = 1 << 20
SECONDS = 20.0
MOST_PRINTED = 1 << 22
_LAST = b"reserve took"
_KV = re.compile(r"llama_kv_cache\w*: size = +([\d.]+) MiB")
_STATE = re.compile(r"llama_memory_recurrent: size = +([\d.]+) MiB")
_OUTPUT = re.compile(r"output buffer size = +([\d.]+) MiB")
_COMPUTE = re.compile(r"(?<!SWA )compute buffer size = +([\d.]+) MiB")

Start = Callable[[tuple[str, ...], float], str]


def is_here() -> bool:
    """Whether the library is installed."""
    return importlib.util.find_spec("xllamacpp") is not None


def account(head: bytes, nbytes: int, setting: Setting, *, start: Start | None = None) -> Memory | None:
    """What it would take of a processor's memory; `head` is a GGUF file up to its first tensor's data, of `nbytes`.

    Weights are not counted. None where llama.cpp does not load such a file. Raises BadReference without the library.
    """
    if start is None and not is_here():
        raise BadReference("fit.exact", extra="weigh[llama]")
    with tempfile.TemporaryDirectory(prefix="weigh-") as folder:
        path = Path(folder) / "head.gguf"
        path.write_bytes(head)
        os.truncate(path, nbytes)  # a hole where the weights would be
        command = (sys.executable, "-m", "weigh.engines.llamacpp", str(path), json.dumps(_wish(setting)))
        return _read((start or _start)(command, SECONDS))


def _wish(setting: Setting) -> dict[str, int | str | bool]:
    return {
        "n_ctx": setting.context_length,
        "n_parallel": setting.parallel,
        "n_ubatch": setting.ubatch,
        "kv": setting.kv.upper(),
        "kv_values": (setting.kv_values or setting.kv).upper(),
        "flash_attention": setting.flash_attention,
    }


def _read(printed: str) -> Memory | None:
    """From the lines that name its buffers; None unless it came as far as the last of them."""
    compute = _COMPUTE.findall(printed)
    if not compute:
        return None
    return summed(
        weights=0,
        kv_cache=_sum(_KV.findall(printed)),
        recurrent_state=_sum(_STATE.findall(printed)),
        compute=_sum(compute),
        output=_sum(_OUTPUT.findall(printed)),
        overhead=0,
    )


def _sum(mebibytes: list[str]) -> int:
    return round(sum(map(float, mebibytes)) * MIB)


def _start(command: tuple[str, ...], seconds: float) -> str:
    """What it prints until its last buffer is planned; then it is ended, for next it uses what is not there."""
    environment = {**os.environ, "GGML_NO_BACKTRACE": "1"}
    printed = b""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment) as child:
        limit = threading.Timer(seconds, child.kill)
        limit.start()
        try:
            for line in child.stderr or ():
                printed += line
                if _LAST in line or len(printed) > MOST_PRINTED:
                    break
        finally:
            limit.cancel()
            child.kill()
    return printed.decode("utf-8", "replace")


def _child(path: str, wish: dict[str, int | str | bool]) -> None:
    """Load it here; for a process of its own."""
    xllamacpp = importlib.import_module("xllamacpp")
    _limit()
    given = xllamacpp.CommonParams()
    given.model.path = path
    given.no_alloc, given.warmup, given.fit_params, given.kv_unified = True, False, False, False
    given.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    given.n_ctx, given.n_parallel, given.n_ubatch = wish["n_ctx"], wish["n_parallel"], wish["n_ubatch"]
    given.n_batch = max(given.n_batch, given.n_ubatch)
    given.cache_type_k = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{wish['kv']}")
    given.cache_type_v = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{wish['kv_values']}")
    kinds = xllamacpp.llama_flash_attn_type
    on = wish["flash_attention"]
    given.flash_attn_type = kinds.LLAMA_FLASH_ATTN_TYPE_ENABLED if on else kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
    given.verbosity = 4
    _wait_instead_of_dying()
    xllamacpp.Server(given)


def _wait_instead_of_dying() -> None:
    """So that what is still to be printed by another thread is."""
    library = ctypes.CDLL(None) if sys.platform != "win32" else None
    if library is not None:
        library.signal(signal.SIGSEGV, ctypes.cast(library.pause, ctypes.c_void_p))


def _limit() -> None:
    """No core is dumped, and no more than a few GiB taken."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))


if __name__ == "__main__":
    _child(sys.argv[1], json.loads(sys.argv[2]))
    os._exit(0)
