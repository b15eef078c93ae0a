"""PyTorch's name for the optimizers and schedules: `from minitorch import optim`.

Gathered from `optimizer`, `sgd`, `adaptive`, `muon` and `lr_scheduler`.
"""

# Grown in notebooks: 2_07_descent, 3_02_adam, 3_06_long_training, 3_07_muon. Edit there, then `make
# extract`.

from minitorch import lr_scheduler
from minitorch.adaptive import Adam, AdamW, Lion, RMSprop
from minitorch.muon import Muon, Together
from minitorch.optimizer import Optimizer
from minitorch.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Lion",
    "Muon",
    "Optimizer",
    "RMSprop",
    "Together",
    "lr_scheduler",
]
