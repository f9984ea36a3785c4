"""A model's name taken apart: the longest known words first, then numbers by what stands around them."""

from __future__ import annotations

import re

from weigh.core.name import Name, Part, Quant, Shard, Size
from weigh.core.saying import Saying
from weigh.knowledge.naming import NamingFamily, QuantLabel, Suffix
from weigh.names.kinds import kind_of, modality_of
from weigh.names.lexicon import Token, longest_phrase, tokens_of
from weigh.names.numbers import Number, context, date, date_of_parts, number, version

MOST = 4096  # characters that are taken apart; the rest of a longer text is one unknown part
EXTENSIONS = {
    "gguf": "gguf", "ggml": "ggml", "safetensors": "safetensors", "onnx": "onnx", "pth": "pytorch", "pt": "pytorch",
    "mlx": "mlx",
}  # fmt: skip
FILES = frozenset(
    [
        "bin",
        "ckpt",
        "h5",
        "pkl",
        "pickle",
        "zip",
        "tar",
        "json",
        "model",
        "keras",
        "tflite",
        "pb",
        "npz",
        "npy",
        "mlmodel",
    ]
)
_FUSED = re.compile(r"^([a-z\u4e00-\u9fff][a-z\u4e00-\u9fff.\-]*?)(v?\d.*)$")
_BASES = frozenset({"Llama"})  # a maker puts this licence-bound name before its own brand
_REASONING = frozenset({("DeepSeek", "R1"), ("GLM", "Z1"), ("ERNIE", "X1"), ("Hunyuan", "T1"), ("MiniMax", "M1")})
_SIZE_FIELDS = {"active": "active_b", "experts": "experts", "effective": "effective_b"}
_O = re.compile(r"^o([1-9])$")


def decode(text: str) -> Name:
    """What the text says, part by part; the parts joined are the text. Never raises; linear in the text."""
    reader = _Reader(text[:MOST])
    reader.go()
    if len(text) > MOST:
        reader.parts.append(Part(kind="unknown", text=text[MOST:], confidence=0.0))
    return reader.name(text)


