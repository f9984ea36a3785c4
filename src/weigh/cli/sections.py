"""A command whose help page has its options in sections, each under a heading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click


class Sectioned(click.Command):
    """`sections` maps a heading to the parameters below it; the others come last, as options of any command."""

    sections: Mapping[str, Sequence[str]] = {}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the sections."""
        records = {one.name: record for one in self.get_params(ctx) if (record := one.get_help_record(ctx)) is not None}
        for heading, names in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([records.pop(name) for name in names if name in records])
        with formatter.section("Options"):
            formatter.write_dl(list(records.values()))
