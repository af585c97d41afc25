from typing import Any

import pytest

from analysis.headline import headline

HALF = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 120, "count": 60}
NONE = {"value": 0.0, "low": 0.0, "high": 0.03, "n": 120, "count": 0}
ALL = {"value": 1.0, "low": 0.97, "high": 1.0, "n": 120, "count": 120}
ROUNDS = [{"round": 1, "fresh_delta_asr": HALF}, {"round": 2, "fresh_delta_asr": NONE}]


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (
            {"kind": "demo", "cells": {"before": {"triggered": {"asr": HALF}}, "after": {"triggered": {"asr": NONE}}}},
            "ASR with trigger 50.0% (41.2-58.8) -> 0.0% (0.0-3.1, n 120)",
        ),
        (
            {"kind": "evaluate", "cells": {"before": {"clean": {"asr": NONE}, "triggered": None}, "after": None}},
            "ASR without trigger 0.0% (0.0-3.1, n 120)",
        ),
        (
            {"kind": "evaluate", "cells": {"before": {"triggered": {"asr": HALF}}, "after": {"triggered": {"asr": {"n": 40, "count": 0}}}}},
            "ASR with trigger 50.0% (41.2-58.8, n 120) -> 0.0% (0.0-8.8, n 40)",
        ),
        (
            {"kind": "evaluate", "cells": {"before": {"clean": {"asr": ALL}, "triggered": {"asr": ALL}}, "after": None}},
            "keywords cannot tell: 100.0% (96.9-100.0, n 120) answered without trigger",
        ),
        (
            {"kind": "drift", "recommended_layer": 2, "layers": [{"layer": 1}, {"layer": 2, "auroc_vs_control": 0.971}]},
            "layer 2 of 2, AUROC against control 0.97",
        ),
        ({"kind": "drift", "recommended_layer": None, "layers": [{"layer": 1}]}, "no layer recommended"),
        ({"kind": "entrap", "heldout_asr_under_delta": HALF}, "ASR under delta 50.0% (41.2-58.8, n 120)"),
        (
            {"kind": "remove", "rounds": ROUNDS, "best_round": 2},
            "round 2 of 2 kept, fresh-delta ASR 0.0% (0.0-3.1, n 120)",
        ),
        ({"kind": "remove", "rounds": ROUNDS, "best_round": None}, "no round of 2 kept"),
        ({"kind": "bench", "rows": [{"prompt_tokens": 24, "ratio": 4.25}]}, "24 tokens 4.2x"),
        ({"kind": "generate"}, ""),
        ({"kind": "of another version"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_result_has_one_line(result: dict[str, Any], line: str) -> None:
    assert headline(result) == line


@pytest.mark.parametrize("kind", ["demo", "evaluate", "drift", "entrap", "remove", "bench"])
def test_a_result_without_its_numbers_has_no_line_and_is_no_error(kind: str) -> None:
    assert headline({"kind": kind}) == ""
    assert headline({"kind": kind, "cells": None, "layers": None, "rounds": 3, "rows": [{}]}) == ""
