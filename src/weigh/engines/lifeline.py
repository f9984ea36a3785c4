"""An end with who started it, whatever ended that one: a child of ours does not outlive this program."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STANDARD_INPUT = 0


def hold_on() -> None:
    """Called by a child at its start. Its standard input is a pipe whose other end only its parent holds.

    On Linux the kernel ends it with its parent; elsewhere, and where the parent was gone before, it sees the pipe end.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if hasattr(select, "poll"):
        threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    """Takes nothing from the pipe: only its end is waited for."""
    pipe = select.poll()
    pipe.register(STANDARD_INPUT, 0)
    while not any(happened & (select.POLLHUP | select.POLLERR) for _, happened in pipe.poll()):
        pass
    os._exit(0)
