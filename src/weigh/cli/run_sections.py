"""The options of `weigh run`, by what they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weigh.cli.sections import Sectioned

SECTIONS: Mapping[str, Sequence[str]] = {
    "What to do": ("work", "out"),
    "Text": (
        "system",
        "schema",
        "suffix",
        "thinking",
        "max_tokens",
        "temperature",
        "top_p",
        "seed",
        "stop",
    ),
    "What it looks at or listens to": ("image", "mask", "audio", "language", "translate", "srt"),
    "Vectors, ranks and classes": ("documents", "documents_file", "dimensions", "labels", "top", "threshold"),
    "A folder that is searched": ("index", "query", "rerank", "index_file"),
    "Pictures, sound and film": (
        "negative",
        "size",
        "steps",
        "guidance",
        "strength",
        "count",
        "voice",
        "speed",
        "seconds",
        "frames",
        "fps",
    ),
    "How it runs": ("engine", "address", "name", "device", "context", "n_gpu_layers", "kv", "threads", "projector"),
    "What is let through": ("allow_pickle", "trust_remote_code", "fail_on", "policy", "anyway", "yes"),
}


class RunCommand(Sectioned):
    """The command with its sections."""

    sections = SECTIONS
