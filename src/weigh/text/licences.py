"""What a licence allows, in one line."""

from __future__ import annotations

from weigh.core.report import Terms
from weigh.knowledge.catalog import Licence
from weigh.text import Language, say


def allows(licence: Licence | Terms, language: Language) -> str:
    """Commercial use, hosting, attribution, a limit of users: what is known of them."""
    said = [say(f"catalog.commercial.{licence.commercial}", language)]
    said.append(say(f"catalog.hosting.{licence.hosting}", language))
    if licence.attribution:
        said.append(say("catalog.attribution", language))
    if licence.user_limit is not None:
        said.append(say("catalog.user_limit", language, users=licence.user_limit))
    return say("explain.comma", language).join(said)
