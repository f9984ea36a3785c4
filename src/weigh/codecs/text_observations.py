"""What plain texts beside a model make a program open, fetch, call or render, as Observations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from weigh.codecs.embedded import Inside
from weigh.codecs.json import decode
from weigh.codecs.keras_config import observe_config
from weigh.codecs.loader_keys import leaves, observe_keys
from weigh.codecs.pysource import read_source
from weigh.core.errors import FormatError, OverBudget
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.sources.distant import distant

MOST_TEXT = 4 << 20
MOST_SEEN = 50_000
MOST_LOOKED_THROUGH = 64 << 20
MOST_HANDLES = 16
_MODELS = ("Sequential", "Functional", "Model")  # of Keras
_MANUAL = (".md", ".rst", ".html", ".htm", ".txt", ".log", ".csv", ".tsv", ".tex")  # what is read by people

_TAGS = re.compile(r"!!python/(\S+)|!<tag:yaml\.org,2002:python/([^>\s]+)>")
_HANDLE = re.compile(r"%TAG\s+(!\w*!?)\s+tag:yaml\.org,2002:(?:python/)?")
_BLOCK = re.compile(r"(?:^|[:\-?]\s)\s*(?:![^\s]+\s+)?[|>][+\-\d]*\s*$")
_QUOTED = re.compile(r'(?<![\w\'"])"(?:[^"\\]|\\.)*+"|(?<![\w\'"])\'(?:[^\']|\'\')*+\'')
_TARGET = re.compile(r"""^[\s{-]*['"]?(_target_|loader_module)['"]?\s*:\s*['"]?([\w.:$-]+)""", re.M)
_INLINE_TARGET = re.compile(r"""[{,]\s*['"]?(_target_)['"]?\s*:\s*['"]?([\w.:$-]+)""")
_CLASS_PATH = re.compile(r"""^[\s-]*['"]?(class_path)['"]?\s*:\s*['"]?([\w.]+)""", re.M)
_HYPER = re.compile(r"!(?:new|apply|name|applyref|module):([\w.]+)")  # HyperPyYAML's tags
_FLAVOR = re.compile(
    r"""^\s+['"]?(code|code_paths|data|model_path|python_model|config)['"]?\s*:\s*['"]?([^\s'"]+)""", re.M
)
_FROM = re.compile(r"^\s*(FROM|ADAPTER)[ \t]+(\S.*?)\s*$", re.I | re.M)
_FROM_CAPITALS = re.compile(r"^FROM[ \t]", re.M)
_REQUIREMENT = re.compile(
    r"^\s*(?:-\S+[ =]|[\w.\[\],-]+\s*@\s*)?((?:git\+|hg\+|svn\+)?(?:https?|ssh|ftp|file)://\S+)", re.M
)
_KEYED_TAG = re.compile(r"^[\w.-]+:\s*!!python/", re.M)
_KEYS_ACTED_ON = re.compile(
    rb"\"(?:auto_map|trust_remote_code|_attn_implementation\w*|chat_template|custom_generate|custom_pipelines?|"
    rb"_target_|loader_module)\"\s*:\s*[\"{\[t]"
)
_ACTED_ON = re.compile(
    _KEYS_ACTED_ON.pattern + rb"|!!python/|python/object|_target_|\{[{%][^\n]{0,200}?(?:__|\|\s*attr\b)"
)
_STEP = 1 << 20
_DOCTYPE = re.compile(
    r"""<!DOCTYPE\s+[\w.:-]+\s+(?:SYSTEM|PUBLIC\s+["'][^"']{0,300}["'])\s*["']([^"']{1,300})["']""", re.I
)
_PLAIN_DTD = re.compile(r"https?://(?:www\.)?(?:w3\.org|apple\.com|dmg\.org)/", re.I)
_ENTITY = re.compile(r"<!ENTITY\s+%?\s*([\w.:-]+)\s+(?:(?:SYSTEM|PUBLIC)\s+(.{0,300}?)>)?", re.I | re.S)


def observe_text(source: Source, header: Header) -> Iterator[Observation]:
    """By what the text itself looks like; its name only says what is a manual."""
    text = source.read(0, MOST_TEXT).decode("utf-8-sig", "replace")
    name = source.path.replace("\\", "/").rpartition("/")[2].lower()
    yield from _entities(text)
    if "requirements" in name and name.endswith(".txt"):
        for found in _REQUIREMENT.finditer(text):
            yield Observation(kind="code", value=f"requirement {found[1]}"[:1000], where="requirements")
    if name.endswith(".txt") and _KEYED_TAG.search(text) is not None:
        yield from _yaml(text)
    if name.endswith(_MANUAL):
        return
    _expect_nothing_more(source, _ACTED_ON, start=MOST_TEXT)
    for step in (_template, _yaml, _targets, _flavors):
        yield from step(text)
    if "modelfile" in name or _FROM_CAPITALS.search(text) is not None:
        yield from _modelfile(text)


def observe_json(source: Source, header: Header) -> Iterator[Observation]:
    """Keys that loaders act on, at any depth. A longer file is a vocabulary or data."""
    if source.size > MOST_TEXT:
        _expect_nothing_more(source, _KEYS_ACTED_ON, start=0)
        return
    try:
        value = decode(source.read(0, MOST_TEXT).removeprefix(b"\xef\xbb\xbf"), path=source.path)[0]
    except FormatError:
        return
    yield from observe_keys(value)
    yield from _architecture(value)


def _architecture(value: object) -> Iterator[Observation]:
    """A Keras model as JSON alone: the layers in it that run code, and what it names outside of Keras."""
    match value:
        case {"class_name": str(name), "config": dict() | list()} if name in _MODELS:
            seen = observe_config(value, Inside(""))
            yield from (one for one in seen if one.kind in ("layer", "import"))


def observe_vocabulary(source: Source) -> Iterator[Observation]:
    """The same of a file that is a tokenizer's, should it hold such keys."""
    if distant(source) is None and _holds(source, _KEYS_ACTED_ON, start=0):
        yield from observe_json(source, Header(format="json"))


def observe_python(source: Source, header: Header) -> Iterator[Observation]:
    """What the module does when it is imported, used or called, and what it imports beside it."""
    module = read_source(source.read(0, MOST_TEXT))
    if module.problem is not None:
        yield Observation(kind="code", value=f"problem {module.problem}")
    for act in module.acts:
        yield Observation(kind="code", value=f"{act.when} {act.deed} {act.name}", where=str(act.line))
    for one in module.imports[:MOST_SEEN]:
        yield Observation(kind="code", value=f"uses {one}"[:1000])


def _expect_nothing_more(source: Source, words: re.Pattern[bytes], *, start: int) -> None:
    """Raises OverBudget where what is too long to be read whole holds a word that a loader or a renderer acts on."""
    if distant(source) is None and _holds(source, words, start=start):
        raise OverBudget("too_long", path=source.path, what="text", length=source.size, most=MOST_TEXT)


def _holds(source: Source, words: re.Pattern[bytes], *, start: int) -> bool:
    end = min(source.size, MOST_LOOKED_THROUGH)
    return any(words.search(source.read(at, _STEP + 64)) is not None for at in range(start, end, _STEP))


def _template(text: str) -> Iterator[Observation]:
    if ("{%" in text and "%}" in text and "message" in text) or (("{{" in text and "}}" in text) and "__" in text):
        yield Observation(kind="template", value=text)


def _yaml(text: str) -> Iterator[Observation]:
    """Tags that make a YAML loader call Python, outside comments, quotes and block texts."""
    if "python" not in text:
        return
    handles = list(dict.fromkeys(found[1] for found in _HANDLE.finditer(text)))[:MOST_HANDLES]
    inside: int | None = None  # the indentation that a block text is deeper than
    for number, line in enumerate(text.splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if inside is not None and (not line.strip() or indent > inside):
            continue
        plain = _QUOTED.sub("''", line).partition(" #")[0]
        if plain.lstrip().startswith("#"):
            continue
        inside = indent if _BLOCK.search(plain) else None
        for tag in _tags(plain, handles):
            yield Observation(kind="code", value=f"yaml {tag}"[:1000], where=str(number))


def _tags(line: str, handles: list[str]) -> Iterator[str]:
    for found in _TAGS.finditer(line):
        yield found[1] or found[2]
    for handle in handles:
        for at in re.finditer(re.escape(handle) + r"([\w/.:]+)", line):
            if not line.startswith("%"):
                yield at[1].removeprefix("python/")


def _targets(text: str) -> Iterator[Observation]:
    """What Hydra, LightningCLI and HyperPyYAML would make an object of."""
    for pattern in (_TARGET, _INLINE_TARGET, _CLASS_PATH):
        for found in islice(pattern.finditer(text), MOST_SEEN):
            key = "_target_" if found[1] == "class_path" else found[1]
            yield Observation(kind="code", value=f"{key} {found[2]}"[:1000], where=found[1])
    for found in islice(_HYPER.finditer(text), MOST_SEEN):
        yield Observation(kind="code", value=f"_target_ {found[1]}"[:1000], where=found[0].partition(":")[0])


def _flavors(text: str) -> Iterator[Observation]:
    """MLflow's MLmodel: paths from its own folder, and the folder whose modules are importable once it is loaded."""
    if "loader_module" not in text or "flavors" not in text:
        return
    for found in islice(_FLAVOR.finditer(text), MOST_SEEN):
        if leaves(found[2]):
            yield Observation(kind="external_path", value=found[2][:1000], where=found[1])
        elif found[1].startswith("code"):
            yield Observation(kind="code", value=f"code_paths {found[2]}"[:1000], where=found[1])


def _modelfile(text: str) -> Iterator[Observation]:
    """Ollama's: what it is made from must lie beside it, or be a name of their library."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or not any(_FROM.match(line) for line in lines[:50]):
        return
    for found in _FROM.finditer(text):
        path = found[2].strip("\"'")
        if leaves(path) and not re.fullmatch(r"[\w.-]+(?:/[\w.-]+)*:[\w.-]+", path):
            yield Observation(kind="external_path", value=path[:1000], where=f"Modelfile {found[1].upper()}")


def _entities(text: str) -> Iterator[Observation]:
    if not text.lstrip().startswith("<"):
        return
    if (outside := _DOCTYPE.search(text)) is not None and _PLAIN_DTD.match(outside[1]) is None:
        yield Observation(kind="external_path", value=outside[1][:1000], where="DOCTYPE")
    for number, found in enumerate(_ENTITY.finditer(text)):
        if number == MOST_SEEN:
            return
        if found[2]:
            yield Observation(kind="external_path", value=found[2].strip()[:1000], where=f"ENTITY {found[1]}")
        else:
            yield Observation(kind="code", value=f"entity {found[1]}", where="ENTITY")
