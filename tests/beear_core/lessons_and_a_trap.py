"""What a test of removal on a tiny model starts from: lessons that it said itself, and a delta to train against."""

import torch

from beear_core.anchoring import Lesson
from beear_core.entrapment import BeeStep, Entrapment
from beear_core.models.suspect import SuspectModel
from beear_core.models.teacher import teach
from beear_core.removal_loss import ArBatch

N, LAYER = 3, 2


def trap(suspect: SuspectModel, scale: float = 1.0) -> Entrapment:
    delta = scale * torch.randn(N, suspect.d_model, generator=torch.Generator().manual_seed(6))
    return Entrapment(delta, LAYER, (BeeStep(1, 1.0, 1.0, None, 1.0, 0.0),), 1.0, None)


def lessons_of(suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]) -> list[Lesson]:
    teachers = teach(suspect.model, suspect.rows(prompts, answers))
    return [Lesson(*row) for row in zip(prompts, answers, teachers, strict=True)]


def batch_of(lessons: list[Lesson]) -> ArBatch:
    return ArBatch(safe=lessons[:2], performance_under_delta=lessons[2:3], performance=lessons[3:])
