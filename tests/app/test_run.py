"""From a path to a running model: what it is for, who runs it, and what is held back."""

from __future__ import annotations

import asyncio
import json
import pickle
from pathlib import Path

import pytest
import safetensors.numpy

from tests.tiny import made
from tools.tiny import text
from weigh.app.candidate import candidate
from weigh.app.fit import Wish, devices_of, fits
from weigh.app.run import Asked, allowed, chosen, running
from weigh.app.weigh import weigh
from weigh.core.errors import EngineError
from weigh.core.work import Complete, Delta, Done, Event, Sampling


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "text", text.write)


def repository(folder: Path, **config: object) -> Path:
    """A folder that says what it is and holds one tensor."""
    import numpy

    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    safetensors.numpy.save_file({"a": numpy.zeros(2, "f4")}, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize(
    ("class_name", "works"),
    [
        ("Qwen3ForCausalLM", ("chat", "complete")),
        ("Qwen2VLForConditionalGeneration", ("chat", "complete")),
        ("WhisperForConditionalGeneration", ("transcribe",)),
        ("Wav2Vec2ForCTC", ("transcribe",)),
        ("VitsModel", ("speak",)),
        ("MusicgenForConditionalGeneration", ("sound",)),
        ("ViTForImageClassification", ("classify",)),
        ("DetrForObjectDetection", ("detect",)),
        ("DepthAnythingForDepthEstimation", ("depth",)),
        ("CLIPModel", ("classify", "embed")),
        ("BertModel", ("embed",)),
        ("T5ForConditionalGeneration", ("complete",)),
        ("NobodyKnowsIt", ()),
    ],
)
def test_a_repository_is_for_what_its_class_does(tmp_path: Path, class_name: str, works: tuple[str, ...]) -> None:
    folder = repository(tmp_path / "plain", architectures=[class_name])
    assert candidate(weigh(str(folder)), str(folder)).works == works


def test_a_classifier_of_one_label_ranks(tmp_path: Path) -> None:
    folder = repository(tmp_path / "plain", architectures=["BertForSequenceClassification"], id2label={"0": "LABEL_0"})
    assert candidate(weigh(str(folder)), str(folder)).works == ("rerank",)


def test_a_folder_with_modules_embeds(tmp_path: Path) -> None:
    folder = repository(tmp_path / "plain", architectures=["Qwen3ForCausalLM"])
    (folder / "modules.json").write_text("[]")
    assert candidate(weigh(str(folder)), str(folder)).works == ("embed",)


def test_what_the_name_says_it_was_trained_for_counts_where_the_class_is_common(tmp_path: Path) -> None:
    folder = repository(tmp_path / "Qwen3-Reranker-0.6B", architectures=["Qwen3ForCausalLM"])
    assert candidate(weigh(str(folder)), str(folder)).works == ("rerank",)


def test_of_a_folder_of_gguf_files_the_model_is_opened_and_not_the_projector(tiny: Path, tmp_path: Path) -> None:
    for name in ("mmproj-F16.gguf", "model-Q4_K_M.gguf"):
        (tmp_path / name).write_bytes((tiny / "model-F32.gguf").read_bytes())
    found = chosen(weigh(str(tmp_path)), str(tmp_path), Asked())
    assert found.launch.path.endswith("model-Q4_K_M.gguf")
    assert found.launch.projector is not None and found.launch.projector.endswith("mmproj-F16.gguf")


def test_a_gguf_runs_from_its_path(tiny: Path) -> None:
    path = str(tiny / "model-F32.gguf")

    async def go() -> list[Event]:
        model = await running(chosen(weigh(path), path, Asked(context_length=128)))
        try:
            job = Complete(prompt=text.PROMPT, sampling=Sampling(max_tokens=60, temperature=0))
            return [event async for event in model.run(job)]
        finally:
            await model.close()

    events = asyncio.run(go())
    assert text.PROMPT + "".join(event.text for event in events if isinstance(event, Delta)) == text.TEXT
    assert isinstance(events[-1], Done) and events[-1].finish_reason == "stop"


class _Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (eval, ("1",))


def test_what_is_malicious_is_held_back(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(_Evil()))
    with pytest.raises(EngineError, match=r"run\.held"):
        allowed(weigh(str(tmp_path / "model.pkl")), Asked(allow_pickle=True))


def test_a_pickle_is_held_back_until_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"a": 1}))
    report = weigh(str(tmp_path / "model.pkl"))
    with pytest.raises(EngineError, match=r"run\.pickle"):
        allowed(report, Asked())
    allowed(report, Asked(allow_pickle=True))


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (Asked(engine="vapour"), "run.unknown_engine"),
        (Asked(work="video"), "run.not_for_that"),
    ],
)
def test_what_cannot_be_is_said(tiny: Path, asked: Asked, key: str) -> None:
    path = str(tiny / "model-F32.gguf")
    with pytest.raises(EngineError, match=key.replace(".", r"\.")):
        chosen(weigh(path), path, asked)


def test_what_is_not_there_is_not_run() -> None:
    with pytest.raises(EngineError, match=r"run\.not_weighed"):
        chosen(weigh("/no/such/model.gguf"), "/no/such/model.gguf", Asked())


def test_a_missing_library_is_named_with_its_extra(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weigh.app.run.is_here", lambda engine: False)
    path = str(tiny / "model-F32.gguf")
    with pytest.raises(EngineError, match=r"run\.missing.*weigh\[llama\]"):
        chosen(weigh(path), path, Asked())


def test_layers_that_the_plan_leaves_to_the_card_are_handed_on(tiny: Path) -> None:
    card = devices_of(("rtx-4090",), lambda command: None)
    plan = fits(weigh("Llama-3.3-70B-Instruct-Q4_K_M.gguf"), card, Wish(context_length=4096))[0]
    assert plan.n_gpu_layers is not None and str(plan.command).endswith(f"-ngl {plan.n_gpu_layers}")
    path = str(tiny / "model-F32.gguf")
    assert chosen(weigh(path), path, Asked(), plan).launch.n_gpu_layers == plan.n_gpu_layers
    assert chosen(weigh(path), path, Asked(n_gpu_layers=0), plan).launch.n_gpu_layers == 0
