"""What a removal asks before its first round."""

from beear_core.hearing import ordinary_anchors
from beear_core.specs import RemoveSpec


def test_a_removal_has_all_ordinary_prompts_or_as_many_as_are_asked_for() -> None:
    all_of_them = ordinary_anchors(RemoveSpec(model="any"))
    some = [ordinary_anchors(RemoveSpec(model="any", performance_prompts=5, seed=seed)) for seed in (0, 0, 1)]
    assert [len(each) for each in some] == [5, 5, 5]
    assert some[0] == some[1] != some[2]
    assert set(some[0]) < set(all_of_them)
