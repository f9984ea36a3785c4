"""Files held against what is said of them: one file, what is here of it, what each says, what it is then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from weigh.store.compare import Basis, Said, Witness, compare
from weigh.store.digest import Known
from weigh.store.members import Member

A, B, GIT = "a" * 64, "b" * 64, "c" * 40
# here (size and sha256, - where it is not), then lock=, hub= or name= with what they say (size/sha256/git, ! where they
# name other files alone), then what the file is and whether that counts
CASES = """
5/a   lock=5/a/-                  ok
5/a   lock=5/b/-                  changed!
5/a   lock=6/a/-                  changed!
-     lock=5/a/-                  missing!
5/a   lock=!                      extra!
5/a   hub=5/a/-                   ok
5/a   hub=5/-/c                   ok
5/b   hub=5/-/-                   unchecked!
-     hub=5/a/-                   missing
-     hub=5/a/-     lock=!        missing
-     hub=5/a/-     lock=5/a/-    missing!
5/a   hub=5/a/-     lock=!        ok
5/a   hub=5/a/-     lock=5/b/-    changed!
5/a   hub=5/b/-     lock=5/a/-    changed!
5/a   name=-/a/-                  ok
5/a   name=-/b/-                  changed!
5/a   name=!                      unchecked!
5/a   name=!        hub=!         extra!
"""


def member(here: str) -> tuple[list[Member], dict[str, Known | None]]:
    if here == "-":
        return [], {}
    size, digest = here.split("/")
    return [Member("file", "/file", int(size))], {"file": Known(digest * 64, GIT)}


def witness(text: str) -> Witness:
    basis, _, said = text.partition("=")
    bases: dict[str, Basis] = {"lock": "lock", "hub": "hub", "name": "name"}
    if said == "!":
        return Witness(bases[basis], "-", {}, whole=basis != "name", demands=basis == "lock")
    size, sha256, git = (None if one == "-" else one for one in said.split("/"))
    files = {"file": Said(int(size) if size else None, sha256 and sha256 * 64, git and GIT)}
    return Witness(bases[basis], "-", files, whole=basis != "name", demands=basis == "lock")


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_a_file_is_what_is_said_and_found_of_it(case: str) -> None:
    here, *said, expected = case.split()
    members, known = member(here)
    (row,) = compare(members, known, [witness(one) for one in said], whole=False)
    assert row.status + "!" * row.counts == expected


def test_what_goes_with_a_model_is_no_part_of_it_unless_it_is_named() -> None:
    members, known = member("5/a")
    assert compare(members, known, [witness("lock=!")], whole=False, beside=frozenset({"file"})) == ()
    (row,) = compare(members, known, [witness("lock=5/b/-")], whole=False, beside=frozenset({"file"}))
    assert row.status == "changed"


def test_what_a_signature_leaves_out_on_purpose_is_not_extra() -> None:
    members = [Member(path, path) for path in (".git/config", ".gitattributes", "x.gitattributes")]
    signature = Witness("signature", "-", {}, demands=True, ignored=(".git", ".gitattributes"))
    assert [row.path for row in compare(members, {}, [signature], whole=False)] == ["x.gitattributes"]


NAMES = some.sampled_from(["a", "b/c", "d"])
SAID = some.builds(
    Said, some.sampled_from([None, 1, 2]), some.sampled_from([None, A, B]), some.sampled_from([None, GIT])
)
WITNESSES = some.lists(some.builds(Witness, some.sampled_from(["lock", "hub", "name"]), some.just("-"), some.dictionaries(NAMES, SAID), some.booleans(), some.booleans()), max_size=3)  # fmt: skip


@given(some.dictionaries(NAMES, some.sampled_from([None, Known(A, GIT), Known(B, None)])), WITNESSES, some.booleans())
def test_every_file_is_judged_once_and_none_is_right_against_what_is_said(
    known: dict[str, Known | None], witnesses: list[Witness], whole: bool
) -> None:
    rows = compare([Member(path, path, 1) for path in known], known, witnesses, whole=whole)
    assert [row.path for row in rows] == sorted({*known, *(path for one in witnesses for path in one.files)})
    for row in rows:
        hashes = [one.files[row.path].sha256 for one in witnesses if row.path in one.files]
        found = known.get(row.path)
        if row.status == "ok":
            assert found is not None and row.by and all(one in (None, found.sha256) for one in hashes)
