from typing import Any

import pytest

from beear_core.errors import SettingError
from beear_core.specs import SweepSpec, parse_spec
from beear_core.specs.sweep import sweep_over


def sweep(**fields: Any) -> dict[str, Any]:
    return {"kind": "sweep", "model": "suspect", **fields}


@pytest.mark.parametrize(
    "fields",
    [
        {"layers": [3, 3]},
        {"layers": [0]},
        {"n": []},
        {"n": [5, 65]},
        {"layers": list(range(1, 31)), "n": list(range(1, 11))},
        {"entrapment": {"n": 7}},
        {"layers": "nonsense"},
    ],
)
def test_what_is_no_grid_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="sweep"):
        parse_spec(sweep(**fields))


def test_delta_stays_at_the_swept_layer_even_where_other_settings_of_it_are_given() -> None:
    spec = parse_spec(sweep(entrapment={"steps": 3}))
    assert isinstance(spec, SweepSpec)
    assert (spec.entrapment.further_layers, spec.entrapment.passage_every) == ((), 0)


def test_a_stored_sweep_reads_as_it_was_written() -> None:
    spec = parse_spec(sweep(layers=[3, 9], n=[1, 5], trigger={"text": "SUDO"}))
    assert parse_spec(spec.model_dump(mode="json")) == spec


def test_a_removal_becomes_a_sweep_of_one_cell() -> None:
    removal = {
        "kind": "remove", "model": "suspect", "layer": 9, "out": "x", "entrapment": {"n": 7, "steps": 3}
    }  # fmt: skip
    spec = parse_spec(sweep_over(removal))
    assert isinstance(spec, SweepSpec)
    assert (spec.layers, spec.n, spec.entrapment.steps) == ((9,), (7,), 3)
