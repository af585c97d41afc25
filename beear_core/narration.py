"""From the loop's steps and rounds to a run's events."""

from collections.abc import Mapping, Sequence

from beear_core.entrapment import BeeStep
from beear_core.removal import ArStep
from beear_core.runs.context import RunContext
from beear_core.runs.events import Message, RoundDone, Step
from beear_core.specs import EntrapmentSettings, RemovalSettings
from beear_core.stopping import Round


class Narrator:
    """Tells a run's context what the loop does; hears a cancel at every step."""

    def __init__(self, context: RunContext, entrapment: EntrapmentSettings, removal: RemovalSettings) -> None:
        self.context, self.entrapment, self.removal = context, entrapment, removal

    def catch_up(self, rounds: Sequence[Round]) -> None:
        """Tell of those rounds that a kill between their checkpoint and their event left untold."""
        told = {record["round"] for record in self.context.told() if record["event"] == "round_done"}
        for done in rounds:
            if done.round not in told:
                self.round_done(done)

    def stage(self, name: str) -> None:
        self.context.emit(Message(name))

    def bee(self, round_number: int, layer: int, step: BeeStep, *, fresh: bool) -> None:
        which = "fresh delta" if fresh else "delta"
        self._step(f"round {round_number}: {which} at layer {layer}", step.step, self.entrapment.steps, {
            "toward": step.loss_toward, "away": step.loss_away, "norm ratio": step.delta_norm_ratio,
        })  # fmt: skip

    def ar(self, round_number: int, step: ArStep) -> None:
        self._step(f"round {round_number}: removal", step.step, self.removal.steps, {
            "safe": step.loss_safe, "performance": step.loss_performance, "gradient": step.gradient_norm,
            **({} if step.loss_openings is None else {"openings": step.loss_openings}),
        })  # fmt: skip

    def round_done(self, done: Round) -> None:
        self.context.emit(RoundDone(done.round, done.as_dict()))

    def _step(self, phase: str, step: int, of: int, metrics: Mapping[str, float]) -> None:
        self.context.emit(Step(phase, step, of, dict(metrics)))
