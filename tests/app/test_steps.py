"""What to do next with what was read where it lies."""

from __future__ import annotations

import pytest

from weigh.app.steps import next_steps
from weigh.core.model import Model
from weigh.core.report import Report
from weigh.names.reference import parse

COMMANDS = """
hf:org/name                            weigh pull hf:org/name
hf:org/name@refs/pr/1:a.gguf           weigh pull hf:org/name@refs/pr/1:a.gguf
ms:org/name@v1                         weigh pull ms:org/name@v1
https://host/a.gguf?x=1&y=2            weigh pull 'https://host/a.gguf?x=1&y=2'
"""


@pytest.mark.parametrize("line", COMMANDS.strip().splitlines())
def test_what_is_clean_on_a_server_is_pulled(line: str) -> None:
    text, command = line.split(maxsplit=1)
    reference = parse(text, exists=lambda _: False)
    report = Report(schema=1, reference=reference, verdict="clean", format="gguf", model=Model())
    assert [step.command for step in next_steps(report)] == [command]
