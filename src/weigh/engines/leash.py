"""A command of the user's held by a pipe: `python leash.py COMMAND...`, and it ends when standard input does.

It is run as a file, by an interpreter that is told nothing of ours: the command gets its environment as it was.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Its exit status. When standard input ends, so do the command and all of its session."""
    try:
        process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_bind)
    except OSError as error:
        sys.stderr.write(f"{sys.argv[1]}: {error.strerror or error}\n")
        return 127
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: _signal(process, number))
    threading.Thread(target=_watch, args=(process,), daemon=True).start()
    status = process.wait()
    _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))  # what it left behind
    return status if status >= 0 else 128 - status


def _bind() -> None:
    """Where the kernel can, it ends the command with us."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def _watch(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1 << 10):
        pass
    _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.terminate()
        else:
            os.killpg(process.pid, number)


if __name__ == "__main__":
    sys.exit(main())
