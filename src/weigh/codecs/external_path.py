"""Where a path that a file gives leads: into its own folder, or out of it."""

from __future__ import annotations


def leaves(path: str) -> bool:
    """Absolute, with a drive or a scheme, up through `..`, or with a backslash, which systems read differently."""
    parts = path.split("/")
    return "\\" in path or ".." in parts or path.startswith(("/", "~")) or ":" in parts[0] or "\0" in path
