"""`weigh schema`: the JSON Schema of what the commands print."""

from __future__ import annotations

import click
import msgspec

from weigh.cli.options import common


@click.command()
@common
def schema(as_json: bool, lang: str | None, offline: bool, quiet: bool) -> int:
    """Print the JSON Schema of a report."""
    from weigh.text.document import schema as of_report

    click.echo(msgspec.json.format(msgspec.json.encode(of_report()), indent=2).decode())
    return 0
