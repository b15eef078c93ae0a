"""Where batches come from: data sets that can be indexed, and the loader that serves them.

Leans on `tensor` and `random`.
"""

# Grown in notebooks: 3_04_data. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import numpy as np

from minitorch.random import generator
from minitorch.tensor import Tensor

__all__ = [
    "Array",
    "DataLoader",
    "Dataset",
    "Subset",
    "TensorDataset",
    "as_tensors",
    "prefetched",
    "random_split",
    "stack",
]


Array = np.ndarray


class Dataset:
    """Base of all data sets: `len(dataset)` samples, each as `dataset[index]`."""

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__.")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__.")

    def batch(self, indices: Array) -> Any:
        """Several samples, stacked; a data set that can do better than one by one overrides it."""
        return stack([self[index] for index in indices.tolist()])


class TensorDataset(Dataset):
    """Arrays or tensors of equal length; a sample is a tuple of one row of each."""

    def __init__(self, *arrays: Any) -> None:
        self.arrays = tuple(
            array.array if isinstance(array, Tensor) else np.asarray(array) for array in arrays
        )
        if len({len(array) for array in self.arrays}) != 1:
            shapes = ", ".join(str(array.shape) for array in self.arrays)
            raise ValueError(f"TensorDataset: arrays of one length are needed, not {shapes}.")

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return tuple(array[index] for array in self.arrays)

    def batch(self, indices: Array) -> tuple[Array, ...]:
        """All rows at once, in one copy per array."""
        return tuple(array[indices] for array in self.arrays)


class Subset(Dataset):
    """Some samples of another data set, by their indices."""

    def __init__(self, dataset: Dataset | Sequence[Any], indices: Any) -> None:
        self.dataset = dataset
        given = np.asarray(indices)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise TypeError(
                f"Subset: indices are a list of whole numbers, not {given.dtype} of shape "
                f"{given.shape}. np.flatnonzero(mask) makes them of a mask."
            )
        self.indices = given.astype(np.int64)
        if ((self.indices < 0) | (self.indices >= len(dataset))).any():
            raise IndexError(f"Subset: an index is not among the {len(dataset)} samples.")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def batch(self, indices: Array) -> Any:
        """As the other data set does it."""
        if isinstance(self.dataset, Dataset):
            return self.dataset.batch(self.indices[indices])
        return super().batch(indices)


def random_split(
    dataset: Dataset | Sequence[Any], lengths: Sequence[float], seed: int | None = None
) -> list[Subset]:
    """Share the samples out at random, in numbers or in fractions of one; the same for one `seed`.

    Raises ValueError when the numbers do not add up to all samples, or the fractions to 1.
    """
    total = len(dataset)
    fractions = abs(sum(lengths) - 1) < 1e-6
    whole = all(length == int(length) for length in lengths if math.isfinite(length))
    fit = fractions or (whole and sum(lengths) == total)
    if not len(lengths) or not fit or min(lengths) < 0:
        raise ValueError(
            f"random_split: {list(lengths)} do not add up to {total} samples, or to 1."
        )
    ends = np.cumsum([length * total if fractions else length for length in lengths])
    cuts = np.rint(ends).astype(int)
    source = generator() if seed is None else np.random.default_rng(seed)
    order = source.permutation(total)
    return [Subset(dataset, part) for part in np.split(order, cuts[:-1])]


def stack(samples: Sequence[Any]) -> Any:
    """Samples as one batch: tuples field by field, arrays and numbers in a new first dimension.

    Raises ValueError when their shapes differ, or they hold something else than numbers.
    """
    first = samples[0]
    if isinstance(first, tuple | list):
        return tuple(stack(field) for field in zip(*samples, strict=True))
    arrays = [sample.array if isinstance(sample, Tensor) else sample for sample in samples]
    try:
        batch = np.stack(arrays)
    except ValueError as error:
        shapes = sorted({np.shape(array) for array in arrays})
        raise ValueError(
            f"A batch cannot be stacked from samples of shapes {shapes}: bring them to one size, "
            "or give the loader a `collate_fn` that takes the list of samples."
        ) from error
    if batch.dtype.kind not in "biufc":
        raise ValueError(
            f"A batch of {type(first).__name__} cannot be stacked, only one of arrays, numbers and "
            "tuples of them: give the loader a `collate_fn` that takes the list of samples."
        )
    numbers = any(isinstance(sample, float) for sample in arrays)  # Python's, beside whole ones
    return batch.astype(np.float32) if numbers else batch


def as_tensors(batch: Any) -> Any:
    """A batch with tensors in place of its arrays."""
    if isinstance(batch, tuple):
        return tuple(as_tensors(field) for field in batch)
    return Tensor(batch) if isinstance(batch, np.ndarray) else batch


