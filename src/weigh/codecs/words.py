"""The words of a text as a search by words takes them: what is written without spaces goes by pairs of letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Han, kana, hangul, Thai, Lao, Burmese, Khmer.
WIDE = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0eff"
    "\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff"
)
_RUN = re.compile(f"([{WIDE}]+)|((?:(?![{WIDE}])[^\\W_])+)")


def words(text: str) -> list[str]:
    """What is kept of a text: of a run without spaces each letter and each pair.

    >>> words("Weigh 过秤 it")
    ['weigh', '过', '秤', '过秤', 'it']
    """
    return [word for run, is_wide in _runs(text) for word in ((*run, *_pairs(run)) if is_wide else (run,))]


def terms(text: str) -> list[str]:
    """What a question is searched by, each once: pairs, and a letter that stands alone.

    >>> terms("过秤机 秤 it It")
    ['过秤', '秤机', '秤', 'it']
    """
    found = (word for run, is_wide in _runs(text) for word in (_pairs(run) if is_wide and len(run) > 1 else (run,)))
    return list(dict.fromkeys(found))


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).casefold()):
        yield match.group(), match.group(1) is not None


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]
