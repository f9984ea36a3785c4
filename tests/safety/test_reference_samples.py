"""What reference libraries wrote is flagged at nothing high, but for what is odd in it or lacks its data on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from weigh.app.weigh import weigh

SAMPLES = Path(__file__).parents[1] / "samples"
ODD = """
hdf5/hides-a-pickle.h5
keras/torch-inside.keras
mxnet/small-symbol.json
onnx/external.onnx
openvino/old.xml
openvino/small.xml
tf-graphdef/nested.pb
"""
FILES = sorted(
    path
    for path in SAMPLES.rglob("*")
    if path.is_file() and not (path.suffix == ".json" and path.with_suffix("").exists())
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_reference_sample_is_flagged_only_for_what_is_odd_in_it(path: Path) -> None:
    found = [one.rule for one in weigh(str(path)).findings if one.severity in ("critical", "high")]
    assert bool(found) == (str(path.relative_to(SAMPLES)) in ODD.split())
