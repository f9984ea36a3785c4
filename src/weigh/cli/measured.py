"""The speeds that this user kept, read for whoever predicts."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from weigh.cli.folders import measured_file
from weigh.core.errors import WeighError
from weigh.text import Language, complain, say

if TYPE_CHECKING:
    from weigh.knowledge.measured import Measured


def what_was_measured(language: Language) -> tuple[Measured, ...]:
    """Rows that can be; of others, and of a file that cannot be read, a line on standard error tells."""
    path = measured_file()
    if not os.path.lexists(path):
        return ()
    from weigh.app.measured import read_measured

    try:
        kept = read_measured(path)
    except WeighError as error:
        click.echo(complain(error, language), err=True)
        return ()
    if kept.ill:
        click.echo(say("bench.ill", language, path=path, count=kept.ill), err=True)
    return kept.rows


def today() -> date:
    """SOURCE_DATE_EPOCH stands for the day where it is set."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(fixed), UTC).date() if fixed.isdigit() else date.today()
