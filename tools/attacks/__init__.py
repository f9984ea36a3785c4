"""Hostile, ruined and honest models made by hand, their payloads inert: a case is a name and its files."""

from tools.attacks import (
    folders,
    ggufs,
    globals_,
    graphs,
    honest,
    kerases,
    machine,
    others,
    ruins,
    tensors,
    torches,
    tricks,
    wrapped,
)

Files = dict[str, bytes]

WINGS = (globals_, machine, torches, wrapped, kerases, graphs, ggufs, tensors, folders, others, ruins, tricks, honest)


def cases() -> dict[str, Files]:
    """Every case: "group/name" to its files; one file is checked by itself, several as a folder."""
    return {name: files for wing in WINGS for name, files in wing.cases().items()}
