"""The counted cost of a pass is what torch itself counts while it runs."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from beear_core.anchoring import taught_lessons
from beear_core.compute import Compute
from beear_core.entrapment import Anchor, entrap, prove
from beear_core.models.front import frozen_front
from beear_core.models.labels import answer_logits
from beear_core.models.suspect import SuspectModel
from beear_core.models.trainable import trainable
from beear_core.models.training import training
from beear_core.openings import opening_lessons
from beear_core.operations import Counted
from beear_core.removal import remove
from beear_core.specs import EntrapmentSettings, RemovalSettings

ROWS = 3


def counted(suspect: SuspectModel, *, trained: int = 0) -> tuple[int, int, tuple[int, int, int]]:
    """What torch counts forward and backward for equally long rows; tokens, keys and logits of each."""
    model, blocks = suspect.model, list(suspect.model.get_submodule(suspect.blocks).children())
    prompts = suspect.encode_prompts(["Is this one"] * ROWS)
    rows = suspect.rows(prompts, [[5, 6, 7]] * ROWS)
    inputs = rows.without_last()
    model.requires_grad_(False)  # as it comes, all of it asks for gradients
    for block in blocks[len(blocks) - trained :]:
        block.requires_grad_(trained > 0)
    try:
        with training(suspect, checkpointing=False):
            embeddings = model.get_input_embeddings()(inputs.ids).detach().requires_grad_(trained == 0)
            columns = torch.arange(rows.end - 1, inputs.ids.shape[1])
            with FlopCounterMode(display=False) as forward:
                logits = model(inputs_embeds=embeddings, use_cache=False, logits_to_keep=columns).logits
            with FlopCounterMode(display=False) as backward:
                logits.sum().backward()
    finally:
        model.requires_grad_(False)
        model.zero_grad()
    shape = (inputs.ids.shape[1], inputs.ids.shape[1], rows.answers)
    return forward.get_total_flops(), backward.get_total_flops(), shape


def test_a_forward_pass_costs_what_torch_counts(suspect: SuspectModel) -> None:
    forward, _, shape = counted(suspect)
    assert ROWS * Compute.of(suspect).forward(*shape) == pytest.approx(forward, rel=0.02)


def test_gradients_of_activations_cost_what_torch_counts(suspect: SuspectModel) -> None:
    _, backward, shape = counted(suspect)
    assert ROWS * Compute.of(suspect).backward(*shape) == pytest.approx(backward, rel=0.02)


def test_gradients_of_the_last_weights_cost_what_torch_counts(suspect: SuspectModel) -> None:
    last = 2
    _, backward, shape = counted(suspect, trained=last)
    expected = ROWS * Compute.of(suspect).backward(*shape, layers=last, trained=last)
    # The first block that moves needs no gradient of what comes into it.
    assert 0.8 * expected < backward < 1.02 * expected


def test_fewer_layers_cost_their_share(llama: SuspectModel) -> None:
    compute = Compute.of(llama)
    whole, half = (compute.forward(10, 10, 0, layers=layers) for layers in (4, 2))
    assert whole == 2 * half
    assert compute.forward(10, 10, 1) - whole == 2 * compute.d_model * compute.vocabulary


def rows_apart(count: int) -> tuple[list[list[int]], list[int]]:
    """Prompts of one length that have no beginning in common, and an answer."""
    return [[10 + row, *range(20, 40)] for row in range(count)], [43, 5, 6, 7]


def test_a_delta_costs_what_torch_counts(llama: SuspectModel) -> None:
    prompts, answer = rows_apart(8)
    anchors = [Anchor(prompt, answer) for prompt in prompts]
    settings = EntrapmentSettings(n=3, steps=6, anchors=8, batch=4)
    prove(llama, 2, anchors, settings)
    # Torch does not count the CPU's fused attention; `training` takes the plain one.
    with training(llama, checkpointing=False), FlopCounterMode(display=False) as seen:
        entrap(llama, 2, anchors, settings, seed=0)
    bound = Compute.of(llama).entrapment(settings, prompt_tokens=len(prompts[0]), layer=2)
    assert seen.get_total_flops() == pytest.approx(bound, rel=0.05)


def test_a_round_of_removal_costs_what_torch_counts(llama: SuspectModel) -> None:
    suspect = llama.clone()
    prompts, answer = rows_apart(8)
    settings = RemovalSettings(
        steps=3,
        safe_rows=4,
        performance_rows=4,
        untouched_safe_rows=2,
        opening_rows=4,
        answer_tokens=4,
        depth=0.5,
    )
    front = frozen_front(suspect.layers, settings.depth)
    lessons = taught_lessons(suspect, [(prompt, answer) for prompt in prompts], front)
    trap = entrap(
        suspect,
        2,
        [Anchor(lesson.prompt, lesson.answer) for lesson in lessons],
        EntrapmentSettings(steps=1),
        seed=0,
    )
    with trainable(suspect, "full", 4, 0, depth=settings.depth), FlopCounterMode(display=False) as seen:
        openings = opening_lessons(lessons, lessons, {answer[0]})
        remove(suspect, [trap], lessons, lessons, settings, seed=0, openings=openings)
    bound = Compute.of(suspect).removal(settings, prompt_tokens=len(prompts[0]))
    # The first block that moves needs no gradient of what comes into it.
    assert 0.8 * bound < seen.get_total_flops() <= 1.02 * bound


def test_what_runs_in_a_block_is_counted_as_torchs_own_counter_does(
    suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]
) -> None:
    def step() -> None:
        rows = suspect.rows(prompts, answers)
        with training(suspect, checkpointing=False):
            suspect.model.requires_grad_(True)
            answer_logits(suspect.model, rows).sum().backward()
        suspect.model.requires_grad_(False)
        suspect.model.zero_grad()
        suspect.generate(prompts, max_new_tokens=3)

    with FlopCounterMode(display=False) as theirs:
        step()
    with Counted() as ours:
        step()
    assert ours.total == theirs.get_total_flops()
    step()
    assert ours.total == theirs.get_total_flops(), "outside the block nothing is counted"
