"""A small training that goes on from its last checkpoint, for tests that kill it.

    python -m tests.interrupted FOLDER

Prints a line when it has begun, and at the end the SHA-256 of the weights.
"""

import hashlib
import sys

import minitorch as mt
from minitorch.checkpoints import Checkpoints
from minitorch.data import DataLoader, TensorDataset
from minitorch.digits import digits
from minitorch.functional import cross_entropy
from minitorch.transforms import Compose, Normalize, RandomAffine

EPOCHS = 3


class Training:
    """Model, optimizer, loader: with random order, random pictures and random noise."""

    def __init__(self, folder, seed):
        mt.manual_seed(seed)
        images, labels = digits()[0]
        self.model = mt.nn.Sequential(
            mt.nn.Flatten(), mt.nn.Linear(784, 16), mt.nn.ReLU(), mt.nn.Linear(16, 10)
        )
        self.optimizer = mt.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)
        self.loader = DataLoader(
            TensorDataset(images[:320], labels[:320]),
            batch_size=32,
            shuffle=True,
            transform=Compose(RandomAffine(degrees=10, shift=1), Normalize([0.13], [0.31])),
            prefetch=2,
        )
        self.checkpoints = Checkpoints(
            folder, model=self.model, optimizer=self.optimizer, loader=self.loader
        )

    def step(self, images, labels):
        """One batch, with noise from the package's generator."""
        self.optimizer.zero_grad()
        cross_entropy(self.model(images + 0.1 * mt.randn(*images.shape)), labels).backward()
        self.optimizer.step()

    def run(self, batches=None):
        """Train to the end, or for `batches`, and save after each."""
        while self.loader.epoch < EPOCHS - 1 or self.loader.go_on_at:
            for images, labels in self.loader:
                self.step(images, labels)
                self.checkpoints.save()
                if batches is not None and not (batches := batches - 1):
                    return

    def digest(self):
        """What stands for all weights, bit for bit."""
        weights = self.model.state_dict().values()
        return hashlib.sha256(b"".join(weight.tobytes() for weight in weights)).hexdigest()


if __name__ == "__main__":
    training = Training(sys.argv[1], seed=0)
    if training.checkpoints.exists():
        training.checkpoints.load()
    print("begun", flush=True)
    training.run()
    print(training.digest())
