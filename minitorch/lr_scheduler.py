"""PyTorch's name for the schedules: `from minitorch.optim import lr_scheduler`.

Gathered from `schedules`, `onecycle` and `plateau`.
"""

# Grown in notebooks: 3_06_long_training. Edit there, then `make extract`.

from minitorch.onecycle import OneCycleLR
from minitorch.plateau import ReduceLROnPlateau
from minitorch.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    SequentialLR,
    StepLR,
)

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
