"""Other scanners, each in an environment of its own, made where it is not there yet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# fickling says nothing of typing_extensions, and does not start without it.
PEERS = {
    "picklescan": ("picklescan==1.0.5",),
    "modelscan": ("modelscan==0.8.8", "h5py"),
    "fickling": ("fickling==0.1.12", "typing_extensions"),
    "modelaudit": ("modelaudit==0.2.54",),
}
SILENT = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1"}
PLACE = Path(os.environ.get("WEIGH_PEERS", Path(__file__).parents[1] / "build" / "peers"))


def executable(name: str) -> str | None:
    """The command, its environment made if need be under `build/peers` or $WEIGH_PEERS; None if it cannot be."""
    home = PLACE / name
    command = home / "bin" / name
    if command.exists():
        return str(command)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, capture_output=True)
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *PEERS[name]]
        subprocess.run(install, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{name}: no environment for it ({error}); left out")
        return None
    return str(command) if command.exists() else None
