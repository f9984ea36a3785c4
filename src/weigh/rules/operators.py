"""A model's graph holds an operator or layer that does more than compute."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.core.finding import Finding, Severity, Verdict
from weigh.core.observation import Observation
from weigh.core.rule import Evidence, Examined, Rule
from weigh.core.saying import Saying
from weigh.knowledge.risky_operators import RiskyOperator, risky_operators, tensorflow_operators

MOST_OF_A_FILE = 20
_FAMILIES = {
    "tf-savedmodel": "tensorflow",
    "tf-graphdef": "tensorflow",
    "tf-metagraph": "tensorflow",
    "tf-checkpoint": "tensorflow",
    "tfjs": "tensorflow",
    "keras-h5": "keras",
    "keras": "keras",
    "hdf5": "keras",
    "onnx": "onnx",
    "onnx-tensor": "onnx",
    "ort": "onnx",
    "pytorch": "torchscript",
    "coreml-package": "coreml",
}
_OWN_NAME = re.compile(r"[A-Z][A-Za-z0-9]*(?:>[A-Z][A-Za-z0-9]*)?")
_DANGEROUS_WORDS = frozenset(
    {
        "os", "system", "popen", "Popen", "subprocess", "eval", "exec", "compile", "__import__", "importlib", "open",
        "socket", "urllib", "requests", "getattr", "globals", "builtins", "__builtins__", "base64", "marshal", "pickle",
        "ctypes", "shutil", "chr", "posix", "check_output", "run", "urlopen", "setattr", "spawn", "pty", "write",
    }
)  # fmt: skip


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each such operator of a file, for code kept in a graph, for libraries nobody knows."""
    for file in evidence.files:
        told: set[str] = set()
        for seen in file.observations:
            finding = _judged(file, seen)
            if finding is not None and seen.value not in told and len(told) < MOST_OF_A_FILE:
                told.add(seen.value)
                yield finding


def _judged(file: Examined, seen: Observation) -> Finding | None:
    family = _FAMILIES.get(file.format, file.format)
    match seen.kind:
        case "layer":
            family = "keras" if family in ("tensorflow", "json") else family
            return _listed(file, seen, family) or _custom(file, seen, family)
        case "operator":
            return _listed(file, seen, family) or _foreign(file, seen, family)
        case "code" if family in ("keras", "tensorflow"):
            return _code(file, seen)
        case "code" if family == "caffe":
            return _finding(file, seen, "python", ("high", "suspicious"))
    return None


def _listed(file: Examined, seen: Observation, family: str) -> Finding | None:
    row = _row(seen.value, family)
    if row is None or (row.verdict is None and row.severity == "info"):
        return None
    return _finding(file, seen, row.reason, (row.severity, row.verdict))


def _row(value: str, family: str) -> RiskyOperator | None:
    """By its whole name, then by the last word of it: `keras.utils get_file`, `Custom>Lambda`."""
    if family == "tflite":
        value, family = value.removeprefix("custom:").removeprefix("Flex"), "tensorflow"
    last = re.split(r"[ .>:]", value)[-1]
    table = risky_operators()
    return table.get(f"{family}:{value}") or table.get(f"{family}:{last}")


def _foreign(file: Examined, seen: Observation, family: str) -> Finding | None:
    """Of a library that is neither the framework's own nor a known one."""
    value, table = seen.value, risky_operators()
    unknown = False
    if family == "tensorflow":
        unknown = _OWN_NAME.fullmatch(value) is not None and value not in tensorflow_operators()
    elif family == "onnx" and "." in value:
        unknown = f"onnx-domain:{value.rpartition('.')[0]}" not in table
    elif family == "torchscript" and value.startswith("ops."):
        unknown = f"torchscript-library:{value.split('.')[1]}" not in table
    return _finding(file, seen, "library", ("medium", "suspicious")) if unknown else None


def _custom(file: Examined, seen: Observation, family: str) -> Finding | None:
    """A class that the app that loads the model must bring."""
    custom = family == "coreml" and seen.value.startswith("custom")
    return _finding(file, seen, "library", ("medium", "suspicious")) if custom else None


def _code(file: Examined, seen: Observation) -> Finding:
    """Bytecode kept in a graph, by the names it holds; names nobody could read count as the worst."""
    words = set(re.split(r"[ .]", seen.value))
    if words & _DANGEROUS_WORDS:
        return _finding(file, seen, "code", ("critical", "malicious"))
    return _finding(file, seen, "code", ("high" if seen.value == "?" else "medium", "suspicious"))


def _finding(file: Examined, seen: Observation, reason: str, judged: tuple[Severity, Verdict | None]) -> Finding:
    severity, verdict = judged
    return Finding(
        rule=RULE.id,
        severity=severity,
        confidence="likely",
        path=file.path,
        offset=seen.offset,
        verdict=verdict,
        detail=Saying(f"finding.operators.{reason}", name=seen.value, where=seen.where or file.path),
    )


RULE = Rule(id="operators", check=check)
