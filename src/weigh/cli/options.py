"""The options every command takes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click

from weigh.text import LANGUAGES, Language

F = TypeVar("F", bound=Callable[..., Any])


def common(command: F) -> F:
    """`--json --lang --offline --quiet`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def signed(command: F) -> F:
    """`--signatures FILE`, else what WEIGH_SIGNATURES names."""
    return click.option(
        "--signatures",
        metavar="FILE",
        envvar="WEIGH_SIGNATURES",
        help="Your own formats (default: signatures.toml in weigh's configuration folder).",
    )(command)


def signatures_file(named: str | None) -> str | None:
    """The file asked for, else the user's own where there is one."""
    if named:
        return named
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    path = os.path.join(folder, "weigh", "signatures.toml")
    return path if os.path.lexists(path) else None


def language_of(lang: str | None) -> Language:
    """The language asked for, else the locale's, else English."""
    if lang is not None:
        return cast(Language, lang)
    for variable in ("LC_ALL", "LC_MESSAGES", "LANGUAGE", "LANG"):
        if value := os.environ.get(variable):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


_OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the words (default: from the locale)."),
    click.option("--offline", is_flag=True, help="Open no connection at all."),
    click.option("--quiet", "-q", is_flag=True, help="Print the verdict alone."),
)
