"""What is hidden behind so many plain values that a pickle is followed the quick way."""

from __future__ import annotations

import pickle
from pathlib import Path

from weigh.app.weigh import weigh


def test_a_text_that_a_distribution_runs_is_read_in_long_pickles_too(tmp_path: Path) -> None:
    """Behind so many plain values that the quick way is taken."""
    state = {"_parse_arg_template": "raise SystemExit", "name": "norm"}
    made = b"cscipy.stats._continuous_distns\nnorm_gen\n)\x81" + pickle.dumps(state, 2)[2:-1] + b"b"
    rows = pickle.dumps([[number, str(number), 0.5] for number in range(20_000)], 2)[2:-1]
    path = tmp_path / "long.pkl"
    path.write_bytes(b"\x80\x02(" + rows + made + b"t.")
    assert weigh(str(path)).verdict == "malicious"
