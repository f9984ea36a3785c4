"""A Report as lines for a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weigh.core.claim import Claim
from weigh.core.facts import Fact
from weigh.core.finding import Finding, Skip
from weigh.core.model import Contents, Model, Tokenizer
from weigh.core.name import Quant
from weigh.core.report import Report, Step
from weigh.core.units import in_bytes, in_parameters
from weigh.text import Language, complain_about, has_words, place, safe, say
from weigh.text.contents import contents_line
from weigh.text.datasets import data_rows
from weigh.text.fits import fit_rows
from weigh.text.headers import header_lines
from weigh.text.name import name_blocks
from weigh.text.provenance import provenance_rows

_VERDICT_STYLE = {
    "malicious": "bold red",
    "broken": "bold red",
    "suspicious": "bold yellow",
    "incomplete": "bold yellow",
    "clean": "bold green",
}
_CLAIM_MARK = {
    "holds": ("✓", "green"),
    "does_not_hold": ("✗", "bold red"),
    "cannot_tell": ("?", "yellow"),
}
_SEVERITY_STYLE = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}
_MOST_FINDINGS = 12
_MOST_NAMES = 20
_MOST_FILES = 8


def report_lines(
    report: Report, language: Language, *, tree: bool = False, imports: Sequence[tuple[str, str]] = ()
) -> RenderableType:
    """The whole report: verdict, name, contents, claims, findings, imports by tier, what was not seen, what next."""
    return Group(*_blocks(report, language, tree=tree, imports=imports))


def _blocks(
    report: Report, language: Language, *, tree: bool, imports: Sequence[tuple[str, str]]
) -> Iterator[RenderableType]:
    yield _title(report, language)
    if report.error is not None:
        yield Text("  " + complain_about(report.error, language))
        return
    if report.name is not None:
        yield from name_blocks(report.name, language)
    if report.model is not None:
        yield from _section("contents", _contents(report, report.model, language), language)
        yield from _data(report, report.model, language)
        yield from (Text(line) for line in header_lines(report.model, language, tree=tree))
    if report.catalog is not None:
        yield from _section("catalog", provenance_rows(report.catalog, language), language)
    yield from _section("claims", _claims(report.claims, language), language)
    yield from _section("findings", _findings(report.findings, language), language)
    yield from _section("imports", _imports(imports, language), language)
    yield from _section("skips", _skips(report.skips, language), language)
    yield from _section("fits", list(fit_rows(report.fits, language)), language)
    yield from _section("next", _steps(report.next_steps, language), language)


def _title(report: Report, language: Language) -> Text:
    line = Text(safe(report.reference.text), style="bold")
    if report.verdict is not None and report.error is None:
        line.append("  ")
        line.append(say(f"verdict.{report.verdict}", language), style=_VERDICT_STYLE[report.verdict])
    return line


def _section(key: str, rows: list[tuple[Text, Text]], language: Language) -> Iterator[RenderableType]:
    """A heading and its rows in two columns; nothing where there are no rows."""
    if not rows:
        return
    yield Text()
    yield Text(say(f"heading.{key}", language), style="bold cyan")
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for left, right in rows:
        table.add_row(Text("  ").append_text(left), right)
    yield table


# The contents


def _contents(report: Report, model: Model, language: Language) -> list[tuple[Text, Text]]:
    rows = [(report.format or "", "format", None)] if report.format else []
    lines = [(_label("format", language), Text(_format_name(text, language))) for text, _, _ in rows]
    lines += [
        (_label(key, language), _sourced(shown, fact, language, whole=report.reference.text))
        for key, fact, shown in _shown_facts(model, language)
        if fact is not None
    ]
    return lines + _files(report, language)


def _data(report: Report, model: Model, language: Language) -> Iterator[RenderableType]:
    """Data sets, archives and unknown files, each with what there is to say of it.

    Bare numbers that another file describes are clean, and that other file says what they are.
    """
    told = {file.path for file in report.files if file.format == "unknown" and file.verdict == "clean"}
    files = [(path, rows) for path, rows in data_rows(model, language) if path not in told]
    shown: list[tuple[Text, Text]] = []
    for path, rows in files:
        if len(model.files) > 1:
            shown.append((Text(safe(_within(report, path)), style="bold"), Text()))
        shown += [(_label(key, language), Text(safe(text, longest=1000))) for key, text in rows]
    held = any(key in ("rows", "members") for _, rows in files for key, _ in rows)
    yield from _section("data" if held else "look", shown, language)


def _shown_facts(model: Model, language: Language) -> Iterator[tuple[str, Fact[object] | None, str]]:
    """Each fact with its key and its value as people write it."""

    def row(key: str, fact: object, write: object) -> tuple[str, Fact[object] | None, str]:
        assert callable(write)
        if fact is None:
            return key, None, ""
        assert isinstance(fact, Fact)
        return key, fact, write(fact.value)

    if model.contents is not None and not _is_plain(model.contents.value):
        yield row("contents", model.contents, lambda contents: contents_line(contents, language))
    yield row("architecture", model.model_type, str)
    yield row("num_parameters", model.num_parameters, in_parameters)
    yield row("num_active_parameters", model.num_active_parameters, in_parameters)
    yield row("num_tensors", model.num_tensors, str)
    yield row("dtypes", model.dtypes, _dtypes)
    yield row("bits_per_weight", model.bits_per_weight, lambda bits: f"{bits:.2f}")
    yield row("quantisation", model.quantisation, _quant)
    if model.contents is not None and model.contents.value.unquantised:
        yield row("unquantised", model.contents, lambda contents: ", ".join(contents.unquantised))
    yield row("context_length", model.context_length, lambda tokens: f"{tokens:,}")
    yield row("tokenizer", model.tokenizer, lambda tokenizer: _tokenizer(tokenizer, language))
    yield row("chat_template", model.chat_template, lambda text: say("contents.template", language, count=len(text)))
    yield row(
        "modalities",
        model.modalities,
        lambda kinds: ", ".join(
            say(f"modality.{kind}", language) if has_words(f"modality.{kind}", language) else kind for kind in kinds
        ),
    )
    yield row("licence", model.licence, str)
    yield row("base_model", model.base_model, str)
    yield row("nbytes", model.nbytes, in_bytes)


def _is_plain(contents: Contents) -> bool:
    """A language model and nothing else: the architecture says more."""
    return contents.kind == "component" and not contents.beside and contents.parts[0].component == "language-model"


def _label(key: str, language: Language) -> Text:
    return Text(say(f"fact.{key}", language), style="dim")


def _sourced(shown: str, fact: Fact[object] | None, language: Language, *, whole: str) -> Text:
    """With who says so and in which file, unless that is the one that was asked for."""
    line = Text(safe(shown))
    if fact is not None:
        where = say("origin.where", language, where=fact.where) if fact.where and fact.where not in (".", whole) else ""
        line.append("  " + say(f"origin.{fact.origin.value}", language) + where, style="dim")
    return line


def _dtypes(dtypes: Mapping[str, int]) -> str:
    total = sum(dtypes.values()) or 1
    largest = sorted(dtypes.items(), key=lambda item: -item[1])[:6]
    return ", ".join(f"{dtype} {100 * nbytes / total:.3g} %" for dtype, nbytes in largest)


def _quant(quant: Quant) -> str:
    method = quant.method if quant.method != "none" else None
    words = dict.fromkeys(word for word in (method, quant.scheme) if word)
    bits = f" · {quant.bits:g} bit" if quant.bits is not None else ""
    group = f" · g{quant.group}" if quant.group else ""
    return (" ".join(words) or "-") + bits + group


def _tokenizer(tokenizer: Tokenizer, language: Language) -> str:
    count = say("contents.tokens", language, count=tokenizer.num_tokens) if tokenizer.num_tokens is not None else ""
    return " · ".join(word for word in (tokenizer.model or "", count) if word)


def _format_name(format: str, language: Language) -> str:
    key = f"format.{format}"
    return f"{format}  {say(key, language)}" if has_words(key, language) else format


def _files(report: Report, language: Language) -> list[tuple[Text, Text]]:
    if len(report.files) < 2:
        return []
    rows: list[tuple[Text, Text]] = []
    for file in sorted(report.files, key=lambda file: -file.nbytes)[:_MOST_FILES]:
        line = Text(f"{safe(_within(report, file.path))}  {file.format}  {in_bytes(file.nbytes)}")
        if file.verdict != "clean":
            line.append("  " + say(f"verdict.{file.verdict}", language), style=_VERDICT_STYLE[file.verdict])
        rows.append((_label("file", language) if not rows else Text(), line))
    if len(report.files) > _MOST_FILES:
        rows.append(
            (Text(), Text(say("contents.more_files", language, count=len(report.files) - _MOST_FILES), style="dim"))
        )
    return rows


def _within(report: Report, path: str) -> str:
    """A member of the archive that was asked for is called as it is inside; the archive by its last name."""
    whole = report.reference.text
    inner = path.removeprefix(f"{whole}!/")
    return inner if inner != path else path.rpartition("/")[2] if path == whole else path


# What is held against it


def _claims(claims: tuple[Claim, ...], language: Language) -> list[tuple[Text, Text]]:
    rows = []
    for claim in claims:
        mark, style = _CLAIM_MARK[claim.verdict]
        left = Text(f"{mark} ", style=style).append(say(f"claim_field.{claim.field}", language))
        right = Text(safe(claim.said), style="bold").append(" → " + safe(claim.found) if claim.found else "")
        rows.append((left, right.append("  " + say(claim.because, language), style="dim")))
    return rows


def _findings(findings: tuple[Finding, ...], language: Language) -> list[tuple[Text, Text]]:
    rows = []
    for finding in findings[:_MOST_FINDINGS]:
        left = Text(say(f"severity.{finding.severity}", language), style=_SEVERITY_STYLE[finding.severity])
        path = None if finding.path == "." else finding.path
        right = Text(place(path, finding.offset, language)).append(say(finding.detail, language))
        rows.append((left, right.append(f"  [{finding.rule}]", style="dim")))
    if len(findings) > _MOST_FINDINGS:
        rows.append((Text(), Text(say("contents.more_findings", language, count=len(findings) - _MOST_FINDINGS))))
    return rows


def _imports(imports: Sequence[tuple[str, str]], language: Language) -> list[tuple[Text, Text]]:
    """A row a tier, its names once each."""
    rows = []
    for tier in ("dangerous", "unknown", "allowed", "safe"):
        names = sorted({safe(name) for own, name in imports if own == tier})
        if names:
            more = (
                [say("contents.more_names", language, count=len(names) - _MOST_NAMES)]
                if len(names) > _MOST_NAMES
                else []
            )
            rows.append((Text(say(f"tier.{tier}", language)), Text(", ".join([*names[:_MOST_NAMES], *more]))))
    return rows


def _skips(skips: tuple[Skip, ...], language: Language) -> list[tuple[Text, Text]]:
    rows = []
    for skip in skips[:_MOST_FINDINGS]:
        detail = say(skip.detail, language) if skip.detail is not None else say(f"skip.{skip.reason}", language)
        rows.append((Text("–"), Text(place(skip.path, None, language) + detail)))
    if len(skips) > _MOST_FINDINGS:
        rows.append((Text(), Text(say("contents.more_skips", language, count=len(skips) - _MOST_FINDINGS))))
    return rows


def _steps(steps: tuple[Step, ...], language: Language) -> list[tuple[Text, Text]]:
    rows = []
    for step in steps:
        line = Text(say(step.why, language))
        if step.command is not None:
            line.append("  ").append(safe(step.command), style="bold")
        rows.append((Text("→"), line))
    return rows
