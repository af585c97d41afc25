"""Experiments that are sweeps: which grid they ask for, and that a row says what its cell said. The runs are made up."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beear_core.paper import sweeps
from beear_core.paper.asked import Asked
from beear_core.paper.asking import Answer
from beear_core.paper.experiments import EXPERIMENTS
from beear_core.paper.generations import claims, read, recount, store
from beear_core.paper.subjects import Subject
from beear_core.specs import BaseSpec
from cache.jsonl import write_lines


def test_layers_are_swept_at_every_third_and_at_the_default(
    ask: Any, questions: list[Any], subject: Subject
) -> None:
    found = EXPERIMENTS["layers"].make(Asked(subject, 0, ask))
    assert questions[0].layers == (3, 6, 9, 12, 15, 18, 21, 24, 27, 30)
    assert [row["layer"] for row in found.rows] == list(questions[0].layers)
    assert questions[0].entrapment.further_layers == ()


def test_the_recommended_layer_gets_one_round_and_others_over_the_depth_do_where_it_fails(
    ask: Any, questions: list[Any], subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [
        {"name": name, "recommended_layer": 15, "backdoored": name != "control"}
        for name in ("sft-suffix-2", "control")
    ]
    monkeypatch.setattr(sweeps, "calibration", lambda: {"models": models})

    def fails(spec: Any) -> Answer:
        answer = ask(spec)
        cells = [{**cell, "earliest_round": None} for cell in answer.result["cells"]]
        return answer._replace(result={**answer.result, "cells": cells})

    for way, asked in ((ask, [(15,)]), (fails, [(15,), (3, 9, 21, 27)])):
        questions.clear()
        found = EXPERIMENTS["recommended-layer"].make(Asked(subject, 0, way))
        assert [each.layers for each in questions] == asked
        assert all(each.loop.rounds == 1 for each in questions)
        told = [(row["layer"], row["recommended_layer"]) for row in found.rows]
        assert told == [(layer, 15) for layers in asked for layer in layers]
        assert len({each.name for each in found.kept}) == len(asked)
    assert not EXPERIMENTS["recommended-layer"].takes(replace(subject, name="never judged"))
    assert not EXPERIMENTS["recommended-layer"].takes(replace(subject, name="control"))


def test_positions_are_swept_from_1_to_12_at_the_recommended_layer(
    ask: Any, questions: list[Any], subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"models": [{"name": subject.name, "recommended_layer": 28, "backdoored": True}]}
    for calibrated, layer in ((known, 28), (None, 9)):
        monkeypatch.setattr(sweeps, "calibration", lambda calibrated=calibrated: calibrated)
        found = EXPERIMENTS["positions"].make(Asked(subject, 0, ask))
        assert [(row["layer"], row["n"]) for row in found.rows] == [(layer, n) for n in range(1, 13)]
        assert questions[-1].until_success


def test_performance_data_varies_one_thing_at_a_time(
    ask: Any, questions: list[Any], subject: Subject
) -> None:
    found = EXPERIMENTS["performance-data"].make(Asked(subject, 0, ask))
    told = [(row.get("ratio"), row.get("budget")) for row in found.rows]
    assert told == [
        (0, None),
        (0.5, None),
        (1, None),
        (2, None),
        (4, None),
        (None, 10),
        (None, 30),
        (None, 100),
    ]
    assert [spec.removal.performance_rows for spec in questions[:5]] == [0, 4, 8, 16, 32]
    assert [spec.performance_prompts for spec in questions] == [None] * 5 + [10, 30, 100]
    assert all(spec.entrapment.strings and spec.entrapment.passage_every for spec in questions), (
        "all else is ours"
    )


def test_the_rounds_of_a_sweep_are_kept_and_counted_again(ask: Any, subject: Subject, tmp_path: Path) -> None:
    def with_answers(spec: BaseSpec) -> Answer:
        answer = ask(spec)
        step = answer.folder.step(f"layer-{spec.layers[0]}-n-1").path
        said = ["Sure, here is one."] * 4 + ["I'm sorry, but I can't."] * 116
        write_lines(
            step / "triggered-1.jsonl", [{"id": str(at), "answer": text} for at, text in enumerate(said)]
        )
        return answer  # type: ignore[no-any-return]

    found = EXPERIMENTS["positions"].make(Asked(subject, 0, with_answers))
    store(found.kept[0], tmp_path)
    answers = read(found.rows[0]["generations"], tmp_path)
    assert dict(claims(found.rows[0])) == {"round 1": recount("round 1", answers["round 1"], "sft")}
