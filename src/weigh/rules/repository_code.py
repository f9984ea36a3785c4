"""A repository brings Python code that a loader would run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from weigh.core.finding import Finding, Severity, Verdict
from weigh.core.observation import Observation
from weigh.core.rule import Evidence, Examined, Rule
from weigh.core.saying import Saying
from weigh.knowledge.imports import tier_of

MOST_OF_A_FILE = 10
MOST_REACHED = 500
ENTRANCES = ("handler.py", "custom_generate/generate.py", "pipeline.py", "code/inference.py")  # run by their name alone
COMPILED = (".so", ".pyd", ".dylib", ".pyc")
_NAMING = (
    "auto_map",
    "custom_pipelines",
    "custom_pipeline",
    "custom_generate",
    "auto_mapping",
    "modules",
    "model_index",
    "loader_module",
    "handler",
)
_DEEDS = ("commands", "code", "computed", "network", "natively", "unpickles", "writes")
# By when it happens and what it is; what stands here not is worth no word.
_JUDGED: Mapping[tuple[str, str], tuple[Severity, Verdict | None]] = {
    **{("import", deed): ("critical", "malicious") for deed in _DEEDS},
    **{("loader", deed): ("medium", "suspicious") for deed in _DEEDS},
    **{("later", deed): ("low", None) for deed in _DEEDS},
    ("import", "natively"): ("high", "suspicious"),
    ("import", "literal"): ("low", None),
    ("loader", "commands"): ("high", "suspicious"),
    ("loader", "computed"): ("high", "suspicious"),
}


def check(evidence: Evidence) -> Iterator[Finding]:
    """What names code; the code that is named, by what it does; code that nothing names is worth a word."""
    files = {file.path: file for file in evidence.files}
    reached: dict[str, str] = {path: path for path in files if path.rpartition("!/")[2] in ENTRANCES}
    for file in evidence.files:
        for seen in file.observations:
            if seen.kind == "code" and file.format not in ("python", "pytorch", "torchscript"):
                found = _files_named(file, seen, files)
                reached.update(dict.fromkeys(found, f"{file.path} {seen.where or ''}".strip()))
                yield from _naming(file, seen, found)
    closed = _closed(reached, files)
    yield from _code(closed, files, alone=evidence.folder is None and len(files) == 1)
    yield from _native(closed, files)


def _native(reached: Mapping[str, str], files: Mapping[str, Examined]) -> Iterator[Finding]:
    """Compiled code that a module beside it imports."""
    compiled = [name for name in files if name.endswith(COMPILED)]
    for path in reached if compiled else ():
        folder = path.rpartition("/")[0]
        used = {f"{folder}/{seen.value[5:]}".lstrip("/") for seen in files[path].observations}
        for name in (one for one in compiled if one.rpartition("/")[0] == folder):
            if f"{folder}/{name.rpartition('/')[2].partition('.')[0]}".lstrip("/") in used:
                yield Finding(
                    rule=RULE.id,
                    severity="high",
                    confidence="likely",
                    path=name,
                    verdict="suspicious",
                    detail=Saying("finding.repository-code.native", name=name),
                )


def _files_named(file: Examined, seen: Observation, files: Mapping[str, Examined]) -> list[str]:
    """The Python files beside it in which a loader looks for `module.Class`, or a library of that name."""
    key, _, target = seen.value.partition(" ")
    folder = file.path.replace("\\", "/").rpartition("/")[0]
    if key == "handler":
        archive = file.path.rpartition("!/")[0]
        near = [f"{folder}/{target}".lstrip("/"), f"{archive}!/{target}"]
        return [path for path in near if path in files]
    if key not in (*_NAMING, "code_paths") or "--" in target or "/" in target:
        return []
    if key == "code_paths":
        return [path for path in files if path.startswith(f"{folder}/{target.strip('./')}/".lstrip("/"))]
    modules = {target, target.rpartition(".")[0]} - {""}
    wanted = {module.replace(".", "/") + ".py" for module in modules}
    near = [f"{folder}/{one}".lstrip("/") for one in wanted]
    found = [path for path in near if path in files]
    return found or [path for path in files if any(path == one or path.endswith(f"/{one}") for one in wanted)]


def _naming(file: Examined, seen: Observation, found: list[str]) -> Iterator[Finding]:
    """What the key itself is worth."""
    key, _, target = seen.value.partition(" ")
    judged = _judgement(key, target, found)
    if judged is not None:
        word, severity, verdict = judged
        yield Finding(
            rule=RULE.id,
            severity=severity,
            confidence="certain",
            path=file.path,
            offset=seen.offset,
            verdict=verdict,
            detail=Saying(f"finding.repository-code.{word}", key=seen.where or key, target=target),
        )


def _judgement(key: str, target: str, found: list[str]) -> tuple[str, Severity, Verdict | None] | None:
    match key:
        case "trust_remote_code":
            return "flag", "high", "suspicious"
        case "kernel":
            return "kernel", "high", "suspicious"
        case "yaml":
            return _yaml(target)
        case "entity":
            return "entity", "medium", "suspicious"
        case "requirement":
            return "requirement", "medium", "suspicious"
        case "_target_":
            module, _, name = target.rpartition(".")
            return ("target", "critical", "malicious") if tier_of(module, name) == "dangerous" else None
        case _ if key in _NAMING:
            return _named(key, target, found)
    return None


def _yaml(tag: str) -> tuple[str, Severity, Verdict | None] | None:
    if tag.startswith(
        ("tuple", "str", "unicode", "int", "float", "bool", "none", "list", "dict", "long", "complex", "bytes")
    ):
        return None
    return "yaml", "critical", "malicious"


def _named(key: str, target: str, found: list[str]) -> tuple[str, Severity, Verdict | None] | None:
    if "--" in target or "/" in target:
        return "elsewhere", "high", "suspicious"
    if found or key == "handler":
        return ("own", "low", None) if found else None
    module, _, name = target.rpartition(".")
    if key in ("modules", "loader_module", "auto_mapping"):
        if tier_of(module, name) == "dangerous":
            return "target", "critical", "malicious"
        return None if target.partition(".")[0] == "mlflow" else ("missing", "medium", "suspicious")
    return ("missing", "medium", "suspicious") if key == "auto_map" else None


def _closed(reached: Mapping[str, str], files: Mapping[str, Examined]) -> dict[str, str]:
    """With the files of the folder that those import."""
    closed = dict(reached)
    pending = list(reached)
    while pending and len(closed) < MOST_REACHED:
        path = pending.pop()
        for one in _needed(path, files):
            if one in files and one not in closed:
                closed[one] = path
                pending.append(one)
    return closed


def _needed(path: str, files: Mapping[str, Examined]) -> Iterator[str]:
    """Where the modules may be that importing this one imports: those it uses, and the packages around it."""
    folder = path.rpartition("/")[0]
    around = folder
    while around:
        yield f"{around}/__init__.py"
        around = around.rpartition("/")[0]
    for seen in files[path].observations if path in files else ():
        if seen.kind == "code" and seen.value.startswith("uses "):
            module = seen.value[5:].replace(".", "/")
            yield f"{folder}/{module}.py".lstrip("/")
            yield f"{module}.py"
            yield f"{folder}/{module}/__init__.py".lstrip("/")


def _code(reached: Mapping[str, str], files: Mapping[str, Examined], *, alone: bool) -> Iterator[Finding]:
    for path, file in files.items():
        if file.format != "python":
            continue
        number = 0
        for seen in file.observations:
            if seen.kind == "code" and (finding := _act(file, seen, reached.get(path), alone=alone)) is not None:
                if number < MOST_OF_A_FILE:
                    yield finding
                number += 1


def _act(file: Examined, seen: Observation, by: str | None, *, alone: bool) -> Finding | None:
    when, _, rest = seen.value.partition(" ")
    deed, _, name = rest.partition(" ")
    judged = _JUDGED.get((when, deed))
    if when == "problem" and by is not None:
        judged, deed, name = ("medium", "suspicious"), "unread", deed
    if judged is None or (by is None and when != "import"):
        return None
    severity, verdict = judged
    if by is None:  # nothing here makes a loader import it
        setup = file.path.rpartition("/")[2] == "setup.py"
        severity, verdict = ("medium", "suspicious") if (setup or alone) and verdict else ("low", None)
    word = deed if deed in ("unread", "literal") else when if by is not None else "unreached"
    return Finding(
        rule=RULE.id,
        severity=severity,
        confidence="likely" if when == "import" else "possible",
        path=file.path,
        verdict=verdict,
        detail=Saying(f"finding.repository-code.act.{word}", name=name, line=seen.where or "1", by=by or "-"),
    )


RULE = Rule(id="repository-code", check=check)
