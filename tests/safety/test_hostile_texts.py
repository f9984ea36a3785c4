"""Whatever a template, a source file or a configuration holds, it is answered, soon and without an exception."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator

import pytest

from tests.cases.safety.folders import AT_IMPORT, HONEST
from tests.cases.safety.templates import CODE
from tests.cases.safety.templates import HONEST as TEMPLATES
from weigh.codecs.jinja import examine_template
from weigh.codecs.loader_keys import observe_keys
from weigh.codecs.pysource import read_source
from weigh.codecs.text_observations import observe_text
from weigh.core.header import Header
from weigh.sources.memory import MemorySource

SECONDS = 20  # on a machine that does much else


def mutations(text: str, *, count: int, seed: int) -> Iterator[str]:
    """Pieces taken out, doubled, exchanged."""
    chance = random.Random(seed)
    for _ in range(count):
        out = text
        for _ in range(chance.randint(1, 4)):
            at, length = chance.randrange(len(out) + 1), chance.randint(1, 20)
            piece = chance.choice(
                [
                    "",
                    out[at : at + length] * 2,
                    "{{",
                    "}}",
                    "{%",
                    "%}",
                    "(",
                    ")",
                    "'",
                    "\\",
                    "~",
                    "\x00",
                    "__",
                    "|attr",
                    "é",
                ]
            )
            out = out[:at] + piece + out[at + length :]
        yield out


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_mutated_template_is_answered(name: str) -> None:
    for text in mutations(TEMPLATES[name], count=40, seed=1):
        examine_template(text)


def test_mutated_attacks_are_answered() -> None:
    for text in mutations(CODE, count=60, seed=2):
        for line in text.splitlines():
            examine_template(line.partition("|")[2])


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "a." * 100_000 + "b }}",
        "{{ " + "'x' ~ " * 60_000 + "'y' }}",
        "{{ " + "'x' + " * 60_000 + "'y' }}",
        "{{ " + "-" * 50_000 + "1 }}",
        "{{ " + "[" * 50_000 + "]" * 50_000 + " }}",
        "{% if a %}" * 20_000,
        "{% set a = a ~ a %}" * 5_000,
        "{{ 9" + "9" * 100_000 + " }}",
        "{{ 'a' * 999999999 * 999999999 }}",
        "{{ '%999999999d' % 1 }}{{ '{:>999999999}'.format(1) }}",
        "{{ " + "'a'.replace('a', 'aa')" + ".replace('a', 'aa')" * 2_000 + " }}",
        "{#" * 100_000,
        "{% raw %}" * 50_000,
        " " * 1_000_000 + "{{ x }}",
        "{{ x }}" * 100_000,
        "{" * 1_000_000,
        "\n{%- " * 100_000,
    ],
    ids=lambda text: text[:24].strip(),
)
def test_a_template_made_to_harm_is_answered_soon(text: str) -> None:
    began = time.monotonic()
    examine_template(text)
    assert time.monotonic() - began < SECONDS


def test_mutated_source_is_answered() -> None:
    text = HONEST.decode() + AT_IMPORT.replace("\\n", "\n")
    for mutated in mutations(text, count=40, seed=3):
        read_source(mutated.encode())
    for line in AT_IMPORT.strip().splitlines():
        for mutated in mutations(line.partition("|")[2].replace("\\n", "\n"), count=10, seed=4):
            read_source(mutated.encode())


@pytest.mark.parametrize(
    "source",
    [
        b"(" * 100_000,
        b"-" * 50_000 + b"1",
        b"x" + b".a" * 50_000,
        b"a = " + b"'x' + " * 20_000 + b"'y'",
        b"a = b\nb = a\na()\n",
        b"a = a.b\n" * 1000 + b"a()\n",
        b"def f():\n    f()\nf()\n",
        b"f = lambda: f()\nf()\n",
        b"x = [" + b"1," * 200_000 + b"]",
        b"\xff\xfe\x00",
        b"# coding: nonsense\n",
        b"if x:\n" + b"".join(b" " * depth + b"if x:\n" for depth in range(1, 200)),
        b"\x00",
    ],
    ids=lambda source: source[:16].decode("latin-1"),
)
def test_source_made_to_harm_is_answered_soon(source: bytes) -> None:
    began = time.monotonic()
    read_source(source)
    assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize(
    "text",
    ["x: !!python/" * 50_000, "FROM " * 200_000, "%TAG ! tag:yaml.org,2002:python/\n" * 20_000 + "python", "'" * 500_000 + "python",
     "<!ENTITY " * 100_000, "_target_: " * 100_000, "- " * 500_000 + "|", '"' + "\\" * 300_000 + "python"],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_text_made_to_harm_is_answered_soon(text: str) -> None:
    began = time.monotonic()
    list(observe_text(MemorySource(text.encode(), path="x.yaml"), Header(format="text")))
    assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize(
    "value",
    [{"auto_map": [[[["a.B"]]]]}, {"auto_map": {"a": None}}, {"auto_map": 5}, {"chat_template": [1, {"name": 2, "template": "x"}]},
     {"weight_map": {"a": 1, "b": None}}, [{"idx": 0, "type": 1, "path": 2}], {"_diffusers_version": 1, "a": [], "b": [1, 2]},
     {"_attn_implementation": {"a": 1}}, {"auto_mapping": []}, {"trust_remote_code": "maybe"}],
    ids=json.dumps,
)  # fmt: skip
def test_a_configuration_of_another_shape_is_answered(value: object) -> None:
    list(observe_keys(value))
