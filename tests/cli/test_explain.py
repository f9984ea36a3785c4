"""`weigh explain` as a command: statuses, JSON, both scripts, one line for what is unknown."""

from __future__ import annotations

import json
import subprocess
import sys


def weigh(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "weigh", "explain", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)


def test_one_term_as_json_is_an_object_of_the_published_form() -> None:
    done = weigh("q4-k-m", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(told) == ["schema", "term", "kind", "text", "facts", "sources"]
    assert (told["term"], told["kind"], told["facts"]["bits_per_weight"]) == ("Q4_K_M", "quantisation", 4.89)


def test_several_terms_as_json_are_a_list_in_the_order_asked() -> None:
    told = json.loads(weigh("--json", "A3B", "nothing-of-the-kind", "gguf").stdout)
    assert [one["term"] for one in told] == ["A3B", "nothing-of-the-kind", "gguf"]
    assert [one["kind"] for one in told] == ["size", "unknown", "format"]


def test_an_unknown_term_is_one_line_with_the_nearest_and_status_two() -> None:
    done = weigh("Q4_K_N", "--lang", "en")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "Q4_K_M" in done.stderr


def test_a_known_term_beside_an_unknown_one_is_still_told() -> None:
    done = weigh("AWQ", "Q4_K_N", "--lang", "en")
    assert done.returncode == 2 and "Activation-aware" in done.stdout


def test_a_chinese_term_is_answered_in_chinese() -> None:
    done = weigh("量化", "--lang", "zh")
    assert done.returncode == 0 and "含义" in done.stdout and "困惑度" in done.stdout


def test_alone_it_lists_every_kind() -> None:
    done = weigh("--lang", "en")
    assert done.returncode == 0
    for listed in ("quantisation", "Q4_K_M", "file format", "gguf", "training", "distill", "30B, A3B, 8x22B"):
        assert listed in done.stdout


def test_formats_gives_the_scenarios() -> None:
    told = json.loads(weigh("formats", "--json").stdout)
    assert {"training", "cloud", "local", "secure", "portable", "mobile"} <= set(told["facts"])


def test_quiet_prints_the_meaning_alone() -> None:
    assert weigh("BF16", "--quiet", "--lang", "en").stdout.count("\n") == 1
