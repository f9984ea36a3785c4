"""A web page lies where a model should: a download that answered with an error or a login."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule
from weigh.core.saying import Saying

# What nobody calls a web page.
MODEL_SUFFIXES = (
    ".gguf", ".ggml", ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".pb", ".h5", ".keras", ".tflite",
    ".pkl", ".joblib", ".npz", ".npy", ".model", ".mlmodel",
)  # fmt: skip


def check(evidence: Evidence) -> Iterator[Finding]:
    """Only where the name promises a model: an .html beside a model is what it says."""
    for file in evidence.files:
        if file.format == "html" and file.path.lower().endswith(MODEL_SUFFIXES):
            yield Finding(
                rule=RULE.id,
                severity="high",
                confidence="certain",
                path=file.path,
                offset=0,
                verdict="broken",
                detail=Saying("finding.html-page", nbytes=file.nbytes),
            )


RULE = Rule(id="html-page", check=check)
