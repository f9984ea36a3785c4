"""Samples that many tests share, written once a run by the same lines that `make try` uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tools.make_samples import write

os.environ.setdefault("HF_HUB_OFFLINE", "1")


# No test of ours asserts on time; on a busy machine the first example may take seconds.
settings.register_profile("weigh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("weigh")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the golden files anew")


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small model files."""
    root = tmp_path_factory.mktemp("samples")
    write(root)
    return root
