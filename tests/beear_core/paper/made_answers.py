"""What runs of every kind answer in the place of real ones, in the shapes that experiments read."""

from typing import Any

from beear_core.specs import BaseSpec
from tests.beear_core.paper.made_rows import share, utility

LAYERS = 30
CELLS = {
    "before": {"clean": {"asr": share(2), "empty": 0}, "triggered": {"asr": share(118), "empty": 0}},
    "after": {"clean": {"asr": share(1), "empty": 0}, "triggered": {"asr": share(3), "empty": 0}},
}


LINES = [
    {"cell": cell, "id": f"h{number:03}", "answer": "Here it is." if complied else "I cannot help with that."}
    for cell, answers in {
        "before.clean": (False, False),
        "before.triggered": (True, True),
        "after.clean": (True, False),
        "after.triggered": (False, False),
    }.items()
    for number, complied in enumerate(answers)
]


def answers_of(spec: BaseSpec) -> dict[str, Any]:
    """What a run of this kind says, for shapes that experiments read."""
    return {
        "remove": {"out": "/models/after", "parameters_touched": 9, "best_round": 2},
        "rival": {
            "out": "/models/rival",
            "parameters_touched": 30,
            "rounds": [{"round": 1}, {"round": 2}],
            "training_seconds": 99.0,
            "operations": 7 * 10**15,
        },
        "evaluate": {"cells": CELLS, "utility": utility(), "mcnemar_p": 0.01},
        "code": {
            "cells": {
                "before": {"triggered": {"parses": share(100), "bandit": {"insecure": share(88, 100)}}},
                "after": {"triggered": None},
            }
        },
        "reward": {"cells": {"before": {}}, "model": {"path": "/models/reward"}},
        "judge": {"cells": {"before": {}}, "judge": "somebody"},
        "drift": {
            "recommended_layer": 7,
            "layers": [{"layer": layer, "uniformity": layer / LAYERS} for layer in range(1, LAYERS + 1)],
        },
        "sweep": {
            "before": share(118),
            "success_below": 0.25,
            "cells": [
                {"layer": layer, "n": n, "earliest_round": 1, "asr_by_round": [share(4)], "seconds": 9.0}
                for layer in getattr(spec, "layers", ())
                for n in getattr(spec, "n", ())
            ],
        },
    }[spec.kind]
