"""The guide to the field, made from the catalogue and from the words of `weigh explain`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weigh.knowledge.catalog import AS_OF, Entry, Family, Vendor, errata, families, kinds, tasks, trends, vendors
from weigh.knowledge.catalog import licences as licence_table
from weigh.knowledge.naming import quantisations
from weigh.knowledge.scenarios import scenarios
from weigh.knowledge.terms import terms
from weigh.text import Language, say
from weigh.text.pages import section

_HOME = "CN"
_SUFFIXES = ("size", "version", "function", "tier", "training", "file", "language")
_EXAMPLES = {  # of each part of a name: spellings alone
    "size": "7B, 671B, 30B-A3B, 8x7B, E4B, 1T",
    "version": "2.5, v3, GPT-4o, o3, 2507",
    "quantisation": "Q4_K_M, IQ4_XS, AWQ, GPTQ-Int4, FP8, NVFP4, W8A8",
    "function": "Base, Instruct, Chat, Thinking, Coder, VL, Embedding",
    "tier": "mini, nano, Flash, Pro, Ultra, Max",
    "training": "SFT, DPO, Distill, QAT, 4e1t",
    "file": ".safetensors, .gguf, .pt, .pth, 00001-of-00005",
    "language": "zh, en, multilingual",
}
_OF_LANGUAGE, _OF_SIGHT = ("llm", "multimodal"), ("vision", "image", "video")
_OF_A_FORMAT = ("is", "runs", "strong", "weak", "safety", "use")
_ADVICE = ("E121", "E091", "E104", "E122", "E123", "E124", "E106")  # what is usually advised, and what to do instead
_MOST_IN_A_CELL = 8


def guide(language: Language) -> Iterator[str]:
    """The whole page below what is written by hand."""
    yield say("guide.as_of", language, date=AS_OF) + "\n"
    yield from _kinds(language)
    yield from _makers(language)
    yield from _trends(language)
    yield from _formats(language)
    yield from _suffixes(language)
    yield from _quantisations(language)
    yield from _advice(language)
    yield from _hubs(language)
    yield from _tasks(language)
    yield from _licences(language)
    yield from _errata(language)


def _kinds(language: Language) -> Iterator[str]:
    yield f"## {say('guide.kinds', language)}\n"
    listed = sorted(kinds().values(), key=lambda row: (row.number or len(kinds()), row.id))
    for row in listed:
        words = section("kinds", row.id, language)
        number = f"{row.number}. " if row.number else ""
        yield f"### {number}{_name(row, language)}\n"
        yield "\n\n".join(words.values()) + "\n"
        for label, ids in (("families", row.families), ("formats", row.formats), ("engines", row.engines)):
            if ids:
                shown = (_name(families()[id], language) if label == "families" else id for id in ids)
                yield f"- {say(f'explain.fact.{label}', language)}: {', '.join(shown)}"
        yield f"- {_sources(row.source, row.also, language)}\n"
    yield from _table(
        language,
        ("kind", "is", "use"),
        (
            (_name(row, language), *(section("kinds", row.id, language)[role] for role in ("is", "use")))
            for row in listed
        ),
    )


def _makers(language: Language) -> Iterator[str]:
    yield f"## {say('guide.makers', language)}\n"
    at_home = [row for row in vendors().values() if row.country == _HOME]
    abroad = [row for row in vendors().values() if row.country != _HOME]
    yield from _table(
        language,
        ("vendor", "country", "language", "sight"),
        (
            (_name(row, language), row.country or "-", _newest(row, _OF_LANGUAGE), _newest(row, _OF_SIGHT))
            for row in (*at_home, *abroad)
            if _made_by(row)
        ),
    )
    for key, listed in (("home", at_home), ("abroad", abroad)):
        yield f"### {say(f'guide.{key}', language)}\n"
        for row in listed:
            yield from _maker(row, language)


def _maker(vendor: Vendor, language: Language) -> Iterator[str]:
    made = _made_by(vendor)
    if not made:
        return
    hubs = [f"[{org}](https://huggingface.co/{org})" for org in vendor.hf[:2]]
    hubs += [f"[{org}](https://modelscope.cn/organization/{org})" for org in vendor.ms[:1]]
    yield f"**{_name(vendor, language)}** · {' · '.join((f'<{vendor.homepage}>', *hubs))}\n"
    for row in made:
        told = (
            _name(kinds()[row.kind], language),
            row.released,
            say(f"catalog.status.{row.status}", language),
            f"{say('guide.column.weights', language)}: {say(f'catalog.weights.{row.weights}', language)}",
            ", ".join(_name(licence_table()[id], language) for id in row.licences),
        )
        yield f"- {_cite(_name(row, language), row.source)} - {'; '.join(filter(None, told))}"
    yield ""


def _trends(language: Language) -> Iterator[str]:
    yield f"## {say('guide.trends', language)}\n"
    for row in trends().values():
        words = section("trends", row.id, language)
        shown = ", ".join(_name(families()[id], language) for id in row.families)
        yield f"- **{words['title']}** - {words['is']} ({shown}; {_cite(say('guide.source', language), row.source)})"
    yield ""


def _formats(language: Language) -> Iterator[str]:
    yield f"## {say('guide.formats', language)}\n"
    listed = [term for term in terms().values() if term.kind == "format"]
    words = {term.id: section("formats", term.id, language) for term in listed}
    yield from _table(
        language,
        ("format", *_OF_A_FORMAT),
        (
            (_cite(term.id.partition(".")[2], term.source), *(said.get(role, "-") for role in _OF_A_FORMAT))
            for term in listed
            if (said := words[term.id])
        ),
    )
    yield f"### {say('guide.scenarios', language)}\n"
    yield from _table(
        language,
        ("scenario", "formats", "quantisations", "engines", "why"),
        (
            (
                section("scenarios", row.id, language)["title"],
                ", ".join(row.formats),
                ", ".join(row.quantisations),
                ", ".join(row.engines),
                section("scenarios", row.id, language)["why"],
            )
            for row in scenarios()
        ),
    )


def _suffixes(language: Language) -> Iterator[str]:
    yield f"## {say('guide.suffixes', language)}\n"
    yield say("explain.shapes", language) + "\n"
    yield from _table(
        language,
        ("part", "examples", "is"),
        (
            (say(f"explain.kind.{kind}", language), examples, say(f"guide.part.{kind}", language))
            for kind, examples in _EXAMPLES.items()
        ),
    )
    for kind in _SUFFIXES:
        rows = [term for term in terms().values() if term.kind == kind]
        told = [(term, section("suffixes", term.id, language)) for term in rows]
        yield f"### {say(f'explain.kind.{kind}', language)}\n"
        yield from _table(
            language,
            ("suffix", "is", "use"),
            (
                (_cite(term.term or term.id.partition(".")[2], term.source), said["is"], said["use"])
                for term, said in told
                if said
            ),
        )


def _quantisations(language: Language) -> Iterator[str]:
    yield f"## {say('explain.kind.quantisation', language)}\n"
    yield from _table(
        language,
        ("label", "method", "bits", "is"),
        (
            (
                _cite(row.id, row.source),
                row.method or "-",
                f"{row.bits_per_weight or row.bits or 0:g}" if row.bits_per_weight or row.bits else "-",
                section("quantisations", row.id, language)["is"],
            )
            for row in quantisations()
        ),
    )


def _advice(language: Language) -> Iterator[str]:
    yield f"## {say('guide.advice', language)}\n"
    for id in _ADVICE:
        words = section("errata", id, language)
        yield f"- ~~{words['said']}~~ {words['right']}"
    yield ""


def _hubs(language: Language) -> Iterator[str]:
    yield f"## {say('guide.hubs', language)}\n"
    yield "- [Hugging Face](https://huggingface.co)"
    yield f"- [{say('catalog.row.ms', language)}](https://modelscope.cn)\n"
    yield section("errata", "E126", language)["right"] + "\n"


def _tasks(language: Language) -> Iterator[str]:
    yield f"## {say('guide.tasks', language)}\n"
    listed = sorted(tasks().values(), key=lambda row: (not row.aigc, row.id))
    yield from _table(
        language,
        ("task", "is", "how", "kind", "family"),
        (
            (
                f"**{_name(row, language)}**" if row.aigc else _name(row, language),
                section("tasks", row.id, language)["is"],
                section("tasks", row.id, language)["how"],
                ", ".join(_name(kinds()[id], language) for id in row.kinds),
                ", ".join(_name(families()[id], language) for id in row.families),
            )
            for row in listed
        ),
    )


def _licences(language: Language) -> Iterator[str]:
    yield f"## {say('guide.licences', language)}\n"
    yield from _table(
        language,
        ("licence", "commercial", "hosting", "users"),
        (
            (
                _cite(_name(row, language), row.source),
                say(f"catalog.commercial.{row.commercial}", language),
                say(f"catalog.hosting.{row.hosting}", language),
                f"{row.user_limit:,}" if row.user_limit else "-",
            )
            for row in licence_table().values()
        ),
    )


def _errata(language: Language) -> Iterator[str]:
    yield f"## {say('catalog.errata', language)}\n"
    for row in errata().values():
        words = section("errata", row.id, language)
        source = _cite(say("guide.source", language), row.source)
        verdict = say(f"catalog.verdict.{row.verdict}", language)
        yield f"- `{row.id}` *{verdict}* - {words['said']} **{words['right']}** {source}"


def _table(language: Language, columns: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    heads = [say(f"guide.column.{column}", language) for column in columns]
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in row)} |"
    yield ""


def _made_by(vendor: Vendor) -> list[Family]:
    made = [row for row in families().values() if row.vendor == vendor.id]
    return sorted(made, key=lambda row: (row.kind, row.released or "", row.id))


def _newest(vendor: Vendor, sorts: tuple[str, ...]) -> str:
    made = [row for row in _made_by(vendor) if row.kind in sorts and row.status == "current"]
    return ", ".join(row.names.en for row in made[:_MOST_IN_A_CELL]) or "-"


def _name(entry: Entry, language: Language) -> str:
    return entry.names.zh if language == "zh" else entry.names.en


def _sources(source: str, also: tuple[str, ...], language: Language) -> str:
    links = (f"<{one}>" if one.startswith("https") else f"`{one}`" for one in (source, *also))
    return f"{say('explain.sources', language)}: {', '.join(links)}"


def _cite(text: str, source: str) -> str:
    """The text as a link to its source; a package is named behind it."""
    return f"[{text}]({source})" if source.startswith("https") else f"{text} (`{source}`)"
