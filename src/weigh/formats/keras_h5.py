"""Keras' models and weights in HDF5: the configuration in attributes, the weights as datasets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weigh.codecs.embedded import Inside
from weigh.codecs.hdf5_account import Account, account_of, text_of
from weigh.codecs.hdf5_attributes import Attribute, whole_attributes
from weigh.codecs.hdf5_observations import observe_hdf5
from weigh.codecs.json import decode
from weigh.codecs.keras_config import meta_of_json, observe_config, summary_of
from weigh.codecs.keras_weights import is_keras, is_of_optimizer, names_in
from weigh.codecs.pickle import is_pickle
from weigh.codecs.zip import is_zip
from weigh.core.errors import FormatError
from weigh.core.format import Format
from weigh.core.header import Header, LongArray, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source

CONFIGS = ("model_config", "training_config")
SHORT = 16
MOST_JSON = 4 << 20


def matches(source: Source) -> bool:
    """HDF5 with what Keras puts into it; no file of another format before it."""
    return is_keras(source) and not is_zip(source) and not is_pickle(source)


def read(source: Source) -> Header:
    """Weights by the path of their dataset, the configuration and what it amounts to. Raises FormatError."""
    account = account_of(source)
    metadata: dict[str, Meta] = {}
    for key in ("keras_version", "backend"):
        if (text := text_of(account.attributes.get(key))) is not None:
            metadata[key] = text
    configs, problems = _configs(account.attributes)
    if "model_config" in configs:
        metadata |= summary_of(configs["model_config"])
    metadata |= {key: meta_of_json(config) for key, config in configs.items()}
    metadata |= _lists(account)
    version = metadata.get("keras_version")
    return Header(
        format="keras-h5",
        version=version if isinstance(version, str) else None,
        byte_order=account.byte_order,
        metadata=metadata,
        tensors=account.tensors,
        problems=account.problems + problems,
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Layers and code of the configuration; then what any HDF5 file may hide."""
    account, inside = account_of(source), Inside(source.path)
    for config in _configs(account.attributes)[0].values():
        yield from observe_config(config, inside)
    yield from observe_hdf5(source, account, inside)


def _configs(attributes: dict[str, Attribute]) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for key in CONFIGS:
        if (text := text_of(attributes.get(key))) is None:
            continue
        if len(text) > MOST_JSON:
            detail = Saying("error.too_long", what=key, length=len(text), most=MOST_JSON)
            problems.append(Problem(kind="over-budget", detail=detail, offset=attributes[key].offset))
            continue
        try:
            found[key] = decode(text.encode("utf-8", "surrogatepass"), path=key)[0]
        except FormatError as error:
            problems.append(Problem(kind="malformed", detail=error.saying, offset=attributes[key].offset))
    return found, tuple(problems)


def _lists(account: Account) -> dict[str, Meta]:
    """The names of the layers that have weights, in the model's order; how many datasets are the optimizer's."""
    attributes = account.attributes
    for one in account.contents.objects:
        if one.path == "model_weights":
            attributes = whole_attributes(account.file, one.messages)[0]
    names = names_in(attributes, "layer_names")
    lists: dict[str, Meta] = {}
    if names:
        short = len(names) <= SHORT
        lists["layer_names"] = names if short else LongArray(type="STRING", count=len(names), first=names[:SHORT])
    optimizer = sum(is_of_optimizer(dataset.name) for dataset in account.contents.datasets)
    if optimizer:
        lists["num_optimizer_tensors"] = optimizer
    return lists


FORMAT = Format(
    name="keras-h5",
    suffixes=(".h5", ".hdf5", ".keras", ".weights.h5"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("packed_chunks",),
)
