"""Devices as people write them."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weigh.core.errors import BadReference
from weigh.fit.devices import device
from weigh.knowledge.devices import devices

CASES = """
4090                      1 GeForce RTX 4090              24
RTX 4090 24G              1 GeForce RTX 4090              24
2x RTX 4090               2 GeForce RTX 4090              24
RTX 4090 x2               2 GeForce RTX 4090              24
8卡H800                    8 H800 SXM                      80
2x A100 80G               2 A100 SXM 80GB                 80
a100 40g                  1 A100 SXM 40GB                 40
NVIDIA A100-SXM4-80GB     1 A100 SXM 80GB                 80
NVIDIA GeForce RTX 4090   1 GeForce RTX 4090              24
H100                      1 H100 SXM                      80
M4 Max 64                 1 Apple M4 Max (40-core GPU)    64
M2 Ultra 192GB            1 Apple M2 Ultra (76-core GPU)  192
昇腾910B4                  1 Ascend 910B4 (Atlas 800I A2)  32
7900 XTX                  1 Radeon RX 7900 XTX            24
4070 ti super             1 GeForce RTX 4070 Ti SUPER     16
rtx4070ti                 1 GeForce RTX 4070 Ti           12
DGX Spark                 1 DGX Spark (GB10)              128
Strix Halo                1 Ryzen AI Max+ 395 (Radeon 8060S, Strix Halo) 128
4090x2                    2 GeForce RTX 4090              24
4090 * 2                  2 GeForce RTX 4090              24
dual RTX 3090             2 GeForce RTX 3090              24
两张4090                    2 GeForce RTX 4090              24
8 A100                    8 A100 SXM 80GB                 80
L40S x4                   4 L40S                          48
RTX 4090, RTX 4090        2 GeForce RTX 4090              24
7900xtx                   1 Radeon RX 7900 XTX            24
RTX 4090 mobile           1 GeForce RTX 4090 Laptop       16
4080笔记本                   1 GeForce RTX 4080 Laptop       12
RTX 4090D                 1 GeForce RTX 4090 D            24
2080Ti 22G                1 GeForce RTX 2080 Ti           22
A10G                      1 A10                           24
GB200                     1 GB200 (per GPU)               186
NVIDIA GH200 480GB        1 GH200 (H100 96GB HBM3)        96
MacBook Pro M3 Max 128GB  1 Apple M3 Max (40-core GPU)    128
M3 Max 36GB               1 Apple M3 Max (30-core GPU)    36
Mac mini M4 Pro 64GB      1 Apple M4 Pro (20-core GPU)    64
Ryzen AI Max+ 395 128GB   1 Ryzen AI Max+ 395 (Radeon 8060S, Strix Halo) 128
Jetson Orin 64GB          1 Jetson AGX Orin 64GB          64
AMD EPYC 7763 64-Core Processor  1 EPYC 7003 Milan (8ch DDR4-3200, per socket)  4096
"""


@pytest.mark.parametrize("line", CASES.strip().splitlines())
def test_a_device_is_found(line: str) -> None:
    written, rest = re.split(r"\s{2,}", line, maxsplit=1)
    meant = rest.split()
    found = device(written)
    assert (found.count, found.name, round(found.memory / 2**30)) == (
        int(meant[0]),
        " ".join(meant[1:-1]),
        int(meant[-1]),
    )


@pytest.mark.parametrize(
    "text", ["banana", "", "100", "0x 4090", "99999x 4090", "x" * 1000, "RTX 9090", "4090 999GB", "H100 + A100"]
)
def test_what_is_no_device_is_refused(text: str) -> None:
    with pytest.raises(BadReference):
        device(text)


def test_every_device_is_found_by_its_own_name() -> None:
    assert len(devices()) >= 170
    assert [row.name for row in devices() if device(row.name).name != row.name] == []


@given(st.text(max_size=60))
def test_any_text_is_a_device_or_refused(text: str) -> None:
    with contextlib.suppress(BadReference):
        assert device(text).budget >= 0
