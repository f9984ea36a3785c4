"""The user's own folders, as this system has them."""

from __future__ import annotations

import os
import sys


def data_folder() -> str:
    """Where weigh keeps what it has learnt: XDG_DATA_HOME where it is set, else as the system has it."""
    home = os.path.expanduser("~")
    if named := os.environ.get("XDG_DATA_HOME"):
        return os.path.join(named, "weigh")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support", "weigh")
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local"), "weigh")
    return os.path.join(home, ".local", "share", "weigh")


def inventory_file() -> str:
    """What `weigh list` knows of each file; it may be deleted at any time."""
    return os.path.join(data_folder(), "inventory.sqlite3")


def synced_file() -> str:
    """The file that `weigh catalog sync` keeps."""
    return os.path.join(data_folder(), "catalog.json")


def measured_file() -> str:
    """The file that `weigh bench --save` keeps."""
    return os.path.join(data_folder(), "measured.json")
