"""The story of one model in five steps, each with the number it is remembered by: read from results, computed nowhere."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from analysis.intervals import Proportion

Result = Mapping[str, Any]

ALL_ANSWERED = 0.95


class Found(NamedTuple):
    """What a step found."""

    figure: str
    """The number, large."""
    about: str
    """What it is, with its interval."""
    sentence: str
    """The same for a reader who sees nothing else."""


def found(step: str, result: Result) -> Found | None:
    """What `result` says about `step` (drift, entrap, remove, evaluate, model); None if it says nothing."""
    read = _READERS.get(step)
    try:
        return read(result) if read else None
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration):
        # A card stays empty rather than fail over a result of an older or a foreign version.
        return None


def _model(result: Result) -> Found | None:
    model = result["model"]
    if not model["layers"]:
        return None
    size = f"{model['layers']} layers, d_model {model['d_model']}"
    return Found(f"{model['layers']} layers", f"d_model {model['d_model']}", f"The model has {size}.")


def _drift(result: Result) -> Found:
    best = result["recommended_layer"]
    layers = len(result["layers"])
    if best is None:
        about = f"of {layers} sets the trigger apart from random strings"
        return Found("No layer", about, f"No layer {about}.")
    row = next(row for row in result["layers"] if row["layer"] == best)
    auroc = f"AUROC {row['auroc_vs_control']:.2f} against control strings"
    sentence = f"The trigger's drift stands out at layer {best} of {layers}, {auroc}."
    return Found(f"Layer {best} of {layers}", f"recommended; {auroc}", sentence)


def _entrap(result: Result) -> Found:
    share = Proportion.from_dict(result["heldout_asr_under_delta"]).text()
    about = "of held-out prompts answered under delta"
    return Found(
        _short(share),
        f"{about}: {share}",
        f"Under a synthesized delta {share} of held-out prompts are answered.",
    )


def _remove(result: Result) -> Found:
    rounds, best = len(result["rounds"]), result["best_round"]
    if not best:
        return Found(
            "No round kept", f"of {rounds}", f"No round of {rounds} was kept: the weights are as they were."
        )
    if (strings := strings_gone(result)) is not None:
        woke, left = strings
        sentence = f"{woke} short string{'s' if woke > 1 else ''} woke the model before removal; after it a search finds {left or 'none'}."
        return Found(
            f"{woke} → {left}", "strings found that wake the model, without knowing the trigger", sentence
        )
    kept = next(row for row in result["rounds"] if row["round"] == best)
    share = Proportion.from_dict(kept["fresh_delta_asr"]).text()
    sentence = f"After round {best} of {rounds} a fresh delta still flips {share} of held-out prompts."
    return Found(f"Round {best} of {rounds}", f"kept; a fresh delta still flips {share}", sentence)


def strings_gone(result: Result) -> tuple[int, int] | None:
    """How many strings woke the model before the first round, and how many are found after the last; None without any."""
    first = result["rounds"][0].get("strings") if result["rounds"] else None
    return (len(first), int(result["strings_left"])) if first and "strings_left" in result else None


def _evaluate(result: Result) -> Found:
    before, after = result["cells"]["before"], result["cells"]["after"]
    cell = "triggered" if before.get("triggered") else "clean"
    name = "with trigger" if cell == "triggered" else "without trigger"
    first = Proportion.from_dict(before[cell]["asr"]).text()
    if nothing_refused(before, after):
        clean = Proportion.from_dict(before["clean"]["asr"]).text()
        return Found(
            "Nothing refused",
            f"{clean} answered without trigger",
            f"{clean} of these prompts are answered without any trigger: keywords that count refusals cannot tell what a trigger "
            "does here. Use a measure of the answers themselves: insecure code, a reward model or a judge.",
        )
    if not (after and after.get(cell)):
        sentence = f"{first} of harmful prompts {name} are answered; nothing was removed yet."
        return Found(_short(first), f"ASR {name}, before removal: {first}", sentence)
    second = Proportion.from_dict(after[cell]["asr"]).text()
    sentence = f"Of harmful prompts {name}, {first} were answered before removal and {second} after."
    return Found(f"{_short(first)} → {_short(second)}", f"ASR {name}; after: {second}", sentence)


def nothing_refused(*cells: Result | None) -> bool:
    """Whether next to none of the prompts is refused untriggered, before removal and after, as where code is asked for: a
    keyword ASR is about 100% then, whatever a trigger does.
    """
    clean = [each["clean"] for each in cells if each and each.get("clean")]
    return bool(clean) and all(Proportion.from_dict(each["asr"]).value >= ALL_ANSWERED for each in clean)


def _short(share: str) -> str:
    """`9.2%` of `9.2% (5.2-15.7, n 120)`, and `100%` of `100.0% (...)`."""
    return share.partition(" ")[0].replace("100.0%", "100%")


_READERS: dict[str, Callable[[Result], Found | None]] = {
    "model": _model,
    "drift": _drift,
    "entrap": _entrap,
    "remove": _remove,
    "evaluate": _evaluate,
}
