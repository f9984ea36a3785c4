"""What is fuzzed: seeds of each kind, and the function that must answer whatever becomes of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.cases.safety.templates import HONEST
from tools.make_samples import write
from weigh.app.baseline import read_baseline
from weigh.app.examine import examine_whole
from weigh.app.judge import judged
from weigh.app.policy import read_policy
from weigh.codecs.jinja import examine_template
from weigh.codecs.pysource import read_source
from weigh.core.errors import FormatError, SourceError, TableError, WeighError
from weigh.core.reference import Reference
from weigh.core.rule import Evidence, Examined
from weigh.core.source import Entry, Source
from weigh.formats import FORMATS, folder_formats
from weigh.knowledge.signatures import parse_signatures
from weigh.names.decode import decode
from weigh.names.reference import canonicalise, parse
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "samples"
_NAMES = (
    "Qwen3-30B-A3B-Instruct-2507-FP8",
    "DeepSeek-R1-Distill-Qwen-7B-Q4_K_M-00001-of-00003.gguf",
    "通义千问-Qwen2.5-7B-中文版-4.65bpw-exl2",
    "hf:org/name@main:folder/model.safetensors",
    "https://huggingface.co/Qwen/Qwen3-8B/resolve/main/config.json?x=1#y",
)
_CARD = b"---\nlicense: mit\nbase_model:\n- Qwen/Qwen2.5-7B\n---\n# Card\n"
_CONFIG = (
    b'{"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "hidden_size": 64, "num_hidden_layers": 2,'
    b' "num_attention_heads": 4, "vocab_size": 512, "intermediate_size": 128, "max_position_embeddings": 4096,'
    b' "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096},'
    b' "quantization_config": {"quant_method": "gptq", "bits": 4}, "auto_map": {"AutoModel": "m.Net"}}'
)
_POLICY = b'fail_on = "medium"\nallow = ["a.B"]\nallowed_formats = ["gguf"]\n[levels]\npickle-import = "off"\n'
_SIGNATURES = b'[[format]]\nid = "own"\nmagic = "41 42 43 44"\noffset = 4\nsay = { en = "ours" }\n'
_SOURCE = (
    b"import os\nclass Net:\n    def forward(self, x):\n        return getattr(os, 'sys' + 'tem')(x)\n"
    b"os.system('true')\n"
)


class Target(NamedTuple):
    """`share` is how often it is drawn beside the others."""

    share: int
    seeds: Mapping[str, bytes]
    answer: Callable[[bytes, int], None]


def targets(scratch: Path) -> Mapping[str, Target]:
    """All of them; `scratch` is a folder for what can only be read from a path."""

    def from_path(read: Callable[[str], object], data: bytes) -> None:
        path = scratch / "file"
        path.write_bytes(data)
        with suppress(TableError, SourceError):
            read(str(path))

    templates = {name: text.encode() for name, text in HONEST.items()}
    tables = {
        "config.json": _CONFIG,
        "tokenizer_config.json": b'{"chat_template": "{{ messages[0] }}"}',
        "README.md": _CARD,
    }
    return {
        "file": Target(12, _samples(), _file),
        "any-reader": Target(3, _samples(), _any_reader),
        "name": Target(1, {name: name.encode() for name in _NAMES}, _name),
        "template": Target(1, templates, lambda data, _: use(examine_template(data.decode("utf-8", "replace")))),
        "folder": Target(2, tables, _folder),
        "source": Target(1, {"modeling.py": _SOURCE}, lambda data, _: use(read_source(data))),
        "policy": Target(1, {"weigh.toml": _POLICY}, lambda data, _: from_path(read_policy, data)),
        "baseline": Target(
            1, {"known.json": b'{"fingerprints": ["00"]}'}, lambda data, _: from_path(read_baseline, data)
        ),
        "signatures": Target(1, {"signatures.toml": _SIGNATURES}, _signatures),
    }


def use(value: object) -> None:
    """Shown, so that what is made only when asked for is made."""
    repr(value)


def _samples() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        written = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        kept = [path for path in sorted(SAMPLES.rglob("*")) if path.is_file() and not _is_oracle(path)]
        return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in [*written, *kept]}


def _is_oracle(path: Path) -> bool:
    """What the reference library said of the sample beside it."""
    return path.suffix == ".json" and path.with_suffix("").exists()


def _file(data: bytes, draw: int) -> None:
    """Detected, read, examined, gone into, described, held against a name, judged by every rule."""
    _judged(tuple(examine_whole(MemorySource(data, path="Qwen2.5-7B-Chinese-Q4_K_M.gguf"))), None)


def _any_reader(data: bytes, draw: int) -> None:
    """One reader alone, if the bytes look like its own: those asked before it are passed over."""
    format, source = FORMATS[draw % len(FORMATS)], MemorySource(data, path="file")
    with suppress(FormatError):
        if format.matches(source):
            for seen in format.examine(source, format.read(source)):
                use(seen)


def _name(data: bytes, draw: int) -> None:
    text = data.decode("utf-8", "replace")
    name = decode(text)
    if "".join(part.text for part in name.parts) != text:
        raise AssertionError("the parts of a name are not its text")
    with suppress(WeighError):
        use(canonicalise(parse(text, exists=lambda _: False)))


def _folder(data: bytes, draw: int) -> None:
    """The same bytes as each of the small files that a repository is described by."""
    listing = _Listing({name: data for name in ("config.json", "tokenizer_config.json", "tokenizer.json", "README.md")})
    for format in folder_formats():
        if format.matches(listing):
            try:
                header = format.read(listing)
                seen = tuple(format.examine(listing, header))
            except FormatError:
                continue
            _judged((), Examined(path=".", format=format.name, nbytes=0, header=header, observations=seen))


def _judged(files: tuple[Examined, ...], folder: Examined | None) -> None:
    reference = Reference(text="Qwen2.5-7B-Chinese-Q4_K_M", hub="name", name="Qwen2.5-7B-Chinese-Q4_K_M")
    if files or folder:
        use(judged(reference, Evidence(files=files or ((folder,) if folder else ()), folder=folder), ()))


def _signatures(data: bytes, draw: int) -> None:
    with suppress(TableError):
        use(parse_signatures(data, path="file"))


class _Listing:
    """Files in memory."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.path = "folder"
        self.files = files
        self.entries = tuple(Entry(path=path, nbytes=len(data)) for path, data in sorted(files.items()))

    def open(self, path: str) -> Source:
        return MemorySource(self.files[path], path=path)

    def read(self, path: str, most: int) -> bytes:
        return self.files[path][:most]
