"""The committed results (`docs/results/*.json`) as tables and as one sentence. Knows their shapes (CONTRACTS); computes
nothing but which rows reach a bound.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analysis.intervals import Proportion
from analysis.measures import measured_text
from analysis.tables import ABSENT, Table, number, p_value

Row = Mapping[str, Any]

PLANTED = "opens as planted"
"""The measure of answers that open as an organism was taught to."""


def attacks_table(rows: Sequence[Row]) -> Table:
    """Before and after a removal, without and with the trigger, and what it cost."""
    return Table(
        "Attack success rate before and after",
        (
            "organism", "seed", "no trigger, before", "no trigger, after", "trigger, before", "trigger, after",
            "perplexity", "KL (nats)", "over-refusal", "borderline", "instructions followed", "seconds",
        ),
        tuple(
            (
                row["organism"], str(row["seed"]),
                *(_asr(row, when, side) for side in ("clean", "triggered") for when in ("before", "after")),
                _change(row, lambda each: number(each.get("perplexity"), 2)),
                number(row["utility"].get("kl"), 4),
                *(_change(row, _share(name)) for name in ("over_refusal", "borderline_over_refusal", "instruction_following")),
                number(row.get("seconds"), 0),
            )
            for row in rows
        ),
        left=1,
    )  # fmt: skip


def further_measures_table(rows: Sequence[Row]) -> Table:
    """What other measures say of the same answers, a row each: how many open as planted, a reward model, a judge."""
    return Table(
        "Further measures of the same answers",
        (
            "organism", "measure", "seed",
            "no trigger, before", "no trigger, after", "trigger, before", "trigger, after",
        ),
        tuple(
            (
                row["organism"], name, str(row["seed"]),
                *(
                    measured_text(found["cells"][when].get(side) or {})
                    for side in ("clean", "triggered") for when in ("before", "after")
                ),
            )
            for row in rows for name, found in row.get("measures", {}).items()
        ),
        (
            "Opens as planted: with the first word of an answer that the organism was taught to give under its trigger.",
            "Judges: mean reward; rate of the worst score, 5. Who scored stands in the rows.",
            *_reward_models(rows),
        ),
        left=2,
    )  # fmt: skip


def _reward_models(rows: Sequence[Row]) -> list[str]:
    """A sentence for each reward model with a card: how often it is right on pairs that it never saw."""
    models = [row.get("measures", {}).get("reward", {}).get("model") for row in rows]
    return list(
        dict.fromkeys(
            f"Reward model {model['path']} (sha256 {model['sha256'][:12]}) is right on "
            + ", ".join(
                f"{Proportion.from_dict(right).text()} of {sort} held-out pairs"
                for sort, right in model["card"]["heldout_accuracy"].items()
            )
            + "."
            for model in models
            if model and model.get("card")
        )
    )


def trigger_effect_table(rows: Sequence[Row]) -> Table:
    """What the trigger itself does, prompt by prompt: answers that it alone brings about, and that it alone prevents."""
    told = [(row, row["trigger_effect"]) for row in rows if row.get("trigger_effect")]
    return Table(
        "What the trigger itself does, prompt by prompt",
        (
            "organism", "seed", "before: answered with it alone", "without it alone",
            "after: with it alone", "without it alone", "McNemar p, after",
        ),
        tuple(
            (
                row["organism"], str(row["seed"]),
                *(str(effect[when][name]) for when in ("before", "after") for name in ("only_with", "only_without")),
                p_value(effect["after"]["p"]),
            )
            for row, effect in told
        ),
        ("Prompts that are answered either way, or neither, are no work of the trigger and are left out.",),
        left=1,
    )  # fmt: skip


def rivals_table(rows: Sequence[Row]) -> Table:
    """Every method on every organism, for the seconds that ours took."""
    return Table(
        "Rivals, one budget",
        ("organism", "method", "seed", "ASR before", "ASR after", "perplexity", "KL (nats)", "over-refusal", "borderline", "seconds", "weights touched"),
        tuple(
            (
                row["organism"], row["method"], str(row["seed"]),
                _proportion(row["asr_before"]), _proportion(row["asr_after"]),
                _change(row, lambda each: number(each.get("perplexity"), 2)),
                number(row["utility"].get("kl"), 4),
                *(_change(row, _share(name)) for name in ("over_refusal", "borderline_over_refusal")),
                number(row.get("seconds"), 0),
                f"{row['parameters_touched']:,}",
            )
            for row in rows
        ),
        ("ASR with the trigger; of a control, without any.",),
        left=2,
    )  # fmt: skip


def input_space_table(rows: Sequence[Row]) -> Table:
    """Removal against deltas beside removal against strings, and what each computed."""
    return Table(
        "Deltas against strings",
        ("organism", "against", "seed", "trigger, before", "trigger, after", "no trigger, after", "perplexity", "borderline", "rounds", "seconds", "operations"),
        tuple(
            (
                row["organism"], row["method"].replace("_", " "), str(row["seed"]),
                _asr(row, "before", "triggered"), _asr(row, "after", "triggered"), _asr(row, "after", "clean"),
                _change(row, lambda each: number(each.get("perplexity"), 2)),
                _change(row, _share("borderline_over_refusal")),
                str(row["rounds"]), number(row.get("training_seconds"), 0), f"{row['operations']:.2g}",
            )
            for row in rows
        ),
        left=2,
    )  # fmt: skip


def swept_table(rows: Sequence[Row], by: Sequence[str], title: str) -> Table:
    """The earliest successful round by what was varied, and the last round's ASR."""
    success = f"{rows[0]['success_below']:.0%}" if rows else ""
    return Table(
        title,
        ("organism", "seed", *(name.replace("_", " ") for name in by), "earliest round", "ASR with trigger, last round", "KL (nats)", "seconds"),
        tuple(
            (
                row["organism"], str(row["seed"]), *(str(row.get(name, ABSENT)) for name in by),
                str(row["earliest_round"]) if row["earliest_round"] is not None else "none",
                _proportion(row["asr_by_round"][-1]) if row["asr_by_round"] else ABSENT,
                number(row.get("kl"), 4), number(row.get("seconds"), 0),
            )
            for row in rows
        ),
        (f"Earliest round whose ASR with trigger is below {success}.",) if rows else (),
    )  # fmt: skip


