"""Every rule on what it is for, and on what it must leave alone."""

from __future__ import annotations

import pytest

from weigh.core.finding import SEVERITIES, Finding, Skip
from weigh.core.header import Header, Problem
from weigh.core.observation import Kind, Observation
from weigh.core.rule import Evidence, Examined
from weigh.core.saying import Saying
from weigh.core.tensors import TensorInfo
from weigh.rules import judge


def file(path: str = "m.bin", *, format: str = "pytorch", nbytes: int = 100, **parts: object) -> Examined:
    return Examined(path=path, format=format, nbytes=nbytes, **parts)  # type: ignore[arg-type]


def seen(kind: Kind, *values: str) -> tuple[Observation, ...]:
    return tuple(Observation(kind=kind, value=value, offset=7) for value in values)


def judged(*files: Examined, folder: Examined | None = None) -> tuple[tuple[Finding, ...], tuple[Skip, ...]]:
    return judge(Evidence(files=files, folder=folder))


def only(*files: Examined, folder: Examined | None = None) -> Finding:
    findings, skips = judged(*files, folder=folder)
    assert len(findings) == 1 and skips == ()
    return findings[0]


def problem(kind: str) -> Problem:
    return Problem(kind=kind, detail=Saying("problem.gap", nbytes=3), offset=5)


SAFE = ["collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch FloatStorage", "functools partial",
        "ultralytics.nn.tasks DetectionModel", "sklearn.svm._classes SVC"]  # fmt: skip
DANGEROUS = ["os system", "posix system", "builtins eval", "__builtin__ eval", "torch load", "subprocess Popen", "os.path join",
             "collections _sys.exit", "pathlib Path.unlink", "torch._utils _rebuild_tensor.__globals__", "pip main"]  # fmt: skip
UNKNOWN = ["__main__ Model", "mycompany.nets DetectionModel", "builtins map", "package Outer.Inner"]


@pytest.mark.parametrize("name", SAFE)
def test_what_honest_checkpoints_name_is_no_finding(name: str) -> None:
    assert judged(file(observations=seen("import", name))) == ((), ())


@pytest.mark.parametrize("name", DANGEROUS)
def test_a_dangerous_name_is_malicious(name: str) -> None:
    finding = only(file(observations=seen("import", name, *SAFE)))
    assert (finding.severity, finding.verdict, finding.offset) == ("critical", "malicious", 7)
    assert finding.detail.values["name"] == name.replace(" ", ".")


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_name_is_suspicious(name: str) -> None:
    finding = only(file(observations=seen("import", name)))
    assert (finding.severity, finding.verdict) == ("medium", "suspicious")


def test_unknown_names_of_a_file_are_one_finding() -> None:
    finding = only(file(observations=seen("import", *(f"mine Class{number:02}" for number in reversed(range(30))))))
    assert finding.detail.values["count"] == 30
    assert str(finding.detail.values["names"]).startswith("mine.Class00, mine.Class01, ")
    assert str(finding.detail.values["names"]).endswith("mine.Class09 ...")


def test_a_name_put_together_while_loading_is_likely_malicious() -> None:
    finding = only(file(observations=seen("import", "? ?")))
    assert (finding.verdict, finding.confidence, finding.detail.key) == (
        "malicious", "likely", "finding.pickle-import.computed",
    )  # fmt: skip


def test_an_extension_code_is_suspicious() -> None:
    assert only(file(observations=seen("extension", "1"))).verdict == "suspicious"


@pytest.mark.parametrize(
    ("kind", "rule", "severity", "verdict"),
    [
        ("truncated", "truncated", "high", "broken"),
        ("malformed", "malformed", "high", "broken"),
        ("overlap", "malformed", "high", "broken"),
        ("duplicate", "malformed", "high", "broken"),
        ("out-of-bounds", "malformed", "high", "broken"),
        ("misaligned", "malformed", "high", "broken"),
        ("gap", "malformed", "medium", "suspicious"),
        ("trailing", "malformed", "medium", "suspicious"),
        ("unreadable", "unreadable", "high", "broken"),
        ("missing-shard", "missing-shard", "high", "broken"),
    ],
)
def test_each_kind_of_problem_is_told_once(kind: str, rule: str, severity: str, verdict: str) -> None:
    finding = only(file(problems=(problem(kind),)))
    assert (finding.rule, finding.severity, finding.verdict, finding.offset) == (rule, severity, verdict, 5)


def test_a_budget_that_was_reached_is_a_skip_that_matters() -> None:
    findings, (skip,) = judged(file(problems=(problem("over-budget"),)))
    assert (findings, skip.reason, skip.matters) == ((), "over-budget", True)


def test_a_pickle_that_breaks_off_inside_is_broken() -> None:
    assert only(file(observations=seen("stream_error", "error.pickle.opcode"))).verdict == "broken"


