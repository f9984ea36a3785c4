"""A weighed model as an engine sees it: where it lies, and what it is for."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from weigh.core.engine import Candidate
from weigh.core.header import Header
from weigh.core.report import Report
from weigh.core.work import Work
from weigh.formats import folder_formats
from weigh.knowledge.model_classes import works_of_class, works_of_pipeline
from weigh.sources.folder import Folder

# What a hub's pipeline tag, or the kind that a name says, stands for.
_TASKS: Mapping[str, tuple[Work, ...]] = {
    "automatic-speech-recognition": ("transcribe",),
    "depth-estimation": ("depth",),
    "feature-extraction": ("embed",),
    "image-classification": ("classify",),
    "image-text-to-text": ("chat",),
    "image-to-image": ("image",),
    "image-to-video": ("video",),
    "object-detection": ("detect",),
    "sentence-similarity": ("embed",),
    "text-classification": ("classify",),
    "text-generation": ("chat", "complete"),
    "text-ranking": ("rerank",),
    "text-to-audio": ("sound",),
    "text-to-image": ("image",),
    "text-to-speech": ("speak",),
    "text-to-video": ("video",),
    "zero-shot-image-classification": ("classify", "embed"),
}
_KINDS: Mapping[str, tuple[Work, ...]] = {"embedding": ("embed",), "rerank": ("rerank",), "reranker": ("rerank",)}
_COMPUTES = frozenset({"onnx", "openvino", "tflite", "keras", "keras-h5", "tf-savedmodel", "torchscript"})
# What CTranslate2 calls a model at the beginning of its model.bin: u32 version, u16 length, the name, a zero.
_SPECS: Mapping[str, tuple[Work, ...]] = {"WhisperSpec": ("transcribe",)}
_SPEC = re.compile(rb"[\x01-\x20]\0\0\0(.)\0([A-Za-z0-9]{3,64}Spec)\0", re.DOTALL)
_POOLS_FOR_RANKING = 4  # llama.cpp's pooling type RANK


def candidate(report: Report, path: str) -> Candidate:
    """Of a report on a file or a folder on this machine; `path` is where it lies."""
    headers = _headers(report, path)
    main = headers.get("") or Header(format=report.format or "unknown", metadata={})
    architecture = report.model.architecture if report.model is not None else None
    class_name = architecture.class_name if architecture is not None else None
    if main.format == "diffusers" and isinstance(named := main.metadata.get("class"), str):
        class_name = named
    if main.format == "gguf" and isinstance(named := main.metadata.get("general.architecture"), str):
        class_name = named
    if (spec := _ctranslate2(path)) is not None:
        return Candidate(path=path, format="ctranslate2", architecture=spec, works=_SPECS.get(spec, ()))
    place, beside = _place(report, path, main.format)
    return Candidate(
        path=place,
        format=_format(report, main),
        weights=_weights(report),
        architecture=class_name,
        model_type=report.model.model_type.value if report.model and report.model.model_type else None,
        task=_tag(main),
        works=_works(report, main, class_name),
        beside=beside,
    )


def _ctranslate2(path: str) -> str | None:
    """The name that a folder's model.bin gives itself, where CTranslate2 wrote it."""
    weights = os.path.join(path, "model.bin")
    if not os.path.isfile(weights):
        return None
    with open(weights, "rb") as file:
        told = _SPEC.match(file.read(128))
    return told[2].decode() if told is not None and told[1][0] == len(told[2]) + 1 else None


def _place(report: Report, path: str, format: str) -> tuple[str, tuple[str, ...]]:
    """What an engine opens, and what lies beside it: of a folder of GGUF files the (first part of the) model."""
    if os.path.isdir(path):
        inside = tuple(os.path.join(path, *file.path.split("/")) for file in report.files)
        if format != "gguf":
            return path, inside
        models = sorted(one for one in inside if one.endswith(".gguf") and "mmproj" not in os.path.basename(one))
        return (models[0] if models else path), inside
    folder = os.path.dirname(os.path.abspath(path))
    names = sorted(os.listdir(folder)) if format == "gguf" else []
    return path, tuple(os.path.join(folder, name) for name in names if name.endswith(".gguf"))


def _headers(report: Report, path: str) -> dict[str, Header]:
    """Of each file; under "" that of the folder as a whole, or of the one file."""
    found = {file.path: file.header for file in (report.model.files if report.model else ()) if file.header}
    if not os.path.isdir(path):
        return {**found, "": next(iter(found.values()))} if found else {}
    listing = Folder(path)
    whole = next((format for format in folder_formats() if format.matches(listing)), None)
    if whole is not None:
        return {**found, "": whole.read(listing)}
    models = [header for header in found.values() if header.tensors]
    return {**found, "": models[0]} if models else found


def _weights(report: Report) -> tuple[str, ...]:
    """The files that hold tensors."""
    files = report.model.files if report.model is not None else ()
    return tuple(file.path for file in files if file.header is not None and file.header.tensors)


def _format(report: Report, main: Header) -> str:
    """That of the weights, where a repository's are of one that its usual loader does not take."""
    headers = [file.header for file in (report.model.files if report.model else ()) if file.header is not None]
    kinds = {header.format for header in headers if header.tensors}
    return "onnx" if main.format == "huggingface" and kinds == {"onnx"} else main.format


def _works(report: Report, main: Header, class_name: str | None) -> tuple[Work, ...]:
    """What the files say; where they say text of any kind, what the name says it was trained for."""
    beside = {file.path for file in report.files}
    if main.format == "diffusers":
        return works_of_pipeline(class_name or "")
    if "modules.json" in beside:
        return ("embed",)
    kind = _KINDS.get(report.name.kind, ()) if report.name is not None else ()
    if main.format == "gguf":
        return _of_gguf(main, class_name) or kind or ("chat", "complete")
    if main.format in _COMPUTES:
        return ("compute",)
    found = works_of_class(class_name) if class_name else ()
    if found == ("classify",) and (_is_one_label(main) or kind == ("rerank",)):
        return ("rerank",)
    if kind and found and found[0] in ("chat", "complete", "embed"):
        return kind
    return found or kind or _TASKS.get(_tag(main) or "", ())


def _of_gguf(main: Header, architecture: str | None) -> tuple[Work, ...]:
    pooling = main.metadata.get(f"{architecture}.pooling_type")
    if isinstance(pooling, int) and pooling > 0:
        return ("rerank",) if pooling == _POOLS_FOR_RANKING else ("embed",)
    return ()


def _is_one_label(main: Header) -> bool:
    """A classifier with one class gives a score: it ranks."""
    config = main.metadata.get("config")
    if not isinstance(config, Mapping):
        return False
    labels = config.get("id2label")
    return config.get("num_labels") == 1 or (isinstance(labels, Mapping) and len(labels) == 1)


def _tag(main: Header) -> str | None:
    card = main.metadata.get("card")
    tag = card.get("pipeline_tag") if isinstance(card, Mapping) else None
    return tag if isinstance(tag, str) else None
