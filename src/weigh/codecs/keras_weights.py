"""How Keras lays weights into HDF5: what tells such a file, its lists of names, its optimizer's part."""

from __future__ import annotations

import re
from collections.abc import Mapping

from weigh.codecs.hdf5 import Object, walk
from weigh.codecs.hdf5_account import texts_of
from weigh.codecs.hdf5_attributes import Attribute, whole_attributes
from weigh.codecs.hdf5_superblock import find_superblock, open_hdf5
from weigh.core.errors import FormatError
from weigh.core.source import Source

MOST_LOOKED_AT = 200
MOST_CHUNKS = 1000  # a list of names too long for one attribute goes on in names0, names1 ...

_SIGNS = frozenset({"model_config", "keras_version", "layer_names", "layer_names0", "nb_layers", "training_config"})
_VARIABLE = re.compile(r"(?:.*/)?vars/\d+")
_OPTIMIZER = re.compile(r"(?:optimizer_weights|optimizer|.*_optimizer)/")


def is_keras(source: Source) -> bool:
    """Attributes that Keras gives the root; or, since Keras 3, nothing but numbered variables below `vars`."""
    if find_superblock(source) is None:
        return False
    try:
        file = open_hdf5(source)
        objects = walk(file, most=MOST_LOOKED_AT).objects
        attributes = whole_attributes(file, objects[0].messages)[0]
    except FormatError:
        return False
    return not _SIGNS.isdisjoint(attributes) or _is_numbered(objects)


def _is_numbered(objects: tuple[Object, ...]) -> bool:
    datasets = [one.path for one in objects if one.kind == "dataset"]
    return bool(datasets) and all(_VARIABLE.fullmatch(path) for path in datasets)


def names_in(attributes: Mapping[str, Attribute], name: str) -> tuple[str, ...]:
    """The strings of an attribute, or of the chunks that it was cut into."""
    if name in attributes:
        return texts_of(attributes[name])
    found: list[str] = []
    for number in range(MOST_CHUNKS):
        if f"{name}{number}" not in attributes:
            break
        found += texts_of(attributes[f"{name}{number}"])
    return tuple(found)


def is_of_optimizer(path: str) -> bool:
    """Is this dataset the optimizer's and no weight of the model?"""
    return _OPTIMIZER.match(path) is not None
