"""What every run's question has in common: kind, model, seed, device, precision.

A spec is the whole question of a run and nothing else: frozen, JSON in and out, free of torch. It knows no defaults
that depend on a model; `auto` is resolved when the run executes and the resolved value goes into the result.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

SCHEMA_VERSION = 1
LATER_FIELDS = ("overrides", "goal")
"""Fields that came later, which a spec holds only where they say something."""

Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]
Dtype = Literal["auto", "bf16", "fp32"]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+\.[a-z0-9_-]+$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Layer = Literal["auto"] | Annotated[int, Field(ge=1)]


def setting(
    default: Any,
    title: str,
    help: str,
    *,
    unit: str | None = None,
    paper: Any = None,
    **bounds: Any,
) -> Any:
    """A documented field: title, help, unit and bounds feed forms and `--set` errors; `paper` is the paper's default."""
    extra = {key: value for key, value in (("unit", unit), ("paper", paper)) if value is not None}
    return Field(default, title=title, description=help, json_schema_extra=extra, **bounds)


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def paper_values(settings: type[Settings]) -> dict[str, Any]:
    """The paper's value of every field that names one (`setting(paper=...)`)."""
    extras = {name: info.json_schema_extra for name, info in settings.model_fields.items()}
    return {
        name: extra["paper"] for name, extra in extras.items() if isinstance(extra, dict) and "paper" in extra
    }


class BaseSpec(Settings):
    """Fields that every run kind has."""

    kind: str
    schema_version: Literal[1] = 1
    seed: int = setting(0, "Seed", "Everything random in the run is drawn from it.", ge=0, lt=2**31)
    device: Device = setting("auto", "Device", "auto takes the first GPU, else the CPU.")
    dtype: Dtype = setting(
        "auto", "Precision", "auto is bf16 where the processor multiplies bf16 natively, else fp32."
    )
    overrides: dict[RuleId, Reason] = setting(
        {},
        "Overrides",
        "Intake rules whose high findings do not block loading, each with the reason, which every report repeats.",
    )

    @model_serializer(mode="wrap")
    def _without_later_fields(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A run without them is the same question as before there were any: its digest stays what it was.
        written: dict[str, Any] = write(self)
        for name in LATER_FIELDS:
            if name in written and written[name] == type(self).model_fields[name].default:
                del written[name]
        return written


class SuspectSpec(BaseSpec):
    """A question about one model and, unless built in ones serve, the analyst's own prompts."""

    model: str = setting(
        ..., "Model", "A folder, an organism's name, or a hub id where a network allows it.", min_length=1
    )
    prompts: str | None = setting(
        None, "Prompt file", "CSV, JSONL, Parquet or plain text; none means the built-in sets."
    )
    column: str | None = setting(
        None, "Column", "Column of the prompt file; none means the first of prompt, goal, instruction."
    )
