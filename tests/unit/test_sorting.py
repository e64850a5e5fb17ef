"""The four sorting methods, and orders that a client gives."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natsort import os_sorted

from domain.errors import Invalid, MediaError
from domain.sorting import SORTING_METHODS, SortingMethod, order_as_given, order_by_jobs, sort_names

names = st.lists(st.text("abAB019 ._-/é豆", min_size=1, max_size=8), unique=True, max_size=12)
orderly = st.sampled_from(["lexicographical", "natural"])


def mismatch(*arguments: list[str]) -> str:
    with pytest.raises(Invalid) as refusal:
        order_as_given(*arguments)
    (message,) = refusal.value.detail["upload_file_order"]
    return str(message)


def test_lexicographical_is_by_code_points_of_the_whole_path() -> None:
    given_names = ["b.jpg", "a10.jpg", "a2.jpg", "B.jpg", "é.jpg", "z.jpg", "a/z.jpg", "a.jpg", "豆.jpg", "\U0001f431"]
    assert sort_names(given_names, "lexicographical") == [
        "B.jpg", "a.jpg", "a/z.jpg", "a10.jpg", "a2.jpg", "b.jpg", "z.jpg", "é.jpg", "豆.jpg", "\U0001f431",
    ]  # fmt: skip


def test_natural_takes_numbers_by_value_and_ignores_case() -> None:
    given_names = ["IMG10.jpg", "img9.jpg", "img1.jpg", "Img2.jpg", "img02.jpg"]
    assert sort_names(given_names, "natural") == ["img1.jpg", "Img2.jpg", "img02.jpg", "img9.jpg", "IMG10.jpg"]


def test_natural_goes_folder_by_folder() -> None:
    assert sort_names(["day 10/1.jpg", "day 9/10.jpg", "day 9/9.jpg"], "natural") == [
        "day 9/9.jpg",
        "day 9/10.jpg",
        "day 10/1.jpg",
    ]


@given(names)
def test_natural_is_the_order_of_natsorts_os_style(some: list[str]) -> None:
    assert sort_names(some, "natural") == os_sorted(sorted(some))


@given(names, orderly, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(some: list[str], method: SortingMethod, rng: random.Random) -> None:
    ordered = sort_names(some, method)
    assert sorted(ordered) == sorted(some)
    assert sort_names(ordered, method) == ordered
    shuffled = some.copy()
    rng.shuffle(shuffled)
    assert sort_names(shuffled, method) == ordered


@given(names, st.integers(0, 2**32))
def test_random_is_a_permutation_that_its_rng_determines(some: list[str], seed: int) -> None:
    shuffled = sort_names(some, "random", rng=random.Random(seed))
    assert sorted(shuffled) == sorted(some)
    assert sort_names(some[::-1], "random", rng=random.Random(seed)) == shuffled


def test_random_really_shuffles() -> None:
    files = [f"{number:03}" for number in range(100)]
    first, second = (sort_names(files, "random", rng=random.Random(seed)) for seed in (1, 2))
    assert len({tuple(files), tuple(first), tuple(second)}) == 3


def test_random_needs_an_rng() -> None:
    with pytest.raises(ValueError, match="needs an rng"):
        sort_names(["a"], "random")


@given(names, st.sampled_from(SORTING_METHODS))
def test_no_method_changes_what_it_is_given(some: list[str], method: SortingMethod) -> None:
    before = some.copy()
    sort_names(some, method, rng=random.Random(0))
    assert some == before


def test_predefined_is_as_sent_or_as_listed() -> None:
    assert sort_names(["b", "c", "a"], "predefined") == ["b", "c", "a"]
    assert sort_names(["b", "c", "a"], "predefined", order=["c", "a", "b"]) == ["c", "a", "b"]


def test_the_list_must_hold_exactly_the_uploaded_names() -> None:
    message = mismatch(["a", "b", "c"], ["a", "x"])
    assert message.endswith("Mismatching files: b (upload), c (upload), x (expected)")
    assert "Uploaded files do not match the 'upload_file_order' field contents" in message


def test_a_long_list_of_mismatches_is_cut() -> None:
    message = mismatch([], [f"{number}" for number in range(1, 9)])
    assert message.endswith("1 (expected), 2 (expected), 3 (expected), 4 (expected), 5 (expected) (and 3 more)")


def test_a_name_can_not_be_listed_twice() -> None:
    assert mismatch(["a", "b"], ["a", "b", "a"]) == "Repeated file names: a"


def test_a_file_mapping_orders_the_files_and_leaves_out_the_rest() -> None:
    assert order_by_jobs(["a", "b", "c", "d"], [["d", "a"], ["c"]]) == ["d", "a", "c"]


def test_a_file_mapping_of_files_that_were_not_uploaded() -> None:
    with pytest.raises(MediaError, match=r"not found in the uploaded data: x, y$"):
        order_by_jobs(["a"], [["x"], ["a", "y"]])
