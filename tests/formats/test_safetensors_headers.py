"""The quick way through an ordinary header and the careful way through any say the same."""

from __future__ import annotations

import struct

import pytest

from weigh.core.errors import FormatError
from weigh.core.header import Header
from weigh.formats import safetensors
from weigh.sources.memory import MemorySource

ROW = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
HEADERS = f"""
{{"w":{ROW}}}
{{}}
{{"__metadata__":{{"format":"pt"}},"w":{ROW}}}
{{"w":{ROW},"__metadata__":{{}}}}
{{"__metadata__":null,"w":{ROW}}}
{{"__metadata__":{{"format":3}},"w":{ROW}}}
{{"__metadata__":{{"a":"1","a":"2"}},"w":{ROW}}}
{{"__metadata__":{{"a":"1"}},"__metadata__":{{"a":"2"}},"w":{ROW}}}
{{"w":{ROW},"w":{ROW}}}
{{"w":{ROW},"\\u0077":{ROW}}}
{{"dtype":{ROW}}}
{{"a \\"shape\\" in a name":{ROW}}}
{{"w":null}}
{{"w":[]}}
{{"w":{{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}}}
{{"w":{{"d\\u0074ype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}}}
{{"w":{{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}}}
{{"w":{{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}}}
{{"w":{{"dtype":"F32","shape":[true,2],"data_offsets":[0,8]}}}}
{{"w":{{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}}}}
{{"w":{{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}}}}
{{"w":{{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}}}
{{"w":{{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}}}
{{"w":{{"dtype":"Q4_K","shape":[2],"data_offsets":[0,8]}}}}
{{"w":{{"dtype":"QI8","shape":[8],"data_offsets":[0,8]}}}}
{{"w":{{"dtype":"STRING","shape":[0],"data_offsets":[0,8]}}}}
{{"w":{{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}}}
{{"w":{{"dtype":"F32","data_offsets":[0,8]}}}}
[{ROW}]
"w"
"""


def read(text: str) -> Header | str:
    data = text.encode()
    try:
        return safetensors.read(MemorySource(struct.pack("<Q", len(data)) + data + bytes(8), path="file"))
    except FormatError as error:
        return f"{type(error).__name__} {error}"


@pytest.mark.parametrize("text", HEADERS.strip().splitlines())
def test_both_ways_through_a_header_agree(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = read(text)
    monkeypatch.setattr(safetensors, "_rows", lambda data, *, path: None)
    assert quick == read(text)


def test_an_ordinary_header_goes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safetensors, "decode", None)
    assert isinstance(read(f'{{"w":{ROW}}}'), Header)
