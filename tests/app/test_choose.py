"""A need in words gets models that do it and run there, in both languages, and nonsense gets nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weigh.app.choose import MOST_CHOICES, choose
from weigh.app.need import Asked, understand
from weigh.core.errors import BadReference
from weigh.fit.choice import Chosen
from weigh.fit.devices import device
from weigh.fit.mentions import mentioned
from weigh.knowledge.aptitudes import aptitudes
from weigh.knowledge.catalog import families, kinds, licences, tasks
from weigh.knowledge.measured import Measured, Pace
from weigh.knowledge.needs import needs
from weigh.knowledge.takings import givings, pipelines, takings

CASES = Path(__file__).parents[1] / "cases"
LANGUAGES = {"en": 0, "zh": 1}
USUAL = "RTX 4090"


class Scenario(NamedTuple):
    needs: tuple[str, str]
    kinds: list[list[str]]
    acceptable: dict[str, list[str]]


def lines(name: str) -> list[str]:
    return [line for line in (CASES / name).read_text("utf-8").splitlines() if line and not line.startswith("#")]


def scenarios(name: str) -> Iterator[Scenario]:
    for line in lines(name):
        en, zh, steps, sets, why = line.split(" | ")
        assert why
        acceptable = dict(part.split(":") for part in sets.split())
        yield Scenario(
            (en, zh),
            [step.split("/") for step in steps.split()],
            {kind: names.replace("+", "").split(",") for kind, names in acceptable.items()},
        )


FORTY, TWENTY = list(scenarios("choose_scenarios.txt")), list(scenarios("choose_held_out.txt"))
ASKED = [
    (language, scenario, scenario.needs[number])
    for scenario in (*FORTY, *TWENTY)
    for language, number in LANGUAGES.items()
]


def chosen(need: str, asked: Asked | None = None, **more: int) -> Chosen:
    """On the device that the need or the options name, else on the usual one."""
    understood = understand(need, asked or Asked())
    if understood.is_nothing or understood.device:
        return choose(need, asked, **more)
    fields = {name: getattr(asked or Asked(), name) for name in Asked.__struct_fields__}
    return choose(need, Asked(**fields | {"device": USUAL}), **more)


def test_there_are_forty_scenarios_and_twenty_held_out() -> None:
    assert (len(FORTY), len(TWENTY)) == (40, 20)
    assert all(en.isascii() and not zh.isascii() for (en, zh), _, _ in (*FORTY, *TWENTY))


@pytest.mark.parametrize(("language", "scenario", "need"), ASKED, ids=[need for _, _, need in ASKED])
def test_what_is_chosen_is_acceptable(language: str, scenario: Scenario, need: str) -> None:
    found = chosen(need)
    assert len(found.kinds) == len(scenario.kinds)
    assert all(step.kind in allowed for step, allowed in zip(found.kinds, scenario.kinds, strict=True))
    for step in found.kinds:
        names = scenario.acceptable.get("*") or scenario.acceptable[step.kind]
        acceptable = {name.removesuffix("(en)") for name in names if language == "en" or not name.endswith("(en)")}
        families_chosen = [choice.family for choice in found.choices if choice.task == step.task]
        assert families_chosen and set(families_chosen) <= acceptable


@pytest.mark.parametrize(("language", "scenario", "need"), ASKED, ids=[need for _, _, need in ASKED])
def test_what_is_chosen_runs_there_has_weights_and_says_when_it_is_superseded(
    language: str, scenario: Scenario, need: str
) -> None:
    for choice in chosen(need, limit=MOST_CHOICES).choices:
        family = families()[choice.family]
        assert choice.fit.verdict != "no"
        assert family.weights == "open"
        is_said = any(one.key.startswith("choose.superseded") for one in choice.why)
        assert is_said == (family.status != "current")
        assert choice.repo_ids.hf and choice.commands[0].startswith("weigh pull hf:")


@pytest.mark.parametrize("need", lines("choose_nonsense.txt"))
def test_nonsense_gets_nothing(need: str) -> None:
    found = choose(need)
    assert (found.kinds, found.choices, found.excluded) == ((), (), ())


@pytest.mark.parametrize("need", lines("choose_nonsense.txt"))
def test_a_device_makes_no_sense_of_nonsense(need: str) -> None:
    assert choose(need, Asked(device="4090", language="zh")).choices == ()


def test_a_device_alone_is_a_need() -> None:
    assert choose("4090").choices and choose(asked=Asked(device="4090")).choices


def test_there_are_twenty_kinds_of_nonsense() -> None:
    assert len(set(lines("choose_nonsense.txt"))) == 20


UNDERSTOOD = """
4090 24G 上的本地编程助手          task=code device=4090_24g language=zh
a 24GB 4090 for coding             task=code device=24gb_4090
两张 3090 训练 LoRA                train=lora device=2x_3090 language=zh
OCR on two H100s                   task=ocr device=2x_h100
8G 显存聊天                        task=chat-assistant device=GeForce_RTX_4060_8GB language=zh
chat on a card with 24 GB          task=chat-assistant device=GeForce_RTX_3090_24GB
chat with 32 GB of RAM             task=chat-assistant device=Desktop_DDR5-5600_32GB
summarise 128k tokens              task=text-generation context=128000
总结 20 万字的小说                 context=200000 task=text-generation language=zh
7B 以下的翻译模型，可商用          task=translation max_size=7 licence=commercial language=zh
reranker from ModelScope           task=reranking hub=ms
fastest speech to text, MIT licence  prefer=speed task=speech-recognition licence=mit
给视频生成背景音乐                 task=audio-generation language=zh
ＯＣＲ　发票                       task=ocr language=zh
翻译成英语和日语                   task=translation language=en language=ja
"""
READ = [line.rsplit("  ", 1) for line in UNDERSTOOD.strip().splitlines()]


@pytest.mark.parametrize(("need", "parts"), READ, ids=[need for need, _ in READ])
def test_a_need_is_understood(need: str, parts: str) -> None:
    heard = {(one.what, one.value.replace(" ", "_")) for one in understand(need.strip(), Asked()).heard}
    assert heard >= {tuple(part.split("=")) for part in parts.split()}


def test_what_is_understood_says_how_it_is_known() -> None:
    heard = {one.what: one for one in chosen("会议录音转文字", Asked(licence="commercial")).need}
    assert (heard["task"].origin, heard["task"].words) == ("words", "会议录音转文字")
    assert (heard["language"].origin, heard["licence"].origin) == ("script", "option")


def test_options_go_before_words() -> None:
    found = choose("coding on a 4090", Asked(task="ocr", device="3090"))
    assert [step.task for step in found.kinds] == ["ocr"]
    assert {choice.fit.device for choice in found.choices} == {"GeForce RTX 3090"}


def test_options_alone_are_a_need() -> None:
    found = choose(asked=Asked(task="写代码", device="4090", language="中文", licence="apache-2.0"))
    assert found.choices and {choice.licence.id for choice in found.choices} == {"apache-2.0"}


@pytest.mark.parametrize("need", ["text to image", "chat", "OCR", "embedding", "translate", "code"])
def test_a_licence_class_that_was_asked_for_is_kept(need: str) -> None:
    for choice in chosen(need, Asked(licence="commercial"), limit=MOST_CHOICES).choices:
        assert choice.licence.id is not None and licences()[choice.licence.id].commercial == "yes"


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        (
            Asked(hub="ms"),
            lambda choice: choice.id.startswith("ms:") and choice.commands[0].startswith("weigh pull ms:"),
        ),
        (Asked(max_size_b=4), lambda choice: float(choice.size.partition("B")[0]) <= 4.4),
        (Asked(context_length=200_000), lambda choice: choice.fit.context_length == 200_000),
        (Asked(engine="vllm"), lambda choice: choice.fit.engine == "vllm"),
        (Asked(engine="ollama"), lambda choice: choice.fit.engine == "ollama"),
        (Asked(kind="llm"), lambda choice: choice.kind == "llm"),
    ],
    ids=["hub", "size", "context", "vllm", "ollama", "kind"],
)
def test_an_option_holds_for_every_choice(asked: Asked, holds: object) -> None:
    found = chosen("chat", asked, limit=MOST_CHOICES)
    assert found.choices and callable(holds) and all(holds(choice) for choice in found.choices)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (Asked(task="frobnicate"), "choose.task"),
        (Asked(kind="frobnicate"), "choose.kind"),
        (Asked(licence="frobnicate"), "catalog.licence"),
        (Asked(engine="frobnicate"), "fit.engine"),
        (Asked(task="code", device="frobnicate"), "device.unknown"),
    ],
)
def test_an_option_that_nobody_knows_is_refused(asked: Asked, key: str) -> None:
    with pytest.raises(BadReference, match=key.replace(".", r"\.")):
        choose("", asked)


def test_no_more_is_given_than_asked_for() -> None:
    assert len(chosen("chat", limit=1).choices) == 1
    with pytest.raises(BadReference):
        choose("chat", limit=0)


def test_what_is_published_packed_is_not_packed_again() -> None:
    first = choose("agents on 8x H200").choices[0]
    assert (first.name, first.quantisation, first.file) == ("GLM-5.3", "FP8", "*.safetensors")
    assert not any("convert" in command for command in first.commands)


def test_what_llamacpp_loads_is_made_first() -> None:
    first = choose("coding on a 4090").choices[0]
    _, convert, run, server = first.commands
    assert convert.split()[:2] == ["weigh", "convert"] and all(first.file in one for one in (convert, run, server))


def test_what_is_left_out_is_counted() -> None:
    left = {one.reason: one.count for one in chosen("chat", Asked(device="Raspberry Pi 5 8GB")).excluded}
    assert left["closed"] > 10 and left["device"] > 20


def test_a_model_comes_once_a_family_and_the_best_first() -> None:
    found = chosen("chat", limit=MOST_CHOICES).choices
    scores = [choice.score for choice in found]
    assert scores == sorted(scores, reverse=True) and len({choice.family for choice in found}) == len(found)


MENTIONS = """
chat on rtx 5060 ti 16gb    rtx 5060 ti 16gb   GeForce RTX 5060 Ti 16GB  1
八张 h100 上                8x h100            H100 SXM                  8
双卡 3090                   2x 3090            GeForce RTX 3090          2
on 4x a100 80gb             4x a100 80gb       A100 SXM 80GB             4
m4 max 64gb 的电脑          m4 max 64gb        Apple M4 Max (40-core GPU)  1
on mi300x                   mi300x             Instinct MI300X           1
"""
TOLD = [[part.strip() for part in line.split("  ") if part.strip()] for line in MENTIONS.strip().splitlines()]


@pytest.mark.parametrize(("text", "said", "name", "count"), TOLD, ids=[row[0] for row in TOLD])
def test_a_device_is_found_in_a_sentence(text: str, said: str, name: str, count: str) -> None:
    found, rest = mentioned(text)
    assert found is not None and found.device == said
    meant = device(found.device)
    assert (meant.name, meant.count) == (name, int(count)) and len(rest) < len(text)


@pytest.mark.parametrize("text", ["a 7b model", "gpt-4 like", "200k tokens", "since 2024", "16gb", ""])
def test_what_is_no_device_is_none(text: str) -> None:
    assert mentioned(text) == (None, text)


@given(st.text(max_size=200))
def test_any_text_is_understood_somehow(text: str) -> None:
    understand(text, Asked())


def test_every_task_and_family_of_the_tables_is_known() -> None:
    assert {row.id for row in aptitudes()} <= families().keys()
    assert {task for row in aptitudes() for task in row.tasks} <= tasks().keys()
    assert {row.task for row in needs() if row.task} <= tasks().keys()
    assert {row.kind for row in needs() if row.kind} <= kinds().keys()
    assert {step for row in pipelines().values() for step in row.steps} <= tasks().keys()
    assert all(row.task in (None, *tasks()) for row in takings().values())
    given_licences = {one.licence for row in aptitudes() for one in row.models if one.licence}
    assert given_licences <= licences().keys()


def test_every_task_can_be_chosen_for() -> None:
    """The one that no family is good for is a pipeline of others."""
    able = {task for row in aptitudes() for task in row.tasks} | pipelines().keys()
    assert sorted(tasks().keys() - able) == []


def test_a_word_asks_for_one_thing() -> None:
    words = [word.casefold() for row in needs() for word in row.words]
    assert sorted({word for word in words if words.count(word) > 1}) == []


@pytest.mark.parametrize("name", [row.device for row in needs() if row.device])
def test_a_machine_of_no_name_is_one_of_the_table(name: str) -> None:
    assert device(f"{name} 16GB").memory


def test_a_model_that_stands_for_a_family_is_one_of_its_ids() -> None:
    known = families()
    assert [one.id for row in aptitudes() for one in row.models if one.id not in known[row.id].hf] == []


def given_to(task: str) -> list[str]:
    """What the command that is printed for a task gives to the model, its name left out."""
    found = chosen("", Asked(task=task), limit=1).choices
    runs = [shlex.split(command) for choice in found for command in choice.commands if command.startswith("weigh run")]
    return runs[0][3:] if runs else []


@pytest.mark.parametrize("task", sorted(givings()))
def test_a_command_that_is_printed_gives_the_model_what_its_task_takes(task: str) -> None:
    from weigh.cli.run import run

    arguments = given_to(task)
    context = run.make_context("run", ["model", *arguments])
    assert context.params["input_text"]
    assert (context.params["image"] is not None) is (task in ("image-editing", "ocr", "visual-question-answering"))
    assert bool(context.params["documents"]) is (task == "reranking")


@pytest.mark.parametrize("task", sorted(tasks().keys() - givings().keys() - pipelines().keys()))
def test_what_weigh_does_not_run_is_not_said_to_be_run(task: str) -> None:
    assert given_to(task) == []


def test_what_was_measured_here_sets_the_speed_of_a_choice_right() -> None:
    before = chosen("chat", limit=1).choices[0].fit
    assert before.speed is not None and before.speed.decode is not None
    typical = before.speed.decode.typical
    pace = Pace(predicted=typical, low=typical / 2, median=typical / 2, high=typical / 2)
    row = Measured(
        device=before.device, engine=before.engine, model="m", weights=before.memory.weights, day="2026-11-25", runs=3,
        decode=pace,
    )  # fmt: skip
    after = choose("chat", Asked(device=USUAL), limit=MOST_CHOICES, measured=(row,)).choices
    same = next(one.fit for one in after if one.fit.memory == before.memory)
    assert same.basis == f"measured.{before.basis}"
    assert same.speed is not None and same.speed.decode is not None
    assert same.speed.decode.typical == pytest.approx(typical / 2, rel=0.01)
