"""OpenVINO: what the XML says, and XML made to harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from weigh.core.errors import FormatError
from weigh.formats import detect, openvino
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples" / "openvino"
HEAD = '<?xml version="1.0"?><net name="n" version="11"><layers>'
TAIL = "</layers></net>"


@pytest.mark.parametrize("name", ["small.xml", "old.xml"])
def test_version_and_inputs_are_those_of_the_library(name: str) -> None:
    said = json.loads((ROOT / f"{name}.json").read_text("utf-8"))
    header = openvino.read(MemorySource((ROOT / name).read_bytes(), path="model.dat"))
    assert (header.version, list(header.metadata["inputs"])) == (said["version"], said["inputs"])  # type: ignore[arg-type]


def test_constants_lie_in_the_file_beside_it_one_behind_another() -> None:
    tensors = openvino.read(MemorySource((ROOT / "small.xml").read_bytes(), path="x")).tensors
    assert {one.storage for one in tensors} == {".bin"}
    ends = {one.offset or 0: (one.offset or 0) + (one.nbytes or 0) for one in tensors}
    assert 0 in ends


def test_an_operator_of_no_set_of_openvinos_own_is_named_with_its_set() -> None:
    text = HEAD + '<layer id="0" name="a" type="Mine" version="extension"/>' + TAIL
    source = MemorySource(text.encode(), path="model.dat")
    assert detect(source).name == "openvino"
    assert [one.value for one in openvino.examine(source, openvino.read(source))] == ["extension.Mine"]


def test_a_constant_whose_bytes_do_not_fill_its_shape_is_a_problem() -> None:
    data = '<layer name="c" type="Const"><data element_type="f32" shape="2, 2" offset="0" size="8"/></layer>'
    header = openvino.read(MemorySource((HEAD + data + TAIL).encode(), path="x"))
    assert [one.detail.key for one in header.problems] == ["problem.span"]


CONSTANT = '<layer name="c" type="Const"><data element_type="f32" shape="{}" offset="{}" size="{}"/></layer>'
HOSTILE = {
    "a-document-type": '<net name="n" version="11"><layers>' + TAIL.replace("</net>", "") + "<!DOCTYPE a></net>",
    "no-end": HEAD,
    "elements-in-elements": HEAD + "<a>" * 100_000,
    "a-negative-dimension": HEAD + CONSTANT.format("-1", 0, 4) + TAIL,
    "dimensions-beyond-all": HEAD + CONSTANT.format(",".join(["9999999999"] * 4), 0, 4) + TAIL,
    "a-size-of-a-thousand-digits": HEAD + CONSTANT.format("1", 0, "9" * 1000) + TAIL,
    "an-unknown-encoding": HEAD.replace('"1.0"', '"1.0" encoding="klingon"') + TAIL,
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_xml_made_to_harm_is_refused(name: str) -> None:
    source = MemorySource(HOSTILE[name].encode(), path="model.dat")
    with pytest.raises(FormatError):
        openvino.read(source)


def test_entities_that_multiply_are_refused_before_they_do() -> None:
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + one)} "{f"&{chr(97 + one)};" * 10}">' for one in range(9)
    )
    text = f'<?xml version="1.0"?><!DOCTYPE net [{entities}]><net name="&j;" version="11"><layers/></net>'
    with pytest.raises(FormatError):
        openvino.read(MemorySource(text.encode(), path="x"))


@pytest.mark.parametrize(
    "text",
    [
        "<net>",
        "<network version='1'><layers>",
        "<?xml version='1.0'?><PMML version='4'/>",
        "< net version='1'><layers>",
    ],
)
def test_other_xml_is_not_claimed(text: str) -> None:
    assert not openvino.matches(MemorySource(text.encode(), path="x.xml"))