@pytest.mark.parametrize(
    ("path", "format", "storage", "numbers"),
    [
        ("m/model.onnx", "onnx", "weights.bin", "m/weights.bin"),
        (
            "variables/variables.index",
            "tf-checkpoint",
            "data-00000-of-00002",
            "variables/variables.data-00000-of-00002",
        ),
        ("net.xml", "openvino", ".bin", "net.bin"),
        ("a/net.ncnn.param", "ncnn", "", "a/net.ncnn.bin"),
        ("a/model.mlmodel", "coreml", "@model_path/weights/weight.bin", "a/weights/weight.bin"),
    ],
)
def test_numbers_that_another_file_describes_are_known(path: str, format: str, storage: str, numbers: str) -> None:
    tensor = TensorInfo(name="w", dtype="F32", shape=(1,), nbytes=4, offset=0, storage=storage)
    whole = file(path, format=format, header=Header(format=format, tensors=(tensor,)))
    assert judged(whole, file(numbers, format="unknown")) == ((), ())
    assert [skip.path for skip in judged(whole, file("other", format="unknown"))[1]] == ["other"]


def test_files_of_numbers_that_a_manifest_lists_are_known() -> None:
    whole = file("w/model.json", format="tfjs", header=Header(format="tfjs", metadata={"files": ("a.bin", "b.bin")}))
    assert judged(whole, file("w/a.bin", format="unknown"), file("w/b.bin", format="unknown")) == ((), ())


def test_a_storage_of_a_checkpoint_is_no_file_beside_it() -> None:
    tensor = TensorInfo(name="w", dtype="F32", shape=(1,), storage="0")
    whole = file("m.pt", header=Header(format="pytorch", tensors=(tensor,)))
    assert [skip.path for skip in judged(whole, file("0", format="unknown"))[1]] == ["0"]


def test_what_is_not_recognised_is_a_skip_that_matters() -> None:
    findings, (skip,) = judged(file(format="unknown"))
    assert (findings, skip.reason, skip.matters) == ((), "not-recognised", True)


def test_a_pointer_names_both_sizes() -> None:
    finding = only(file(format="git-lfs-pointer", nbytes=134, observations=seen("pointer", "4976698672")))
    assert (finding.rule, finding.verdict) == ("lfs-pointer", "broken")
    assert finding.detail.values == {"nbytes": 134, "size": 4976698672}


@pytest.mark.parametrize("path", ["m.gguf", "m.safetensors", "a/pytorch_model.bin", "M.PT", "m.onnx", "m.h5", "m.ckpt"])
def test_a_page_under_a_models_name_is_broken(path: str) -> None:
    finding = only(file(path, format="html"))
    assert (finding.rule, finding.verdict) == ("html-page", "broken")


@pytest.mark.parametrize("path", ["index.html", "README.htm", "page"])
def test_a_page_under_its_own_name_is_no_finding(path: str) -> None:
    assert judged(file(path, format="html")) == ((), ())


def shards(total_size: int, **index: int) -> tuple[list[Examined], Examined]:
    """Two shards of 100 bytes and 50 elements each, and an index that declares."""
    files = []
    for name in ("a.safetensors", "b.safetensors"):
        tensor = TensorInfo(name=name, dtype="F16", shape=(50,), nbytes=100)
        files.append(file(name, format="safetensors", header=Header(format="safetensors", tensors=(tensor,))))
    declared = {"total_size": total_size, "files": ("a.safetensors", "b.safetensors"), **index}
    header = Header(format="huggingface", metadata={"index": declared})
    return files, Examined(path=".", format="huggingface", nbytes=200, header=header)


def test_a_declared_total_that_is_so_is_no_finding() -> None:
    files, folder = shards(200, total_parameters=100)
    assert judged(*files, folder=folder) == ((), ())


@pytest.mark.parametrize(("total_size", "index"), [(100, {}), (400, {}), (200, {"total_parameters": 7_000})])
def test_a_declared_total_that_is_not_so_is_worth_a_word(total_size: int, index: dict[str, int]) -> None:
    files, folder = shards(total_size, **index)
    finding = only(*files, folder=folder)
    assert (finding.rule, finding.severity, finding.verdict) == ("declared-total-lies", "medium", None)


def test_nothing_is_said_of_a_total_whose_shards_are_not_all_here() -> None:
    files, folder = shards(400)
    assert judged(files[0], folder=folder) == ((), ())


def test_the_worst_comes_first() -> None:
    findings, _ = judged(
        file("a", problems=(problem("gap"),)),
        file("b", observations=seen("import", "mine Class")),
        file("c", problems=(problem("truncated"),)),
        file("d", observations=seen("import", "os system")),
    )
    order = [SEVERITIES.index(finding.severity) for finding in findings]
    assert order == sorted(order) and findings[0].path == "d"
