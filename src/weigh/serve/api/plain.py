"""The Open Inference Protocol's routes for plain models: arrays in, arrays out."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weigh.core.saying import Saying
from weigh.core.work import Array, Compute, Event, Tensors
from weigh.serve.api.doors import Door
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.tell import as_json

Json = dict[str, Any]
# The protocol's types by numpy's names, and the letters by which Python packs them; FP16 is a letter of struct alone.
# Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
_TYPES: Mapping[str, tuple[str, str]] = {
    "BOOL": ("bool", "b"),
    "INT8": ("int8", "b"),
    "INT16": ("int16", "h"),
    "INT32": ("int32", "i"),
    "INT64": ("int64", "q"),
    "UINT8": ("uint8", "B"),
    "UINT16": ("uint16", "H"),
    "UINT32": ("uint32", "I"),
    "UINT64": ("uint64", "Q"),
    "FP32": ("float32", "f"),
    "FP64": ("float64", "d"),
}
_NAMES = {name: (said, letter) for said, (name, letter) in _TYPES.items()}
Number = bool | int | float


class InferInput(msgspec.Struct, kw_only=True):
    """`data` row by row, flat or as lists of lists."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class InferRequest(msgspec.Struct, kw_only=True):
    """POST /v2/models/{name}/infer; `outputs` names those that are wanted, all of them without it."""

    inputs: list[InferInput]
    id: str | None = None
    outputs: list[dict[str, Any]] | None = None


def routes(serving: Serving) -> list[Route]:
    """Each with the server it belongs to."""

    async def infer(request: Request) -> Response:
        asked = await body_of(request, InferRequest, serving.settings.body_bytes)
        name = serving.name_of(request.path_params["name"])
        job = Compute(arrays=tuple(_array(given) for given in asked.inputs))
        said: Json = {"model_name": name, "outputs": _outputs(await serving.whole(request, name, job), asked.outputs)}
        return as_json(said if asked.id is None else {**said, "id": asked.id})

    return [Door("/v2/models/{name:path}/infer", infer, InferRequest)]


def _array(given: InferInput) -> Array:
    """Raises Refusal for a type that is none, or numbers that are not of it or not as many as the shape says."""
    if given.datatype not in _TYPES:
        raise _refused(f"{given.name}: {given.datatype} is none of {', '.join(_TYPES)}")
    dtype, letter = _TYPES[given.datatype]
    try:
        numbers = array(letter, _flat(given.data))
    except (TypeError, OverflowError) as error:
        raise _refused(f"{given.name}: {error}") from error
    number = 1
    for side in given.shape:
        number *= side
    if any(side < 0 for side in given.shape) or number != len(numbers):
        raise _refused(f"{given.name}: {len(numbers)} numbers for the shape {given.shape}")
    if sys.byteorder == "big":
        numbers.byteswap()
    return Array(name=given.name, dtype=dtype, shape=tuple(given.shape), data=numbers.tobytes())


def _flat(data: Sequence[Any]) -> Iterator[Number]:
    """Row by row, without recursion."""
    left: list[Iterator[Any]] = [iter(data)]
    while left:
        for one in left[-1]:
            if isinstance(one, list):
                left.append(iter(one))
                break
            yield one
        else:
            left.pop()


def _outputs(events: list[Event], wanted: list[dict[str, Any]] | None) -> list[Json]:
    names = {str(one.get("name")) for one in wanted} if wanted else None
    arrays = (one for event in events if isinstance(event, Tensors) for one in event.arrays)
    return [_told(one) for one in arrays if names is None or one.name in names]


def _told(one: Array) -> Json:
    """Raises Refusal for a type that the protocol cannot write as JSON."""
    if one.dtype not in _NAMES:
        raise Refusal(400, "unsupported", Saying("refusal.shape", problem=f"{one.name}: {one.dtype}"))
    datatype, letter = _NAMES[one.dtype]
    numbers = array(letter, one.data)
    if sys.byteorder == "big":
        numbers.byteswap()
    data = [bool(number) for number in numbers] if datatype == "BOOL" else numbers.tolist()
    return {"name": one.name, "datatype": datatype, "shape": one.shape, "data": data}


def _refused(problem: str) -> Refusal:
    return Refusal(400, "invalid_request", Saying("refusal.shape", problem=problem))
