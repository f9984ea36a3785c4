"""Names taken apart, scored against labelled ones field by field, beside gguf-py's own parser; and names a second.

`python -m bench.names [LABELS]`: a file of one JSON object a line, each with a `name` and the fields it says.
Without one the labels beside the project are taken, and where there are none, the cases of the tests.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from weigh.names.decode import decode

HEADLINE = (
    "size",
    "version",
    "quant.scheme",
    "quant.method",
    "quant.bits",
    "format",
    "function",
    "shard",
    "context_tokens",
    "kind",
)
CONTEXT_MAY_DIFFER = 0.05
PROJECT = Path(__file__).parents[1]
LABELS = PROJECT.parent / "shared" / "labels" / "dev.jsonl"
CASES = PROJECT / "tests" / "names" / "cases.jsonl"

Said = Mapping[str, object]


class Score(NamedTuple):
    """Counts by field: said by both alike, said by the parser, said by the labels; and names with no field wrong."""

    right: Counter[str]
    said: Counter[str]
    meant: Counter[str]
    exact: int
    names: int

    def f1(self, *fields: str) -> float:
        """Of these fields together; of all where none is named."""
        precision, recall = self.precision(*fields), self.recall(*fields)
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    def precision(self, *fields: str) -> float:
        """Of what was said, how much is right."""
        return _share(self.right, self.said, fields)

    def recall(self, *fields: str) -> float:
        """Of what is meant, how much was said rightly."""
        return _share(self.right, self.meant, fields)


def score(labelled: Iterable[Said], parse: Callable[[str], Said]) -> Score:
    """Each field of a name is one item: right only where the whole value is, a context within a twentieth."""
    found = Score(Counter(), Counter(), Counter(), 0, 0)
    for label in labelled:
        said = parse(str(label["name"]))
        wrong = False
        for field in HEADLINE:
            meant, got = _value(label, field), _value(said, field)
            found.meant[field] += meant is not None
            found.said[field] += got is not None
            right = meant is not None and got is not None and alike(field, meant, got)
            found.right[field] += right
            wrong |= not right and (meant is not None or got is not None)
        found = found._replace(exact=found.exact + (not wrong), names=found.names + 1)
    return found


def alike(field: str, meant: object, got: object) -> bool:
    """Equal; lists in any order; contexts within a twentieth."""
    match field, meant, got:
        case "context_tokens", int(wanted), int(tokens):
            return abs(wanted - tokens) <= CONTEXT_MAY_DIFFER * wanted
        case _, [*_], [*_]:
            return sorted(meant) == sorted(got)
    return meant == got


def _share(part: Counter[str], whole: Counter[str], fields: tuple[str, ...]) -> float:
    chosen = fields or HEADLINE
    total = sum(whole[field] for field in chosen)
    return sum(part[field] for field in chosen) / total if total else 0.0


def _value(said: Said, field: str) -> object:
    outer, _, inner = field.partition(".")
    value = said.get(outer)
    if inner:
        value = value.get(inner) if isinstance(value, Mapping) else None
    return value or None


# The parsers


def ours(name: str) -> Said:
    """What `weigh name NAME --json` says."""
    plain = msgspec.to_builtins(decode(name), enc_hook=repr)
    assert isinstance(plain, dict)
    return plain


FUNCTIONS = {
    "chat": "chat", "instruct": "instruct", "it": "instruct", "base": "base", "coder": "code", "code": "code",
    "math": "math", "vl": "vision", "vision": "vision", "thinking": "thinking", "reasoning": "reasoning",
    "omni": "omni", "audio": "audio", "guard": "guard", "embedding": "embedding",
    "mt": "translate", "reasoner": "reasoning", "reranker": "rerank", "rerank": "rerank", "embeddings": "embedding",
    "tts": "tts", "asr": "asr", "ocr": "ocr", "image": "image", "video": "video", "speech": "speech", "whisper": "asr",
    "prover": "prover", "t2v": "t2v", "i2v": "i2v", "t2i": "t2i", "edit": "edit", "agent": "agent", "pretrain": "base",
}  # fmt: skip
FORMATS = frozenset(["gguf", "ggml", "mlx", "diffusers", "exl2", "hf", "onnx", "safetensors"])
_BASE_AND_VERSION = re.compile(r"^(.*?)[-_ ]?v?(\d+(?:\.\d+)*)$")
_SIZES = re.compile(r"^(?:(\d+)x)?([\d.]+)([BMT])(?:-A([\d.]+)([BMT]))?$", re.IGNORECASE)
_UNITS = {"M": 1e-3, "B": 1.0, "T": 1e3}


def gguf_py(name: str) -> Said:
    """gguf's `get_model_id_components`, its base name split into family and version, its words mapped to ours."""
    from gguf.metadata import Metadata

    _, _, basename, finetune, version, size = Metadata.get_model_id_components(name)
    said: dict[str, object] = {}
    if basename and (split := _BASE_AND_VERSION.match(basename)):
        said["version"] = split[2]
    if version:
        said["version"] = version.lstrip("vV")
    if size and (read := _size(size)):
        said["size"] = read
    words = re.split(r"[-_. ]", f"{basename or ''}-{finetune or ''}".lower())
    said["function"] = sorted({FUNCTIONS[word] for word in words if word in FUNCTIONS})
    for word in (*words, *name.lower().split(".")[-1:]):
        if word in FORMATS:
            said["format"] = word
    return said


def _size(label: str) -> dict[str, float] | None:
    if (found := _SIZES.match(label)) is None:
        return None
    value = float(found[2]) * _UNITS[found[3].upper()]
    if found[1]:
        return {"experts": int(found[1]), "expert_b": value}
    active = {"active_b": float(found[4]) * _UNITS[found[5].upper()]} if found[4] else {}
    return {"total_b": value, **active}


# Running


def labels(path: Path) -> list[Said]:
    """One JSON object a line."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def names_a_second(names: list[str], *, at_least: int = 20_000) -> float:
    """Of processor time, in one process, each name under a number of its own so that none is met twice."""
    many = [f"{name}-{turn}x" for turn in range(at_least // len(names) + 1) for name in names]
    start = time.process_time()
    for name in many:
        decode(name)
    return len(many) / (time.process_time() - start)


def report(title: str, found: Score) -> Iterator[str]:
    """A line for the parser and one for each field."""
    yield (
        f"{title:<10} precision {found.precision():.3f}  recall {found.recall():.3f}  F1 {found.f1():.3f}"
        f"  exact {found.exact / found.names:.3f}  of {found.names} names"
    )
    yield "           " + "  ".join(f"{field} {found.f1(field):.2f}" for field in HEADLINE)


def main(arguments: list[str]) -> None:
    """Prints both scores and the speed."""
    path = Path(arguments[0]) if arguments else LABELS if LABELS.exists() else CASES
    labelled = labels(path)
    for title, parse in (("weigh", ours), ("gguf-py", gguf_py)):
        for line in report(title, score(labelled, parse)):
            print(line)
    print(f"names a second of one processor: {names_a_second([str(label['name']) for label in labelled]):,.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