class _Reader:
    """One pass over the tokens, and what was gathered on it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.done = 0  # characters that parts cover
        self.parts: list[Part] = []
        self.family: NamingFamily | None = None
        self.version: str | None = None
        self.sizes: dict[str, float] = {}
        self.words: dict[str, set[str]] = {kind: set() for kind in ("function", "tier", "training", "language")}
        self.format: str | None = None
        self.labels: list[QuantLabel] = []
        self.bpw: float | None = None
        self.group: int | None = None
        self.context: int | None = None
        self.date: str | None = None
        self.shard: Shard | None = None
        self.codebook: str | None = None

    # Walking

    def go(self) -> None:
        while self.at < len(self.tokens):
            for attempt in (self._path, self._shard, self._extension, self._phrase, self._fused, self._figure):
                if attempt():
                    break
            else:
                self._take(1, "unknown", None, confidence=0.0)
        if self.done < len(self.text):
            self.parts.append(Part(kind="separator", text=self.text[self.done :]))

    def _take(
        self, count: int, kind: str, value: str | None, *, confidence: float = 0.9, key: str | None = None
    ) -> None:
        """The next tokens as one part."""
        first, last = self.tokens[self.at], self.tokens[self.at + count - 1]
        self._cover((first.start, last.end), kind, value, confidence, key)
        self.at += count

    def _cover(
        self, span: tuple[int, int], kind: str, value: str | None, confidence: float, key: str | None = None
    ) -> None:
        start, end = span
        if start > self.done:
            self.parts.append(Part(kind="separator", text=self.text[self.done : start]))
        why = Saying(key or f"part.{kind}", value=value or self.text[start:end])
        self.parts.append(Part(kind=kind, text=self.text[start:end], value=value, why=why, confidence=confidence))
        self.done = end

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def _habit(self, habit: str) -> bool:
        return self.family is not None and habit in self.family.habits

    # What stands here

    def _path(self) -> bool:
        """Everything before the last slash names a place or a maker, not the model."""
        if self.at or "/" not in self.text:
            return False
        cut = self.text.rindex("/")
        count = sum(1 for token in self.tokens if token.end <= cut)
        if not count or count == len(self.tokens):
            return False
        self._take(count, "org", None, confidence=0.8)
        return True

    def _shard(self) -> bool:
        match [token.low for token in self.tokens[self.at : self.at + 3]]:
            case [index, "of", count] if (
                index.isdecimal() and count.isdecimal() and 2 <= len(index) <= len(count) + 3 <= 9
            ):
                self.shard = Shard(index=int(index), count=int(count))
                self._take(3, "shard", f"{int(index)}/{int(count)}")
                return True
        return False

    def _extension(self) -> bool:
        """The last token behind a dot, where it is what files end in."""
        if self.at != len(self.tokens) - 1 or not self.token.before.endswith(".") or self.at == 0:
            return False
        if self.token.low in EXTENSIONS:
            self.format = EXTENSIONS[self.token.low]
            self._take(1, "format", self.format)
            return True
        if self.token.low in FILES:
            self._take(1, "extension", self.token.low)
            return True
        return False

    def _phrase(self) -> bool:
        found = longest_phrase(self.tokens, self.at)
        if found is None:
            return False
        entry, length = found
        match entry:
            case NamingFamily():
                return self._brand(entry, length)
            case Suffix():
                return self._suffix(entry, length)
            case QuantLabel():
                self.labels.append(entry)
                self._take(length, "quant", entry.scheme or entry.method, key="part.quant_bits" if entry.bits else None)
        return True

    def _brand(self, family: NamingFamily, length: int) -> bool:
        if len(family.name) < 3 and self.family is not None:
            return False
        if self.family is None:
            self.family = family
            self._take(length, "family", family.name, confidence=0.95)
        elif self.family.name in _BASES and self.family is not family and "distill" not in self.words["training"]:
            self.family, self.version = family, None
            self._take(length, "family", family.name)
        else:
            self._take(length, "base", family.name, confidence=0.8)
            self._version_of_base()
        return True

    def _version_of_base(self) -> None:
        """The release mark of another brand is not this model's."""
        if (
            self.at < len(self.tokens)
            and (mark := version(self.token.low)) is not None
            and number(self.token.low) is None
        ):
            self._take(1, "base", mark, confidence=0.8)

    def _suffix(self, suffix: Suffix, length: int) -> bool:
        kind, value = suffix.kind, suffix.value
        if self.token.low == "pt" and self._habit("pt_pytorch"):
            kind, value = "format", "pytorch"
        elif self.token.low == "pt" and not self._habit("pt_pretrained"):
            return False
        elif value == "base" and self._habit("base_is_size"):
            kind = "tier"
        if kind == "format":
            self.format = self.format or value
        else:
            self.words[kind].add(value)
        self._take(length, kind, value)
        return True

    def _fused(self) -> bool:
        """`Qwen2.5`, `gemma3n`, `o3`: a family and its release mark in one word."""
        low = self.token.low
        if (found := _O.match(low)) is not None and self.family is None:
            return self._fused_family("o", low, 0)
        if (found := _FUSED.match(low)) is None:
            return False
        mark = version(found[2])
        if mark is None or number(found[2]) is not None:
            return False
        return self._fused_family(found[1].rstrip("-"), mark, len(found[1]))

    def _fused_family(self, stem: str, mark: str, length: int) -> bool:
        entry = longest_phrase([Token(0, 0, stem, "")], 0)
        if entry is None or not isinstance(entry[0], NamingFamily):
            return False
        family, token = entry[0], self.token
        kind = "family"
        if self.family is None or (self.family.name in _BASES and self.family is not family):
            self.family, self.version = family, self._mark(mark)
        else:
            kind = "base"
        if length:
            self._cover((token.start, token.start + length), kind, family.name, 0.95)
        if kind == "family":
            self._cover((token.start + length, token.end), "version", self.version, 0.95)
        else:
            self._cover((token.start + length, token.end), "base", mark, 0.8)
        self.at += 1
        return True

    def _mark(self, mark: str) -> str:
        """The release mark without a letter that says something else: `5V` is 5 with vision."""
        if mark[-1:] == "v" and mark[:-1].replace(".", "").isdigit():
            self.words["function"].add("vision")
            return mark[:-1]
        return mark

    # Figures

    def _figure(self) -> bool:
        low = self.token.low
        dated = date_of_parts([token.low for token in self.tokens[self.at : self.at + 3]])
        if dated is not None and self.family is not None and (dated[1] == 3 or len(low) == 2):
            self.date = dated[0]
            self._take(dated[1], "date", dated[0])
            return True
        read = number(low)
        if read is not None and self._number(read):
            return True
        if self.context is None and (tokens := context(low)) is not None and self._speaks():
            self.context = tokens
            self._take(1, "context", str(tokens))
            return True
        day = date(low, month_first=self._habit("month_first"))
        if day is not None and self.date is None:
            self.date = day
            self._take(1, "date", day)
            return True
        return self._release()

    def _speaks(self) -> bool:
        """May a number of thousands be a context here?"""
        return not self._habit("budget") and (self.family is None or self.family.kind != "speech")

    def _release(self) -> bool:
        mark = version(self.token.low)
        if mark is None or self.family is None or self.version is not None:
            return False
        count = 1
        if mark.isdigit() and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1].before == "-":
            minor = self.tokens[self.at + 1].low
            if len(minor) == 1 and minor.isdigit() and len(mark) == 1:  # claude-3-5
                mark, count = f"{mark}.{minor}", 2
        self.version = self._mark(mark)
        self._take(count, "version", self.version)
        return True

    def _number(self, read: Number) -> bool:
        if read.kind.startswith("size"):
            return self._size(read)
        if read.kind == "effective" and not self._habit("effective"):
            return False
        match read.kind:
            case "mixture":
                self.sizes |= {"experts": read.value, "expert_b": read.second}
            case "epochs":
                self.words["training"] |= {f"epochs:{read.value:g}", f"tokens:{read.second:g}T"}
            case "bpw":
                self.bpw = read.value
            case "group":
                self.group = int(read.value)
            case kind:
                self.sizes[_SIZE_FIELDS[kind]] = read.value
        self._take(1, read.kind, self.token.low.upper())
        return True

    def _size(self, read: Number) -> bool:
        """The first figure with a unit is the size; the next is context, training tokens or the active part."""
        low = self.token.low
        total = "total_b" in self.sizes
        if read.kind == "size_k" or (read.kind == "size_m" and total):
            return False
        if total and self._habit("active_first"):
            self.sizes["active_b"], self.sizes["total_b"] = self.sizes["total_b"], read.value
            self._take(1, "size", f"{read.value:g}B")
        elif total:
            self.words["training"].add(f"tokens:{low.upper()}")
            self._take(1, "training", f"tokens:{low.upper()}", confidence=0.7, key="part.tokens")
        else:
            self.sizes["total_b"] = read.value
            self._take(1, "size", f"{read.value:g}B" if read.value >= 0.1 else low.upper())
        return True

    # What it comes to

    def name(self, text: str) -> Name:
        quant = self._quant()
        self._implied()
        kind = kind_of(self.family.kind if self.family else None, self.words["function"])
        return Name(
            name=text,
            org=self.family.org if self.family else None,
            family=self.family.name if self.family else None,
            version=self.version,
            size=self._sizes(),
            tier=tuple(sorted(self.words["tier"])),
            function=tuple(sorted(self.words["function"])),
            modality=modality_of(kind, self.words["function"]),
            quant=quant,
            format=self.format,
            context_tokens=self.context,
            date=self.date,
            training=tuple(sorted(self.words["training"])),
            language=tuple(sorted(self.words["language"])),
            shard=self.shard,
            kind=kind,
            confidence=self._confidence(),
            parts=tuple(self.parts),
        )

    def _implied(self) -> None:
        """What a brand is for, said by the brand alone."""
        if self.family is None:
            return
        self.words["function"] |= set(self.family.function)
        if (self.family.name, self.version) in _REASONING:
            self.words["function"].add("reasoning")

    def _sizes(self) -> Size | None:
        sizes = dict(self.sizes)
        if "experts" in sizes and "total_b" in sizes and self._habit("lone_size_active_with_experts"):
            sizes["active_b"] = sizes.pop("total_b")
        if not sizes:
            return None
        plain = {key: int(value) if value == int(value) else value for key, value in sizes.items()}
        return Size(**plain)  # type: ignore[arg-type]

    def _quant(self) -> Quant | None:
        """Method of one label, scheme of another: `GPTQ-Int4`, `AWQ-4bit`, `F16` of a GGUF."""
        if "qat" in self.words["training"] and "unquantized" in self.text.lower():
            return None
        if not self.labels and self.bpw is None:
            return None
        method = next((label.method for label in self.labels if label.method not in (None, "none")), None)
        schemed = next((label for label in self.labels if label.scheme is not None), None)
        plain = next((label.method for label in self.labels), None) == "none"
        if method in ("EXL2", "EXL3", "MLX", "GGML") and self.format is None:
            self.format = method.lower()
        scheme, bits = (schemed.scheme, schemed.bits) if schemed is not None else (None, None)
        if self.format == "mlx" and method is None:
            method, plain = "MLX", False
        if plain and method is None:
            in_gguf = self.format == "gguf" or re.search(r":[^/]*$", self.text) is not None
            method = "GGUF" if in_gguf else "none"
            scheme = scheme.replace("FP", "F") if in_gguf and scheme is not None and scheme != "BF16" else scheme
        if self.bpw is not None:
            scheme, bits = ("b1.58" if self.bpw == 1.58 else f"{self.bpw:.1f}bpw"), self.bpw
        whole = int(bits) if bits is not None and bits == int(bits) else bits
        return Quant(method=method, scheme=scheme, bits=whole, group=self.group)

    def _confidence(self) -> float | None:
        """Of the characters that are no separators, how many are understood and how surely."""
        spoken = [(len(part.text), part.confidence or 0.0) for part in self.parts if part.kind != "separator"]
        total = sum(length for length, _ in spoken)
        return round(sum(length * sure for length, sure in spoken) / total, 2) if total else None
