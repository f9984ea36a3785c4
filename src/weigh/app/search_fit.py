"""Whether a model that a hub found runs here, by its name and the hub's figure alone."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from weigh.app.fit import Wish, fits
from weigh.core.errors import BadReference
from weigh.core.fit import VERDICTS, Fit
from weigh.core.hardware import Device
from weigh.core.name import Size
from weigh.core.report import Report


def placed(report: Report, parameters: int | None, devices: Sequence[Device]) -> Fit | None:
    """On the device where it runs best; None where neither the name nor the hub says how large it is."""
    for asked in (report, _with_size(report, parameters)):
        if asked is None or not devices:
            continue
        try:
            found = fits(asked, devices, Wish(exact=False))
        except BadReference:
            continue
        return min(found, key=lambda fit: VERDICTS.index(fit.verdict), default=None)
    return None


def _with_size(report: Report, parameters: int | None) -> Report | None:
    if report.name is None or not parameters:
        return None
    name = msgspec.structs.replace(report.name, size=Size(total_b=parameters / 1e9))
    return msgspec.structs.replace(report, name=name)
