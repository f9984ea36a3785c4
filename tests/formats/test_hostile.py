"""Any bytes give a Header or a FormatError: every truncation, many mutations, and files made to harm."""

from __future__ import annotations

import pickle
import random
import struct
from pathlib import Path

import pytest

from tests.formats.reading import answer
from weigh.core.errors import FormatError
from weigh.formats import detect
from weigh.sources.memory import MemorySource


def sample_files(samples: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(samples.rglob("*")) if path.is_file()}


SAMPLES = ["model.safetensors", "pytorch_model.bin", "tiny-llama-Q4_K_M.gguf", "hostile.bin", "tokenizer.json"]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation_is_answered(samples: Path, name: str) -> None:
    data = sample_files(samples)[name]
    head = min(len(data), 6000)
    for length in [*range(head), *range(head, len(data), max(1, len(data) // 200))]:
        answer(data[:length])


@pytest.mark.parametrize("name", SAMPLES)
def test_mutations_are_answered(samples: Path, name: str) -> None:
    data = sample_files(samples)[name][:20000]
    chance = random.Random(3)
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(min(len(changed), 3000))
            match chance.randrange(3):
                case 0:
                    changed[at] = chance.randrange(256)
                case 1:
                    changed[at : at + 8] = b"\xff" * 8
                case _:
                    del changed[at : at + chance.randint(1, 9)]
        answer(bytes(changed))


def gguf(body: bytes, *, tensors: int = 0, keys: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + body


def key(name: str, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + value


HOSTILE = {
    "counts-of-an-exabyte": gguf(b"", tensors=1 << 60, keys=1 << 60),
    "string-of-an-exabyte": gguf(struct.pack("<Q", 1 << 62), keys=1),
    "array-of-a-terabyte": gguf(key("a", 9, struct.pack("<IQ", 4, 1 << 40)), keys=1),
    "arrays-in-arrays": gguf(key("a", 9, struct.pack("<IQ", 9, 1) * 200_000), keys=1),
    "dimensions-beyond-all": gguf(
        struct.pack("<Q", 1) + b"t" + struct.pack("<IQQIQ", 2, 1 << 33, 1 << 33, 0, 0), tensors=1
    ),
    "version-77": gguf(b"", version=77),
    "header-of-one-exabyte": struct.pack("<Q", 1 << 60) + b'{"a":1}',
    "nested-json": struct.pack("<Q", 200_002) + b'{"' + b"[" * 200_000,
    "pickle-memo-of-2-gigabytes": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "pickle-marks": b"\x80\x02" + b"(" * 1_000_000 + b".",
    "pickle-string-of-an-exabyte": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b".",
    "pickle-doubling": b"\x80\x02" + b"]q\x00" + b"h\x00h\x00\x86q\x00" * 1000 + b".",
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_files_made_to_harm_are_answered(name: str) -> None:
    found = answer(HOSTILE[name])
    assert isinstance(found, FormatError) or name in {"pickle-memo-of-2-gigabytes", "pickle-doubling"}


class Reaches:
    """What a recording unpickler sees named."""

    def __reduce__(self) -> tuple[object, ...]:
        import os

        return os.system, ("true",)


@pytest.mark.parametrize("protocol", range(6))
def test_a_hostile_pickle_is_seen_to_reach_its_global_in_every_protocol(protocol: int) -> None:
    data = pickle.dumps(Reaches(), protocol=protocol)
    reached: list[str] = []

    class Recorder(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            reached.append(f"{module} {name}")
            return lambda *arguments: None

    import io

    Recorder(io.BytesIO(data)).load()
    source = MemorySource(data, path="x.bin")
    format = detect(source)
    seen = [one.value for one in format.examine(source, format.read(source)) if one.kind == "import"]
    assert seen == reached == ["posix system"]


def test_the_machine_knows_every_opcode() -> None:
    import pickletools

    from weigh.codecs.pickle_opcodes import OPCODES

    theirs = {ord(opcode.code): opcode.name for opcode in pickletools.opcodes}
    assert {code: name for code, (name, _) in OPCODES.items()} == theirs
