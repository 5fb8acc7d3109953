"""What may no longer be done after a move."""

from search.plan_fit import Target
from search.plan_licence import base_change, licence_change, target_licence
from tests.search.planning import model

KLEIN = Target("flux2-klein-9b")
FREE = ("commercial", "sell-images", "sell-model")


def test_a_move_to_a_non_commercial_base_is_told() -> None:
    change = licence_change(model(licence="MIT", permissions=FREE), None, KLEIN)
    assert change is not None
    assert change["commercial"] == [True, False]
    assert change["loses"] == ["sell-images", "sell-model"]
    assert "no longer be sold" in change["told"]
    assert target_licence(KLEIN)["commercial"] is False


def test_the_same_terms_are_no_change() -> None:
    old, new = (model(id_, permissions=FREE) for id_ in (1, 2))
    assert licence_change(old, new, KLEIN) is None
    assert base_change("sdxl", Target("sdxl")) is None
    assert base_change(None, KLEIN) is None


def test_what_nobody_stated_is_not_lost() -> None:
    change = licence_change(model(permissions=()), model(2, permissions=("non-commercial",)), KLEIN)
    assert change is not None
    assert (change["loses"], change["commercial"]) == ([], [None, False])


def test_a_freer_successor_is_told_as_such() -> None:
    change = licence_change(model(permissions=("non-commercial",)), model(2, permissions=FREE), KLEIN)
    assert change is not None
    assert change["told"].startswith("Pictures may be sold")
