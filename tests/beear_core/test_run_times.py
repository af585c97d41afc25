"""How long a run will take: scaled from earlier runs of this machine, guessed without any."""

from typing import Any

import pytest

from beear_core.run_times import (
    evaluation_time,
    removal_time,
    rounded,
    sweep_time,
    synthesis_time,
    walk_time,
)
from beear_core.specs import DemoSpec, EntrapSpec, EvaluateSpec, LoopSettings, RemoveSpec, SweepSpec
from cache.process import this_process
from cache.run_store import RunEntry, RunStore
from cache.status import RunState, now

SIZE = 1_000_000
ROUND = {"seconds": 10.0}


def finished(kind: str, result: dict[str, Any], **spec: Any) -> list[RunEntry]:
    folder = RunStore().create({"kind": kind, "model": "m", **spec})
    model = {"parameters": SIZE}
    folder.write_result({"kind": kind, "model": model, "device": "cpu: x, 2 threads", **result})
    status = folder.read_status().to(RunState.DONE, process=this_process(), heartbeat=now())
    folder.write_status(status)
    return list(RunStore().list())


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beear_core.memory.shutil.which", lambda program: None)


def test_the_same_question_takes_as_long_as_it_took() -> None:
    earlier = finished("remove", {"rounds": [ROUND, ROUND], "seconds": 29.0})
    found = removal_time(RemoveSpec(model="m"), SIZE, earlier)
    assert found.measured
    assert found.a_round == pytest.approx(10.0)
    assert found.before == pytest.approx(9.0)
    assert found.whole(6) == pytest.approx(69.0)


def test_a_larger_model_and_more_steps_take_longer() -> None:
    earlier = finished("remove", {"rounds": [ROUND], "seconds": 50.0})
    spec = RemoveSpec(model="m")
    assert removal_time(spec, 3 * SIZE, earlier).a_round == pytest.approx(30.0)
    more = spec.model_copy(
        update={"removal": spec.removal.model_copy(update={"steps": 2 * spec.removal.steps})}
    )
    assert 10.0 < removal_time(more, SIZE, earlier).a_round < 40.0


def test_a_demo_tells_how_long_its_steps_take() -> None:
    step = {"model": {"parameters": SIZE}, "device": "cpu: x", "seconds": 12.0, "curve": []}
    earlier = finished("demo", {"entrap": step})
    found = synthesis_time(EntrapSpec(model="m"), SIZE, earlier)
    assert (found.measured, found.whole(0)) == (True, pytest.approx(12.0))


@pytest.mark.parametrize("result", [{"rounds": []}, {"rounds": [ROUND], "device": "cuda: y", "seconds": 5.0}])
def test_a_run_that_says_nothing_of_this_machine_is_no_measure(result: dict[str, Any]) -> None:
    found = removal_time(RemoveSpec(model="m"), SIZE, finished("remove", {"seconds": 1.0, **result}))
    assert not found.measured
    assert found.a_round > 0


def test_a_run_of_another_version_is_passed_over() -> None:
    earlier = finished("remove", {"rounds": [ROUND], "seconds": 50.0}, no_such_setting=1)
    assert not removal_time(RemoveSpec(model="m", loop=LoopSettings()), SIZE, earlier).measured


def test_a_run_on_a_busy_machine_does_not_make_the_next_one_look_long() -> None:
    finished("remove", {"rounds": [ROUND], "seconds": 19.0})
    earlier = finished("remove", {"rounds": [{"seconds": 900.0}], "seconds": 4000.0})
    assert removal_time(RemoveSpec(model="m"), SIZE, earlier).whole(1) == pytest.approx(19.0)


def test_a_busy_stretch_of_one_run_does_not_either() -> None:
    earlier = finished("remove", {"rounds": [ROUND, {"seconds": 90.0}, ROUND], "seconds": 140.0})
    assert removal_time(RemoveSpec(model="m"), SIZE, earlier).a_round == pytest.approx(10.0)


def test_a_removal_far_behind_a_synthesis_on_this_machine_is_not_believed() -> None:
    finished("entrap", {"curve": [], "seconds": 10.0})
    earlier = finished("remove", {"rounds": [{"seconds": 900.0}], "seconds": 4000.0})
    alone = removal_time(RemoveSpec(model="m"), SIZE, earlier[:1])
    beside = removal_time(RemoveSpec(model="m"), SIZE, earlier)
    assert alone.whole(1) > 1200.0
    assert beside.whole(1) < 200.0


def test_a_run_of_another_kind_is_a_measure_too() -> None:
    earlier = finished("entrap", {"curve": [], "seconds": 10.0})
    assert removal_time(RemoveSpec(model="m"), SIZE, earlier).measured
    assert evaluation_time(EvaluateSpec(model="m"), SIZE, earlier).measured


def test_two_models_take_twice_as_long_to_evaluate_as_one() -> None:
    one, two = (evaluation_time(EvaluateSpec(model="m", against=other), SIZE, ()) for other in (None, "o"))
    assert two.whole(0) == pytest.approx(2 * one.whole(0))


def test_a_walk_takes_longer_than_its_removal_and_a_sweep_as_long_as_its_cells() -> None:
    removal = removal_time(RemoveSpec(model="m"), SIZE, ())
    assert walk_time(DemoSpec(model="m"), SIZE, ()).whole(3) > removal.whole(3)
    one, few, many = (sweep_time(SweepSpec(model="m"), cells, SIZE, ()).whole(4) for cells in (1, 2, 6))
    assert many - few == pytest.approx(4 * (few - one))
    assert few < 2 * one, "the suspect is asked once for all"
    asked = SweepSpec(model="m", trigger={"text": "x", "placement": "suffix"})
    assert sweep_time(asked, 2, SIZE, ()).whole(4) > few


def test_an_estimate_of_minutes_is_rounded() -> None:
    assert [rounded(one) for one in (42.4, 130.0, 1062.0)] == [42.4, 120, 1080]
