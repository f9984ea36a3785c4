"""LiteLLM's price map: what interfaces are called and how many tokens they take."""

from __future__ import annotations

import msgspec

from weigh.app.sync.belonging import family_of, vendor_of
from weigh.app.sync.inquiry import Inquiry, Publisher
from weigh.app.sync.rows import Tally
from weigh.core.errors import SourceError
from weigh.hubs.repository import answer_of
from weigh.knowledge.synced import Heard, Told, clean_id, clean_text, clean_tokens
from weigh.sources.request import Ask

ADDRESS = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
_SAMPLE = "sample_spec"  # its row that explains the others, in words where figures stand
_OFFER = 2  # slashes of an id that names a region, a price class or whose model it is: another's offer


class _Model(msgspec.Struct):
    litellm_provider: str | None = None
    alias_of: str | None = None
    max_input_tokens: float | str | None = None
    mode: str | None = None


def hear(inquiry: Inquiry) -> Heard:
    """What vendors offer themselves, and what others offer of families of the table. Raises SourceError."""
    if inquiry.network is None:
        raise SourceError("sync.offline", path="litellm")
    place = inquiry.addresses.get("litellm", ADDRESS)
    table = answer_of(inquiry.network.client, Ask(url=place, path="litellm"), dict[str, msgspec.Raw])[0]
    tally, models = Tally(), list[Told]()
    for id in sorted(table.keys() - {_SAMPLE}):
        models += [told for row in tally.read((table[id],), _Model) if (told := _told(id, row)) is not None]
    return Heard(source="litellm", day=inquiry.day, place=place, models=tuple(models), ill=tally.ill)


def _told(id: str, row: _Model) -> Told | None:
    if row.litellm_provider is None or row.alias_of is not None:
        return None
    family, vendor = family_of(id), vendor_of(row.litellm_provider)
    its_own = vendor is not None and id.count("/") < _OFFER
    if clean_id(id) is None or (family is None and not its_own):
        return None
    return Told(
        id=id,
        family=family,
        vendor=vendor,
        kind=clean_text(row.mode),
        context_length=_tokens(row.max_input_tokens),
    )


def _tokens(count: float | str | None) -> int | None:
    """Some rows have the figure in quotes."""
    if isinstance(count, str):
        return clean_tokens(int(count)) if count.isdecimal() and len(count) < 16 else None
    return clean_tokens(count)


PUBLISHER = Publisher("litellm", hear)
