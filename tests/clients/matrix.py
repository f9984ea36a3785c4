"""What each client did in each scenario: the tests hold it, the docs print it."""

from __future__ import annotations

from typing import NamedTuple

# Side by side in the docs, ours first in each.
CLIENTS = (
    ("weigh pull", "hf 2.4", "hf 0.36", "transformers", "llama.cpp"),
    ("weigh pull", "modelscope 1.40", "modelscope 1.37", "curl", "aria2"),
)


class Row(NamedTuple):
    """`is_heavy`: it takes seconds, or a client that a stack of its own brings."""

    client: str
    scenario: str
    outcome: str
    is_heavy: bool


def rows() -> tuple[Row, ...]:
    """In the order of the table."""
    return tuple(_row(line) for line in MATRIX.strip().splitlines())


def _row(line: str) -> Row:
    client, scenario, outcome, *more = (cell.strip() for cell in line.split("|"))
    return Row(client, scenario, outcome, more == ["heavy"])


MATRIX = """
weigh pull      | kill                  | once
hf 2.4          | kill                  | litters | heavy
hf 0.36         | kill                  | partly  | heavy
transformers    | kill                  | litters | heavy
modelscope 1.40 | kill                  | once    | heavy
modelscope 1.37 | kill                  | once    | heavy
curl            | kill                  | once
aria2           | kill                  | anew
llama.cpp       | kill                  | once
weigh pull      | workers-killed        | once
hf 2.4          | workers-killed        | partly  | heavy
hf 0.36         | workers-killed        | keeps   | heavy
transformers    | workers-killed        | partly  | heavy
modelscope 1.40 | workers-killed        | once    | heavy
modelscope 1.37 | workers-killed        | once    | heavy
curl            | workers-killed        | anew    | heavy
aria2           | workers-killed        | once    | heavy
llama.cpp       | workers-killed        | once    | heavy
weigh pull      | drop-once             | once
hf 2.4          | drop-once             | partly
hf 0.36         | drop-once             | keeps   | heavy
transformers    | drop-once             | partly  | heavy
modelscope 1.40 | drop-once             | once    | heavy
modelscope 1.37 | drop-once             | once    | heavy
curl            | drop-once             | anew
aria2           | drop-once             | once
llama.cpp       | drop-once             | once
weigh pull      | drop-always           | once
hf 2.4          | drop-always           | loses   | heavy
hf 0.36         | drop-always           | loses   | heavy
transformers    | drop-always           | loses   | heavy
modelscope 1.40 | drop-always           | once    | heavy
modelscope 1.37 | drop-always           | once    | heavy
curl            | drop-always           | part    | heavy
aria2           | drop-always           | once    | heavy
llama.cpp       | drop-always           | once    | heavy
weigh pull      | no-ranges             | once    | heavy
hf 2.4          | no-ranges             | once    | heavy
hf 0.36         | no-ranges             | once    | heavy
transformers    | no-ranges             | once    | heavy
modelscope 1.40 | no-ranges             | once    | heavy
modelscope 1.37 | no-ranges             | once    | heavy
curl            | no-ranges             | once
aria2           | no-ranges             | once    | heavy
llama.cpp       | no-ranges             | once    | heavy
weigh pull      | no-ranges-drop-once   | anew    | heavy
hf 2.4          | no-ranges-drop-once   | anew    | heavy
hf 0.36         | no-ranges-drop-once   | keeps   | heavy
transformers    | no-ranges-drop-once   | anew    | heavy
modelscope 1.40 | no-ranges-drop-once   | anew    | heavy
modelscope 1.37 | no-ranges-drop-once   | anew    | heavy
curl            | no-ranges-drop-once   | anew    | heavy
aria2           | no-ranges-drop-once   | part    | heavy
llama.cpp       | no-ranges-drop-once   | keeps   | heavy
weigh pull      | no-ranges-drop-always | keeps   | heavy
hf 2.4          | no-ranges-drop-always | loops   | heavy
hf 0.36         | no-ranges-drop-always | keeps   | heavy
transformers    | no-ranges-drop-always | loops   | heavy
modelscope 1.40 | no-ranges-drop-always | keeps   | heavy
modelscope 1.37 | no-ranges-drop-always | loses   | heavy
curl            | no-ranges-drop-always | part    | heavy
aria2           | no-ranges-drop-always | part    | heavy
llama.cpp       | no-ranges-drop-always | keeps   | heavy
weigh pull      | flip-once             | partly
hf 2.4          | flip-once             | wrong
hf 0.36         | flip-once             | wrong   | heavy
transformers    | flip-once             | wrong   | heavy
modelscope 1.40 | flip-once             | anew    | heavy
modelscope 1.37 | flip-once             | anew    | heavy
curl            | flip-once             | wrong
aria2           | flip-once             | wrong
llama.cpp       | flip-once             | wrong
weigh pull      | flip-always           | refuses
hf 2.4          | flip-always           | wrong   | heavy
hf 0.36         | flip-always           | wrong   | heavy
transformers    | flip-always           | wrong   | heavy
modelscope 1.40 | flip-always           | refuses | heavy
modelscope 1.37 | flip-always           | refuses | heavy
curl            | flip-always           | wrong   | heavy
aria2           | flip-always           | wrong   | heavy
llama.cpp       | flip-always           | wrong   | heavy
weigh pull      | flip-small            | anew
hf 2.4          | flip-small            | wrong   | heavy
hf 0.36         | flip-small            | wrong   | heavy
transformers    | flip-small            | wrong   | heavy
modelscope 1.40 | flip-small            | anew    | heavy
modelscope 1.37 | flip-small            | anew    | heavy
curl            | flip-small            | wrong
aria2           | flip-small            | wrong   | heavy
weigh pull      | busy-once             | once
hf 2.4          | busy-once             | once    | heavy
hf 0.36         | busy-once             | ends    | heavy
transformers    | busy-once             | once    | heavy
modelscope 1.40 | busy-once             | once    | heavy
modelscope 1.37 | busy-once             | once    | heavy
curl            | busy-once             | once    | heavy
aria2           | busy-once             | ends
llama.cpp       | busy-once             | once    | heavy
weigh pull      | busy-always           | ends
hf 2.4          | busy-always           | ends    | heavy
hf 0.36         | busy-always           | ends    | heavy
transformers    | busy-always           | ends    | heavy
modelscope 1.40 | busy-always           | ends    | heavy
modelscope 1.37 | busy-always           | ends    | heavy
curl            | busy-always           | ends    | heavy
aria2           | busy-always           | ends    | heavy
llama.cpp       | busy-always           | ends    | heavy
weigh pull      | xet                   | once    | heavy
hf 2.4          | xet                   | hangs   | heavy
hf 0.36         | xet                   | hangs   | heavy
transformers    | xet                   | hangs   | heavy
modelscope 1.40 | xet                   | once    | heavy
modelscope 1.37 | xet                   | once    | heavy
curl            | xet                   | once
aria2           | xet                   | once    | heavy
llama.cpp       | xet                   | once
weigh pull      | dead                  | told    | heavy
hf 2.4          | dead                  | told    | heavy
hf 0.36         | dead                  | told    | heavy
transformers    | dead                  | told    | heavy
modelscope 1.40 | dead                  | told    | heavy
modelscope 1.37 | dead                  | told    | heavy
curl            | dead                  | told    | heavy
aria2           | dead                  | told    | heavy
llama.cpp       | dead                  | told    | heavy
weigh pull      | dead-cached           | cached  | heavy
hf 2.4          | dead-cached           | cached  | heavy
hf 0.36         | dead-cached           | cached  | heavy
transformers    | dead-cached           | cached  | heavy
modelscope 1.40 | dead-cached           | fails   | heavy
modelscope 1.37 | dead-cached           | fails   | heavy
curl            | dead-cached           | fails   | heavy
aria2           | dead-cached           | fails   | heavy
llama.cpp       | dead-cached           | cached
weigh pull      | no-token              | told    | heavy
hf 2.4          | no-token              | told    | heavy
hf 0.36         | no-token              | told    | heavy
transformers    | no-token              | told    | heavy
modelscope 1.40 | no-token              | told    | heavy
modelscope 1.37 | no-token              | told    | heavy
curl            | no-token              | mute    | heavy
aria2           | no-token              | mute    | heavy
llama.cpp       | no-token              | told
weigh pull      | gated                 | told
hf 2.4          | gated                 | told
hf 0.36         | gated                 | told    | heavy
transformers    | gated                 | told    | heavy
modelscope 1.40 | gated                 | told    | heavy
modelscope 1.37 | gated                 | mute    | heavy
curl            | gated                 | mute    | heavy
aria2           | gated                 | mute    | heavy
llama.cpp       | gated                 | told
weigh pull      | held                  | told
hf 2.4          | held                  | told
hf 0.36         | held                  | told    | heavy
transformers    | held                  | told    | heavy
modelscope 1.40 | held                  | told    | heavy
modelscope 1.37 | held                  | told    | heavy
curl            | held                  | mute    | heavy
aria2           | held                  | mute
llama.cpp       | held                  | told
"""
