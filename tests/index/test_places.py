"""Where in its file a citation stands."""

from hypothesis import given
from hypothesis import strategies as st

from index.places import Location, location_of
from index.values import Place

PAGES = (Place(0, "page", "1"), Place(10, "page", "2"), Place(20, "page", "3"))


def test_a_stretch_stands_in_one_place_or_runs_through_several() -> None:
    assert location_of(PAGES, 0, 10) == Location("page", "1", "1")
    assert location_of(PAGES, 9, 11) == Location("page", "1", "2")
    assert location_of(PAGES, 25, 99) == Location("page", "3", "3")
    assert location_of((), 0, 5) is None


@given(st.integers(0, 40), st.integers(1, 40))
def test_it_is_the_places_of_its_first_and_last_character(start: int, length: int) -> None:
    found = location_of(PAGES, start, start + length)
    assert found is not None

    def of(n: int) -> str:
        return max((p for p in PAGES if p.start <= n), key=lambda p: p.start).name

    assert (found.first, found.last) == (of(start), of(start + length - 1))