class DataLoader:
    """Goes through a data set in batches of tensors, once per `for`.

    Parameters
    ----------
    dataset : what to serve, a `Dataset`, a list of samples or an array
    batch_size : samples in a batch; the last one may be smaller, unless `drop_last`
    shuffle : whether each epoch has its own random order
    transform : called with a batch's first array and a random generator, gives another array
    collate_fn : makes a batch of a list of samples, where stacking them will not do
    prefetch : how many batches a thread prepares ahead, while the last one is used; it stands
        where PyTorch has worker processes, so `num_workers` is 0
    seed : what all randomness here follows from; without it, drawn from the package's generator

    Order and transforms follow from (seed, epoch, batch) alone: three numbers say where to go on.
    """

    def __init__(
        self,
        dataset: Dataset | Sequence[Any] | Array,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        transform: Callable[[Array, np.random.Generator], Array] | None = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        prefetch: int = 0,
        num_workers: int = 0,
        seed: int | None = None,
    ) -> None:
        if isinstance(dataset, tuple):
            raise TypeError("DataLoader: a tuple is no data set. Give it TensorDataset(*arrays).")
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            raise TypeError(
                f"DataLoader: {type(dataset).__name__} cannot be asked for its length and for "
                "sample number k. Give it a Dataset, a list or an array."
            )
        if num_workers:
            raise ValueError(
                "DataLoader: there are no worker processes, so num_workers stays 0. Say prefetch=2 "
                "instead: a thread prepares that many batches ahead."
            )
        for name, number, least in (
            ("batch_size", batch_size, 1),
            ("prefetch", prefetch, 0),
            ("seed", seed or 0, 0),
        ):
            if not isinstance(number, int | np.integer) or number < least:
                raise ValueError(
                    f"DataLoader: {name} is a whole number from {least} on, not {number!r}."
                )
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.transform = transform
        self.collate_fn = collate_fn
        self.prefetch = prefetch
        self.seed = int(generator().integers(2**62)) if seed is None else seed
        self.epoch = -1  # none has begun
        self.batches_served = 0
        self.go_on_at = 0
        if not len(self):
            raise ValueError(
                f"DataLoader: {len(dataset)} samples in batches of {batch_size} give no batch"
                f"{', since the last one is dropped' if len(dataset) else ''}."
            )

    def __len__(self) -> int:
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    def __iter__(self) -> Generator[Any]:
        start, self.go_on_at = self.go_on_at, 0
        if not start:
            self.epoch += 1
        self.batches_served = start
        batches = self.batches(self.epoch, start)
        if self.prefetch:
            batches = prefetched(batches, self.prefetch)
        with closing(batches):
            for batch in batches:
                self.batches_served += 1
                yield as_tensors(batch)

    def batches(self, epoch: int, start: int) -> Generator[Any]:
        """The batches of one epoch as arrays, from number `start` on."""
        order = np.arange(len(self.dataset))
        if self.shuffle:
            np.random.default_rng((self.seed, epoch)).shuffle(order)
        for number in range(start, len(self)):
            indices = order[number * self.batch_size : (number + 1) * self.batch_size]
            if self.collate_fn is None and isinstance(self.dataset, Dataset):
                batch = self.dataset.batch(indices)
            else:
                samples = [self.dataset[index] for index in indices.tolist()]
                batch = (self.collate_fn or stack)(samples)
            if self.transform is not None:
                random = np.random.default_rng((self.seed, epoch, number + 1))
                several = isinstance(batch, tuple | list)
                first = batch[0] if several else batch
                pixels = first.array if isinstance(first, Tensor) else first
                changed = self.transform(pixels, random)
                if not isinstance(changed, np.ndarray) or len(changed) != len(pixels):
                    raise TypeError(
                        f"DataLoader: the transform made {changed!r:.60} of an array of shape "
                        f"{pixels.shape}; it gives back an array of as many samples."
                    )
                batch = (changed, *batch[1:]) if several else changed
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Where the loader is: what its order follows from, and the batches it has served."""
        return {
            "seed": self.seed,
            "epoch": self.epoch,
            "batches_served": self.batches_served,
            **self.settings(),
        }

    def settings(self) -> dict[str, int]:
        """What must be the same for the batches to be the same."""
        return {
            "batch_size": self.batch_size,
            "samples": len(self.dataset),
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next `for` go on after the batches that had been served.

        Raises ValueError when the batches would not be the same ones.
        """
        now = self.settings()
        saved = {name: state.get(name) for name in now}
        if saved != now or not {"seed", "epoch", "batches_served"} <= state.keys():
            raise ValueError(
                f"DataLoader: the state is of {saved}, this loader has {now}. Build it as it was, "
                "or begin a new training from the saved weights."
            )
        self.seed, self.epoch = state["seed"], state["epoch"]
        self.batches_served = state["batches_served"]
        self.go_on_at = self.batches_served % len(self)


_END = object()


def prefetched(items: Iterator[Any], ahead: int) -> Generator[Any]:
    """The same items, of which a thread makes up to `ahead` before they are asked for."""
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as worker:
        coming = deque(worker.submit(next, items, _END) for _ in range(ahead))
        try:
            while (item := coming.popleft().result()) is not _END:
                coming.append(worker.submit(next, items, _END))
                yield item
        finally:
            for future in coming:
                future.cancel()
