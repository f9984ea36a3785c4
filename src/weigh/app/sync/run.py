"""One sync: every wanted source asked, the others as they were, the whole compared."""

from __future__ import annotations

import msgspec

from weigh.app.sync import huggingface, litellm, models_dev, modelscope, ms_swift, xinference
from weigh.app.sync.comparison import changes, disagreements
from weigh.app.sync.inquiry import Inquiry, Publisher
from weigh.core.errors import BadReference, WeighError
from weigh.core.report import Failure
from weigh.core.value import Value
from weigh.knowledge.synced import FORM, Change, Disagreement, Heard, Synced

PUBLISHERS: tuple[Publisher, ...] = (
    huggingface.PUBLISHER,
    modelscope.PUBLISHER,
    models_dev.PUBLISHER,
    litellm.PUBLISHER,
    xinference.PUBLISHER,
    ms_swift.PUBLISHER,
)


class Outcome(Value, frozen=True, kw_only=True):
    """`heard` are the sources that answered, `failures` those that did not, `absent` packages that are not here."""

    synced: Synced
    heard: tuple[Heard, ...] = ()
    failures: tuple[tuple[str, Failure], ...] = ()
    absent: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()


def sync(inquiry: Inquiry, wanted: tuple[str, ...], before: Synced | None) -> Outcome:
    """Nothing wanted means all; a package that is not here is then no failure. Raises BadReference for a wrong name."""
    chosen = tuple(one for one in PUBLISHERS if not wanted or one.id in wanted)
    if unknown := set(wanted) - {one.id for one in PUBLISHERS}:
        raise BadReference("sync.source", source=min(unknown), sources=", ".join(one.id for one in PUBLISHERS))
    earlier = {source.source: source for source in before.sources} if before is not None else {}
    heard: list[Heard] = []
    failures: list[tuple[str, Failure]] = []
    absent: list[str] = []
    for publisher in chosen:
        if not publisher.far and not wanted and publisher.id not in inquiry.installed:
            absent.append(publisher.id)
            continue
        try:
            heard.append(publisher.hear(inquiry))
        except WeighError as error:
            failures.append((publisher.id, Failure(message=error.saying, path=error.path, offset=error.offset)))
    now = earlier | {source.source: source for source in heard}
    synced = Synced(form=FORM, sources=tuple(now[one.id] for one in PUBLISHERS if one.id in now))
    return Outcome(
        synced=synced,
        heard=tuple(heard),
        failures=tuple(failures),
        absent=tuple(absent),
        changes=tuple(change for source in heard for change in changes(earlier.get(source.source), source)),
        disagreements=disagreements(msgspec.structs.replace(synced, sources=tuple(heard))),
    )
