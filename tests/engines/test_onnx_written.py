"""Texts by ONNX decoders: token for token what transformers writes, with a cache and without."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.engines.asking import run, said
from tests.tiny import made
from tools.tiny import onnx_decoders, text
from weigh.core.engine import Failed
from weigh.core.work import Chat, Complete, Delta, Done, Fault, Job, Message, Piece, Sampling, Tool, ToolCall
from weigh.engines.drawing import chances, drawn, settled
from weigh.engines.onnx_steps import Graph, Steps
from weigh.engines.onnxruntime import _session
from weigh.engines.prompts import templated
from weigh.engines.repository import signs_of, template_of

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves
KINDS = ("uncached", "cached", "split", "merged")


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "text", text.write)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, learnt: Path) -> Path:
    return made(tmp_path_factory, "onnx_decoders", functools.partial(onnx_decoders.write, text=learnt))


@pytest.fixture(scope="module")
def model(learnt: Path) -> Any:
    import transformers

    return transformers.AutoModelForCausalLM.from_pretrained(learnt / "repository")


def user(words: str) -> tuple[Message, ...]:
    return (Message(role="user", pieces=(Piece(text=words),)),)


def graphs(folder: Path) -> tuple[Graph, ...]:
    from weigh.core.engine import Launch

    launch = Launch(engine="onnxruntime", path=str(folder), works=("complete",), format="onnx")
    return tuple(Graph(_session(str(path), launch)) for path in sorted((folder / "onnx").iterdir()))


@pytest.mark.parametrize("kind", KINDS)
def test_logits_after_each_token_are_the_library_s(folder: Path, model: Any, kind: str) -> None:
    import torch

    ids = list(range(5, 25))
    with torch.inference_mode():
        own = model(torch.tensor([ids])).logits[0].numpy()
    steps = Steps(*graphs(folder / kind))
    found = [steps.read(ids[:7]), *(steps.read([id]) for id in ids[7:])]
    assert numpy.allclose(found, own[6:], atol=1e-4)


@pytest.mark.parametrize("prompt", ["The scales", "过秤", "say how", "weigh weigh weigh"])
@pytest.mark.parametrize("kind", ["uncached", "cached"])
def test_a_greedy_text_is_the_library_s_token_for_token(
    folder: Path, learnt: Path, model: Any, kind: str, prompt: str
) -> None:
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(learnt / "repository")
    ids = tokenizer(prompt, return_tensors="pt")
    own = model.generate(**ids, do_sample=False, max_new_tokens=40)[0, ids["input_ids"].shape[1] :].tolist()
    events = run(folder / kind, Complete(prompt=prompt, sampling=Sampling(max_tokens=40, top_logprobs=0)))
    told = [
        json.loads(one.logprobs)["content"][0]["token"] for one in events if isinstance(one, Delta) and one.logprobs
    ]
    assert told == [tokenizer.decode([id]) for id in own]
    assert said(events) == tokenizer.decode(own, skip_special_tokens=True)


def test_a_graph_without_presents_beside_it_reads_the_whole_again(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "split", tmp_path / "half")
    (tmp_path / "half" / "onnx" / "decoder_with_past_model.onnx").unlink()
    events = run(tmp_path / "half", Complete(prompt=text.PROMPT))
    assert text.PROMPT + said(events) == text.TEXT


def test_an_export_of_today_says_it_too(learnt: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="torch's exporter of today wants onnxscript")
    onnx_decoders.write_by_dynamo(tmp_path, text=learnt)
    assert text.PROMPT + said(run(tmp_path / "cached", Complete(prompt=text.PROMPT))) == text.TEXT


def test_a_chat_ends_at_any_of_the_tokens_that_the_settings_name(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "cached", tmp_path / "ends")
    (tmp_path / "ends" / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 301]}))
    events = run(tmp_path / "ends", Chat(messages=user("weigh")))
    assert said(events) == "The scales of" and isinstance(events[-1], Done) and events[-1].finish_reason == "stop"


def test_a_text_may_be_echoed_stopped_and_cut_short(folder: Path) -> None:
    stopped = run(folder / "cached", Complete(prompt=text.PROMPT, echo=True, sampling=Sampling(stop=(" put",))))
    assert said(stopped) == "The scales of Libra weigh what is"
    cut = run(folder / "cached", Complete(prompt=text.PROMPT, sampling=Sampling(max_tokens=2)))
    assert said(cut) == " Libra" and isinstance(cut[-1], Done) and cut[-1].finish_reason == "length"


def test_a_model_draws_by_chance_where_its_settings_say_so(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "cached", tmp_path / "chance")
    own = {"do_sample": True, "temperature": 9.0, "top_k": 0, "eos_token_id": 2}
    (tmp_path / "chance" / "generation_config.json").write_text(json.dumps(own))
    jobs = [Complete(prompt=text.PROMPT, sampling=Sampling(max_tokens=9, seed=seed)) for seed in (1, 1, 2)]
    once, again, other = (said(run(tmp_path / "chance", job)) for job in jobs)
    assert once == again != other
    greedy = Complete(prompt=text.PROMPT, sampling=Sampling(temperature=0))
    assert text.PROMPT + said(run(tmp_path / "chance", greedy)) == text.TEXT


@pytest.mark.parametrize(
    ("job", "kind"),
    [
        (Complete(prompt="weigh " * 400), "context_overflow"),
        (Complete(prompt="weigh", suffix="x"), "unsupported"),
        (Complete(prompt="weigh", schema="{}"), "unsupported"),
        (Chat(messages=(Message(role="user", pieces=(Piece(image=b"x"),)),)), "unsupported"),
    ],
)
def test_what_it_cannot_take_is_said(folder: Path, job: Job, kind: str) -> None:
    last = run(folder / "cached", job)[-1]
    assert isinstance(last, Fault) and last.kind == kind


def test_a_graph_that_wants_something_else_is_named(folder: Path) -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

    class Session:
        def get_inputs(self) -> list[Named]:
            return [Named("input_ids"), Named("encoder_hidden_states")]

        def get_outputs(self) -> list[Named]:
            return [Named("logits")]

    with pytest.raises(Failed) as caught:
        Graph(Session())
    assert caught.value.fault.detail == "its graph wants encoder_hidden_states"


TOOLS = (Tool(name="weather", description="how it is", parameters='{"type": "object", "properties": {}}'),)
TEMPLATES = {
    "plain": text.TEMPLATE,
    "signs": "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m['content'] | trim }}{{ eos_token }}{% endfor %}",
    "tools": "{%- if tools %}\n    {{- tools | tojson(indent=2) }}\n{%- endif %}\n{{ messages[0].content }} ünï",
    "calls": "{% for m in messages %}{% if m.tool_calls %}{{ m.tool_calls[0].function.arguments | tojson }}{% endif %}{% endfor %}",
    "thinks": "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}{{ messages | length }}",
    "breaks": "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
    "generation": "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}",
    "space": "{% set ns = namespace(n=0) %}\n  {% for m in messages %}\n  {% set ns.n = ns.n + 1 %}\n{{ ns.n }}\n  {% endfor %}\nend",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_rendered_as_transformers_renders_it(learnt: Path, tmp_path: Path, name: str) -> None:
    import transformers

    shutil.copytree(learnt / "repository", tmp_path / "of", ignore=shutil.ignore_patterns("*.safetensors"))
    (tmp_path / "of" / "chat_template.jinja").write_text(TEMPLATES[name], "utf-8")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "of", bos_token="<|im_start|>")
    call = ToolCall(id="c", name="weather", arguments='{"city": "Zürich"}')
    job = Chat(
        messages=(*user("how heavy "), Message(role="assistant", tool_calls=(call,))), tools=TOOLS, thinking=False
    )
    turns = [
        {"role": "user", "content": "how heavy "},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"city": "Zürich"}}}],
        },
    ]
    declared = {"name": "weather", "description": "how it is", "parameters": {"type": "object", "properties": {}}}
    own = tokenizer.apply_chat_template(
        turns,
        tools=[{"type": "function", "function": declared}],
        add_generation_prompt=True,
        tokenize=False,
        enable_thinking=False,
    )
    signs = signs_of(str(tmp_path / "of")) | {"bos_token": "<|im_start|>"}
    assert templated(job, template_of(str(tmp_path / "of")), signs) == own


@pytest.mark.parametrize(
    ("template", "said_of_it"),
    [
        (None, "no chat template"),
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{{ messages.__class__.__mro__ }}", "unsafe"),
        ("{% for %}", "its chat template"),
    ],
)
def test_a_template_that_will_not_have_it_is_told(template: str | None, said_of_it: str) -> None:
    with pytest.raises(Failed) as caught:
        templated(Chat(messages=user("x")), template, {})
    assert caught.value.fault.kind == "bad_input" and said_of_it in caught.value.fault.detail


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0.7),
        Sampling(temperature=1.3, top_k=7, top_p=0.8),
        Sampling(temperature=0.9, top_k=40, top_p=0.95, min_p=0.05),
        Sampling(temperature=1.0, top_p=1e-6),
    ],
)
def test_chances_are_those_of_the_library_s_warpers(sampling: Sampling) -> None:
    import torch
    from transformers import MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    logits = numpy.random.default_rng(0).normal(0, 3, 100)
    scores = TemperatureLogitsWarper(sampling.temperature or 1)(None, torch.from_numpy(logits)[None])
    for kind, asked in (
        (TopKLogitsWarper, sampling.top_k), (TopPLogitsWarper, sampling.top_p), (MinPLogitsWarper, sampling.min_p),
    ):  # fmt: skip
        scores = kind(asked)(None, scores) if asked else scores
    order, shares = chances(logits, sampling)
    found = numpy.zeros(100)
    found[order] = shares
    assert numpy.allclose(found, scores.softmax(-1)[0].numpy(), atol=1e-9)


def test_what_was_said_before_is_less_likely() -> None:
    import torch
    from transformers import RepetitionPenaltyLogitsProcessor

    logits = numpy.array([2.0, 1.9, 1.8, -1.0])
    twice = settled(Sampling(), {"repetition_penalty": 1.2})
    own = RepetitionPenaltyLogitsProcessor(1.2)(torch.tensor([[0, 3]]), torch.from_numpy(logits)[None])
    assert drawn(logits, twice, None, [0], [3]) == int(own.argmax()) == 1
    once = settled(Sampling(temperature=0, presence_penalty=0.3, frequency_penalty=0.1), {})
    assert drawn(logits, once, None, [0], [1]) == 0
    assert drawn(logits, once, None, [], [0, 1]) == 2
