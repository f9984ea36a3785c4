"""Arrays of objects in joblib's files: honest ones are quiet, and a plain loader's view of them is looked at as well."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np

from weigh.app.weigh import weigh

OBJECTS = np.array([None, "a", {"b": 1}], dtype=object)
NAMES = (
    b"\x8c\x01a\x94\x8c\x01b\x94\x8c\x01c\x94h\x01h\x02\x93."  # b.c to joblib; to a plain loader what it kept itself
)


def written(value: object, folder: Path) -> Path:
    joblib.dump(value, folder / "x.joblib")
    return folder / "x.joblib"


def test_arrays_of_objects_among_other_things_are_clean(tmp_path: Path) -> None:
    path = written({"weights": OBJECTS, "more": [OBJECTS.copy(), np.ones(3)], "last": "x"}, tmp_path)
    assert weigh(str(path)).verdict == "clean"


def test_what_only_a_plain_loader_would_name_is_found(tmp_path: Path) -> None:
    path = written(["posix", "system", OBJECTS], tmp_path)
    head = path.read_bytes().partition(b"numpy_array_alignment_bytes")
    start = head[2].index(b"ub\x80") + 2
    path.write_bytes(head[0] + head[1] + head[2][:start] + b"\x80\x04" + NAMES)
    report = weigh(str(path))
    assert report.verdict == "malicious"
    assert "posix.system" in {finding.detail.values.get("name") for finding in report.findings}
