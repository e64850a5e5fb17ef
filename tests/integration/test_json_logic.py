"""The JSON Logic of `filter` (CVAT contract 1.5): what each form finds, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.bootstrap import System
from domain.errors import Invalid
from projections.json_logic import MAX_CHOICES, MAX_DEPTH, MAX_TERMS
from projections.listing import Resource, Wanted, find
from projections.resources import JOBS, TASKS, USERS

from .test_listing import EVERYTHING, ids, office

__all__ = ["office"]


def var(name: str) -> dict[str, str]:
    return {"var": name}


def found(system: System, resource: Resource, rule: Any) -> list[Any]:
    return ids(system, resource, logic=json.dumps(rule))


@pytest.mark.parametrize(
    ("rule", "tasks"),
    [
        ({"==": [var("subset"), "Train"]}, [3, 1]),
        ({"==": [var("subset"), "train"]}, []),
        ({"==": [var("id"), 2]}, [2]),
        ({"==": [var("id"), "2"]}, [2]),
        ({"==": [var("name"), 5]}, []),
        ({"==": [var("assignee"), None]}, [4, 3, 1]),
        ({"==": [var("tracker_link"), ""]}, [4, 3, 2, 1]),
        ({"<": [var("id"), 3]}, [2, 1]),
        ({"<=": [var("id"), 3]}, [3, 2, 1]),
        ({">": [var("id"), 3]}, [4]),
        ({">=": [var("id"), 3]}, [4, 3]),
        ({"<=": [2, var("id"), 3]}, [3, 2]),
        ({"in": [var("id"), [1, 4, 99]]}, [4, 1]),
        ({"in": [var("owner"), ["ann"]]}, [1]),
        ({"in": [var("id"), []]}, []),
        ({"in": ["cats", var("name")]}, [2]),
        ({"in": ["Cats", var("name")]}, [1]),
        ({"in": ["% _", var("name")]}, [3]),
        ({"in": ["3", var("id")]}, [3]),
        (var("assignee"), [2]),
        ({"!": var("assignee")}, [4, 3, 1]),
        ({"!": [var("assignee")]}, [4, 3, 1]),
        ({"!!": var("project_id")}, [4]),
        ({"!": {"==": [var("assignee"), "ann"]}}, [4, 3, 1]),
        ({"!": {"==": [var("assignee"), "cid"]}}, [4, 3, 2, 1]),
        ({"and": [{"==": [var("owner"), "bob"]}, {"==": [var("subset"), "Train"]}]}, [3]),
        ({"or": [{"==": [var("id"), 1]}, {"and": [{"==": [var("id"), 4]}]}]}, [4, 1]),
        ({"!": {"or": [{"==": [var("id"), 1]}, {"==": [var("id"), 4]}]}}, [3, 2]),
        ({">": [var("updated_date"), "2000-01-01T00:00:00Z"]}, [4, 3, 2, 1]),
        ({"<": [var("updated_date"), "2000-01-01"]}, []),
        ({"<=": ["2000-01-01", var("updated_date"), "2001-01-01"]}, []),
        ({}, [4, 3, 2, 1]),
    ],
)
def test_each_form_finds_what_it_says(office: System, rule: Any, tasks: list[int]) -> None:
    assert found(office, TASKS, rule) == tasks


def test_it_joins_the_other_filters_and_what_one_may_see(office: System) -> None:
    rule = json.dumps({"in": [var("task_id"), [2, 3]]})
    assert ids(office, JOBS, logic=rule) == [32, 31, 22, 21]
    assert ids(office, JOBS, logic=rule, filters={"stage": "acceptance"}) == [31]
    assert ids(office, JOBS, logic=rule, viewer=1) == [22, 21]
    assert ids(office, USERS, logic=json.dumps({"==": [var("is_active"), True]})) == [3, 2, 1]


def nested(depth: int) -> Any:
    rule: Any = var("id")
    for _ in range(depth):
        rule = {"!": rule}
    return rule


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "3",
        '"id"',
        "null",
        "{",
        "[" * 2_000,
        json.dumps({"==": [var("id"), 1], "!": var("id")}),
        json.dumps({"+": [1, 2]}),
        json.dumps({"==": [var("password_hash"), ""]}),
        json.dumps(var("no_such_field")),
        json.dumps(var("id) OR (true")),
        json.dumps({"var": ["id"]}),
        json.dumps({"==": [var("id")]}),
        json.dumps({"==": [1, var("id")]}),
        json.dumps({"==": "id"}),
        json.dumps({"<": [1, var("id"), 3]}),
        json.dumps({"and": []}),
        json.dumps({"or": var("id")}),
        json.dumps({"in": [var("id"), "12"]}),
        json.dumps({"in": [var("id"), list(range(MAX_CHOICES + 1))]}),
        json.dumps(nested(MAX_DEPTH + 1)),
        json.dumps({"or": [var("id")] * MAX_TERMS}),
    ],
)
def test_what_is_no_filter_is_refused(office: System, text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        ids(office, TASKS, logic=text)
    assert str(refusal.value.detail[0]).startswith("filter: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "x"),
        ("id", 1.5),
        ("id", True),
        ("id", 10**30),
        ("id", [1]),
        ("id", {}),
        ("updated_date", "x"),
        ("updated_date", 5),
        ("name", "\0"),
        ("name", [1]),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_its_name(office: System, name: str, value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        found(office, TASKS, {"==": [var(name), value]})
    assert list(refusal.value.detail) == [name]


values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20))
names = st.sampled_from([*sorted({name for resource in EVERYTHING.values() for name in resource.fields}), "x'; --"])
variables = st.builds(var, names)
leaves = st.one_of(
    variables,
    st.builds(lambda o, f, v: {o: [f, v]}, st.sampled_from(["==", "<", "<=", ">", ">="]), variables, values),
    st.builds(lambda f, v: {"in": [f, v]}, variables, st.lists(values, max_size=3)),
    st.builds(lambda v, f: {"in": [v, f]}, st.text(max_size=5), variables),
    st.builds(lambda low, f, high: {"<=": [low, f, high]}, values, variables, values),
)
rules = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda o, r: {o: r}, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3)),
        st.builds(lambda o, r: {o: r}, st.sampled_from(["!", "!!"]), inner),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(EVERYTHING)), rule=rules)
def test_whatever_the_rule_it_is_answered_or_refused(office: System, name: str, rule: Any) -> None:
    """And a rule and its negation share everything out between them."""
    resource = EVERYTHING[name]
    try:
        with_it = find(office.database.query, resource, Wanted(logic=json.dumps(rule)))[0]
        without = find(office.database.query, resource, Wanted(logic=json.dumps({"!": rule})))[0]
    except Invalid:
        return
    assert with_it + without == find(office.database.query, resource, Wanted())[0]
