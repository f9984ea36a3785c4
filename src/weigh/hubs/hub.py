"""What a hub is to the program: declared facts plus three functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from weigh.core.reference import Hub as Prefix
from weigh.core.reference import Reference
from weigh.core.value import Value
from weigh.hubs.repository import Repository
from weigh.sources.client import Client
from weigh.sources.http import HttpSource
from weigh.sources.request import Ask


class Site(Value, frozen=True, kw_only=True):
    """Where a hub answers and who we are there."""

    endpoint: str
    token: str | None = None


class Place(NamedTuple):
    """A reference, the hub that has it and where that one answers."""

    reference: Reference
    hub: Hub
    site: Site


class Hub(Value, frozen=True, kw_only=True):
    """`id` is the reference's prefix, `endpoint` where it answers if the user says nothing else.

    `list` gives the files of a repository at a revision, None where there is no such thing; `open` one file, which
    the reference names, `address` where its bytes are. `of_page` reads the path of one of the hub's own pages as a
    reference. `hosts` are its addresses, `mirrors` those of others that answer as it does; the variables and files
    are where its stock client looks for an endpoint and a token, the first one first;
    `token_jars` are pickled cookie jars in which `token_cookie` is the token.
    """

    id: Prefix
    endpoint: str
    open: Callable[[Reference, Site, Client], HttpSource]
    address: Callable[[Reference, Site], Ask]
    list: Callable[[Reference, Site, Client], Repository] | None = None
    of_page: Callable[[str], Mapping[str, str | None] | None] = lambda path: None
    hosts: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    endpoint_variables: tuple[str, ...] = ()
    token_variables: tuple[str, ...] = ()
    token_files: tuple[str, ...] = ()
    token_jars: tuple[str, ...] = ()
    token_cookie: str | None = None
