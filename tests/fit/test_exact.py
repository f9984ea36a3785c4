"""The closed forms held against llama.cpp's own account, architecture by architecture."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fit.heads import HEADS, whole, write
from weigh.core.errors import BadReference
from weigh.describe.architecture import from_gguf
from weigh.engines import llamacpp as engine
from weigh.fit import llamacpp as forms
from weigh.formats import gguf
from weigh.sources.file import FileSource

pytest.importorskip("xllamacpp")

MIB = 1 << 20
SETTINGS = {
    "one": forms.Setting(context_length=8192),
    "two-in-large-batches": forms.Setting(context_length=8192, parallel=2, ubatch=1024),
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("name", HEADS)
def test_a_closed_form_is_what_llama_cpp_plans(name: str, setting: forms.Setting, tmp_path: Path) -> None:
    path = tmp_path / "head.gguf"
    head = write(path, name)
    os.truncate(path, whole(head, name))
    with FileSource(str(path)) as source:
        architecture = from_gguf(gguf.FORMAT.read(source).metadata)
    assert architecture is not None
    found = engine.account(head, whole(head, name), setting)
    assert found is not None
    assert forms.kv_cache(architecture, setting) / MIB == pytest.approx(found.kv_cache / MIB, rel=1e-3)
    assert forms.recurrent_state(architecture, setting) / MIB == pytest.approx(found.recurrent_state / MIB, abs=0.02)
    assert forms.compute(architecture, setting) / MIB == pytest.approx(found.compute / MIB, rel=0.02)  # type: ignore[operator]
    assert forms.output(architecture, setting) / MIB == pytest.approx(found.output / MIB, abs=0.01)


def test_packed_keys_and_values_are_counted_alike(tmp_path: Path) -> None:
    head = write(tmp_path / "head.gguf", "llama")
    found = engine.account(head, whole(head, "llama"), forms.Setting(context_length=4096, kv="q8_0"))
    assert found is not None
    assert found.kv_cache == 4 * 2 * 4 * 128 * 4096 * 34 // 32


@pytest.mark.parametrize("ruin", [b"", b"GGUF", b"GGUF\x03\x00\x00\x00" + b"\xff" * 16])
def test_what_llama_cpp_does_not_load_has_no_account(ruin: bytes) -> None:
    assert engine.account(ruin, 64, forms.Setting(context_length=512)) is None


def test_an_engine_that_says_nothing_has_no_account() -> None:
    assert engine.account(b"", 64, forms.Setting(context_length=512), start=lambda command, seconds: "") is None


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "is_here", lambda: False)
    with pytest.raises(BadReference) as error:
        engine.account(b"", 64, forms.Setting(context_length=512))
    assert error.value.saying.values == {"extra": "weigh[llama]"}
