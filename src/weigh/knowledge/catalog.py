"""The catalogue: kinds, tasks, vendors, families with their versions, licences, errata, trends."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.core.value import Value
from weigh.knowledge import Row, read_table

AS_OF = "2026-11-23"  # the day these seven tables were last held against their sources

Confidence = Literal["high", "medium", "low"]
Leave = Literal["yes", "no", "conditional"]
Status = Literal["current", "superseded", "retired"]


class Names(Value, frozen=True, kw_only=True):
    """One name in each script; the same twice where there is only one."""

    en: str
    zh: str


class Sourced(Row, frozen=True, kw_only=True):
    """`also` holds further sources; high confidence means that several agree, low that one weak one says so."""

    also: tuple[str, ...] = ()
    confidence: Confidence


class Entry(Sourced, frozen=True, kw_only=True):
    """What can be found by a name; `id` is unique in the whole catalogue."""

    names: Names
    aliases: tuple[str, ...] = ()


class Kind(Entry, frozen=True, kw_only=True):
    """`number` is its place in the usual list of eight; `is_ai` is False for the one of them that is no AI model."""

    number: int | None = None
    is_ai: bool | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    pipeline_tags: tuple[str, ...] = ()


class Task(Entry, frozen=True, kw_only=True):
    """`aigc` marks the five kinds of content that are usually listed under that word."""

    aigc: bool | None = None
    kinds: tuple[str, ...]
    families: tuple[str, ...]
    pipeline_tags: tuple[str, ...] = ()


class Vendor(Entry, frozen=True, kw_only=True):
    """`hf` and `ms` are its organisations on the two hubs; `country` is an ISO 3166 code."""

    country: str | None = None
    homepage: str
    hf: tuple[str, ...] = ()
    ms: tuple[str, ...] = ()


class Licence(Entry, frozen=True, kw_only=True):
    """`conditional`: allowed, but not to everyone or not for everything. `user_limit` is monthly users."""

    commercial: Leave
    hosting: Leave
    attribution: bool | None = None
    user_limit: int | None = None
    open_source: bool


class Family(Entry, frozen=True, kw_only=True):
    """One family and version. Of the weights and of the API each has its own life.

    `sizes` are total, or total-Aactive; `context_length` is in tokens; `released` is a year, month or day.
    `successors` name what replaced it, the main line first; `predecessors` is the converse. `taken_over_by` is another
    vendor's model that took over the use. `hf` and `ms` are hub ids; of `hf_unconfirmed` one source alone speaks.
    """

    vendor: str
    kind: str
    form: Literal["tool", "service", "paper"] | None = None
    field: str | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    version: str | None = None
    released: str | None = None
    status: Status
    weights: Literal["open", "closed", "unreleased"]
    api: Literal["offered", "retiring", "retired"] | None = None
    api_ends: str | None = None
    licences: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    context_length: int | None = None
    formats: tuple[str, ...] = ()
    hf: tuple[str, ...] = ()
    hf_unconfirmed: tuple[str, ...] = ()
    ms: tuple[str, ...] = ()
    ollama: str | None = None
    predecessors: tuple[str, ...] = ()
    successors: tuple[str, ...] = ()
    taken_over_by: str | None = None


class Erratum(Sourced, frozen=True, kw_only=True):
    """A claim that goes round and does not hold; its words are in `text/explain/errata.*.toml`.

    `names` are wrong names, each of them of nothing that exists; `about` are entries that may be meant.
    """

    verdict: Literal["wrong", "outdated", "misleading", "unsupported"]
    severity: Literal["high", "medium", "low"]
    names: tuple[str, ...] = ()
    about: tuple[str, ...] = ()


class Trend(Sourced, frozen=True, kw_only=True):
    """Where the field is going; its words are in `text/explain/trends.*.toml`."""

    families: tuple[str, ...]


@functools.cache
def kinds() -> Mapping[str, Kind]:
    """Rows by id."""
    return {row.id: row for row in read_table("kinds", Kind)}


@functools.cache
def tasks() -> Mapping[str, Task]:
    """Rows by id."""
    return {row.id: row for row in read_table("tasks", Task)}


@functools.cache
def vendors() -> Mapping[str, Vendor]:
    """Rows by id."""
    return {row.id: row for row in read_table("vendors", Vendor)}


@functools.cache
def families() -> Mapping[str, Family]:
    """Rows by id."""
    return {row.id: row for row in read_table("families", Family)}


@functools.cache
def licences() -> Mapping[str, Licence]:
    """Rows by id."""
    return {row.id: row for row in read_table("licences", Licence)}


@functools.cache
def errata() -> Mapping[str, Erratum]:
    """Rows by id."""
    return {row.id: row for row in read_table("errata", Erratum)}


@functools.cache
def trends() -> Mapping[str, Trend]:
    """Rows by id."""
    return {row.id: row for row in read_table("trends", Trend)}