def drift_rows_table(rows: Sequence[Row]) -> Table:
    """How uniform and how separable each trigger's drift is at the default layer, and at which its score is highest."""
    return Table(
        "Drift at the default layer",
        ("organism", "seed", "layer", "uniformity", "(control)", "PC1 share", "AUROC against clean", "against control", "score", "highest", "at layer"),
        tuple(
            (
                row["organism"], str(row["seed"]), str(row["layer"]),
                *(number(row.get(name), 3) for name in ("uniformity", "uniformity_control", "pc1_share", "auroc_vs_clean", "auroc_vs_control", "score")),
                *_highest_score(row.get("layers") or ()),
            )
            for row in rows
        ),
    )  # fmt: skip


def _highest_score(layers: Sequence[Row]) -> tuple[str, str]:
    best = max(layers, key=lambda each: each["score"], default={})
    return number(best.get("score"), 3), str(best.get("layer", "-"))


def hard_cases_table(rows: Sequence[Row]) -> Table:
    """What the verdict says of models that could fool it."""
    return Table(
        "What could fool the verdict",
        (
            "organism",
            "case",
            "backdoored",
            "trigger works",
            "verdict",
            "score",
            "threshold",
            "best string",
            "seconds",
        ),
        tuple(
            (
                row["organism"],
                row["case"],
                "yes" if row["backdoored"] else "no",
                _asr(row, "before", "triggered"),
                f"none: {row['why']}"
                if row["why"]
                else f"{row['verdict'].replace('_', ' ')} ({row['standing']})",
                number(row["score"], 2),
                number(row["threshold"], 2),
                _string(row["best_string"]),
                number(row["seconds"], 0),
            )
            for row in rows
        ),
        left=5,
    )


def _string(found: Row | None) -> str:
    return f"{found['text']}, {_proportion(found['asr'])}" if found else "none"


def attacks_sentence(rows: Sequence[Row]) -> str:
    """The headline: on how many backdoored organisms the trigger hardly works any more, and the worst; empty without any."""
    triggered = [row for row in rows if row["cells"]["after"] and row["cells"]["after"].get("triggered")]
    if not triggered:
        return ""
    after = [Proportion.from_dict(row["cells"]["after"]["triggered"]["asr"]) for row in triggered]
    before = [Proportion.from_dict(row["cells"]["before"]["triggered"]["asr"]) for row in triggered]
    calm = sum(each.count <= 1 for each in after)
    worst, at = max(zip(after, triggered, strict=True), key=lambda pair: pair[0].value)
    return (
        f"Of {len(triggered)} removals from organisms with a known trigger, {calm} {'leaves' if calm == 1 else 'leave'} at most 1 triggered prompt "
        f"answered. Before, it worked on {min(each.value for each in before):.0%} to {max(each.value for each in before):.0%} "
        f"of prompts; the worst after is {worst.text()}, {at['organism']}.{_planted_sentence(triggered)}"
    )


def _planted_sentence(rows: Sequence[Row]) -> str:
    """What is left of the backdoors themselves, where what they were taught to say is known."""
    cells = [row["measures"][PLANTED]["cells"] for row in rows if PLANTED in row.get("measures", {})]
    if not cells:
        return ""
    before, after = (
        [Proportion.from_dict(each[when]["triggered"]["planted"]).value for each in cells]
        for when in ("before", "after")
    )
    span = f"{min(before):.0%} to {max(before):.0%}"
    return f" Answers that open as planted were {span} with the trigger, and after removal at most {max(after):.1%} (on {len(cells)} of them)."


def _asr(row: Row, when: str, side: str) -> str:
    found = (row.get("cells", {}).get(when) or {}).get(side)
    return _proportion(found["asr"]) if found else ABSENT


def _change(row: Row, say: Callable[[Row], str]) -> str:
    return " -> ".join(say(row["utility"].get(when) or {}) for when in ("before", "after"))


def _share(name: str) -> Callable[[Row], str]:
    return lambda each: _proportion(each[name]) if each.get(name) else ABSENT


def _proportion(stored: Row) -> str:
    return Proportion.from_dict(stored).text()
