"""Two questions side by side."""

from beear_core.runs.comparison import Setting, compare_settings
from beear_core.specs import DriftSpec, TriggerSettings


def test_settings_stand_side_by_side_and_say_where_they_differ() -> None:
    one = {"kind": "drift", "layer": None, "entrapment": {"n": 5, "further_layers": [0.5, 0.7]}}
    other = {"kind": "drift", "layer": 9, "entrapment": {"n": 5}}
    assert compare_settings([one, other]) == [
        Setting("kind", ("drift", "drift")),
        Setting("layer", ("none", "9")),
        Setting("entrapment.n", ("5", "5")),
        Setting("entrapment.further_layers", ("0.5, 0.7", "-")),
    ]
    assert [one.differs for one in compare_settings([one, other])] == [False, True, False, True]


def test_every_setting_of_a_real_question_is_there() -> None:
    spec = DriftSpec(model="m", trigger=TriggerSettings(text="SUDO")).model_dump(mode="json")
    names = {setting.name for setting in compare_settings([spec])}
    assert {"model", "trigger.text", "drift.pairs"} <= names
