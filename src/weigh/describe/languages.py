"""The language a name states, held against what the tokens of the vocabulary are written with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from weigh.core.claim import Claim
from weigh.core.name import Name
from weigh.core.saying import Saying
from weigh.describe.claims import claim
from weigh.describe.seen import Vocabulary
from weigh.knowledge.scripts import ScriptRow, scripts

FEWEST_TOKENS = 1000  # a smaller vocabulary spells by bytes or letters, whatever the language
ENOUGH = 20

# How GPT-2's tokenizer writes bytes: https://github.com/openai/gpt-2/blob/master/src/encoder.py
_PLAIN = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_BYTE_OF = {chr(byte): byte for byte in _PLAIN} | {
    chr(256 + number): byte for number, byte in enumerate(byte for byte in range(256) if byte not in _PLAIN)
}
_WORD = re.compile(r"[^\W\d_]+")


def languages(name: Name, vocabulary: Vocabulary | None) -> Iterator[Claim]:
    """One claim: the first language that the vocabulary does not bear out, else the first."""
    claims = [_language(code, vocabulary) for code in stated(name)]
    yield from sorted(claims, key=lambda one: one.verdict != "does_not_hold")[:1]


def stated(name: Name) -> tuple[str, ...]:
    """The languages that a name speaks of, those within a brand included."""
    if name.language:
        return tuple(code for code in name.language if code not in ("multilingual", "en"))
    words = set(_WORD.findall(name.name.lower()))
    return tuple(row.id for row in scripts().values() if words.intersection(row.words))


def vocabulary_of(tokens: Iterable[str]) -> Vocabulary:
    """Each token counted for every language it could be of."""
    texts = list(tokens)
    if sum(token[:1] in ("Ġ", "Ċ") for token in texts) > len(texts) // 20:
        texts = [_spelled(token) for token in texts]
    patterns = {row.id: _pattern(row) for row in scripts().values()}
    counted = {code: sum(1 for text in texts if pattern.search(text)) for code, pattern in patterns.items()}
    return Vocabulary(num_tokens=len(texts), tokens=counted)


def _language(code: str, vocabulary: Vocabulary | None) -> Claim:
    row = scripts().get(code)
    if vocabulary is None:
        return claim("language", code, None, "cannot_tell", Saying("claim.language.no_vocabulary"))
    if row is None:
        return claim("language", code, None, "cannot_tell", Saying("claim.language.shared"))
    found, number = vocabulary.tokens.get(code, 0), vocabulary.num_tokens
    shown = f"{row.script}: {found:,}"
    if number < FEWEST_TOKENS:
        return claim("language", code, shown, "cannot_tell", Saying("claim.language.small", count=number))
    if found >= ENOUGH:
        return claim("language", code, shown, "holds", Saying("claim.language.holds", found=found, count=number))
    if found or not row.ranges:
        return claim("language", code, shown, "cannot_tell", Saying("claim.language.few", found=found, count=number))
    return claim("language", code, shown, "does_not_hold", Saying("claim.language.none", count=number))


def _pattern(row: ScriptRow) -> re.Pattern[str]:
    ranges = "".join(f"{chr(least)}-{chr(most)}" for least, most in row.ranges)
    return re.compile(f"[{ranges}{row.letters or ''}]", re.IGNORECASE)


def _spelled(token: str) -> str:
    """The text of a token written byte by byte; what is no whole character is left out."""
    return bytes(_BYTE_OF[letter] for letter in token if letter in _BYTE_OF).decode("utf-8", "ignore")
