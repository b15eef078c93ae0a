"""Data sets and the loader: every sample once, the same for one seed, and on from any batch."""

import threading
import time
from itertools import chain
from typing import Any

import numpy as np
import pytest

import minitorch as mt
from minitorch.data import DataLoader, Dataset, Subset, TensorDataset, random_split

NUMBERS = TensorDataset(np.arange(10), np.arange(10) * 10)


class Squares(Dataset):
    """Made one by one."""

    def __len__(self):
        return 7

    def __getitem__(self, index):
        return np.full((2, 2), index**2, np.float32), index, 0.5


def lists(loader):
    return [batch[0].tolist() for batch in loader]


def noisy(values, random):
    return values + 100 * random.integers(1, 1000, values.shape)


def test_batches_are_tensors_of_all_samples_in_order():
    batches = list(DataLoader(NUMBERS, batch_size=4))
    assert [batch[0].tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [batch[1].tolist() for batch in batches] == [[0, 10, 20, 30], [40, 50, 60, 70], [80, 90]]
    assert isinstance(batches[0][0], mt.Tensor)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 10])
def test_length_is_the_number_of_batches(batch_size, drop_last):
    loader = DataLoader(NUMBERS, batch_size, drop_last=drop_last)
    assert (
        len(loader)
        == len(list(loader))
        == (10 // batch_size if drop_last else -(-10 // batch_size))
    )


def test_samples_one_by_one_are_stacked():
    values, labels, halves = next(iter(DataLoader(Squares(), batch_size=3)))
    assert values.shape == (3, 2, 2)
    assert values[2].tolist() == [[4, 4], [4, 4]]
    assert labels.tolist() == [0, 1, 2]
    assert labels.dtype == np.int64
    assert halves.dtype == np.float32


def test_shuffled_epochs_differ_and_hold_every_sample_once():
    loader = DataLoader(NUMBERS, batch_size=3, shuffle=True, seed=0)
    first, second = lists(loader), lists(loader)
    assert first != second
    for epoch in (first, second):
        assert sorted(chain(*epoch)) == list(range(10)) != list(chain(*epoch))


def test_one_seed_one_order():
    orders = [lists(DataLoader(NUMBERS, 3, shuffle=True, seed=seed)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    mt.manual_seed(3)
    drawn = lists(DataLoader(NUMBERS, 3, shuffle=True))
    mt.manual_seed(3)
    assert lists(DataLoader(NUMBERS, 3, shuffle=True)) == drawn


def test_labels_follow_their_samples():
    for values, tens in DataLoader(NUMBERS, batch_size=3, shuffle=True):
        assert (values * 10).tolist() == tens.tolist()


def test_no_two_batches_of_any_epochs_are_transformed_alike():
    loader = DataLoader(
        np.zeros(6), 2, transform=lambda values, random: random.random(len(values)), seed=1
    )
    drawn = [batch.tolist() for _ in range(2) for batch in loader]
    assert len({number for batch in drawn for number in batch}) == 12


def test_transform_meets_the_first_array_only():
    loader = DataLoader(NUMBERS, batch_size=10, transform=lambda values, random: -values)
    values, tens = next(iter(loader))
    assert values.tolist() == [-k for k in range(10)]
    assert tens.tolist() == [10 * k for k in range(10)]


def test_collate_gets_the_samples():
    loader = DataLoader(Squares(), batch_size=4, collate_fn=lambda samples: [s[1] for s in samples])
    assert list(loader) == [[0, 1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("ahead", [1, 2, 5, 50])
def test_prefetching_changes_nothing(ahead):
    loaders = [
        DataLoader(NUMBERS, 3, shuffle=True, transform=noisy, prefetch=prefetch, seed=1)
        for prefetch in (0, ahead)
    ]
    for _ in range(3):
        assert lists(loaders[0]) == lists(loaders[1])


def test_prefetching_makes_batches_before_they_are_asked_for():
    made = []

    class Counted(Squares):
        def __getitem__(self, index):
            made.append(index)
            return super().__getitem__(index)

    batches = iter(DataLoader(Counted(), prefetch=2))
    next(batches)
    deadline = time.monotonic() + 10
    while len(made) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made == [0, 1, 2]  # the one in use and two ahead, no more
    batches.close()


def test_prefetching_passes_errors_on_and_leaves_no_thread():
    class Broken(Squares):
        def __getitem__(self, index):
            if index == 3:
                raise OSError("sample 3 is broken")
            return super().__getitem__(index)

    batches = iter(DataLoader(Broken(), prefetch=2))
    for _ in range(3):
        next(batches)
    with pytest.raises(OSError, match="sample 3"):
        next(batches)
    for _ in DataLoader(Squares(), prefetch=2):
        break
    assert not [thread for thread in threading.enumerate() if "prefetch" in thread.name]


# ---- going on -----------------------------------------------------------------------------------


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("served", range(9))
def test_going_on_after_any_batch(served, prefetch):
    def loader(seed):
        return DataLoader(NUMBERS, 3, shuffle=True, transform=noisy, prefetch=prefetch, seed=seed)

    whole = loader(5)
    expected = lists(whole) + lists(whole) + lists(whole)
    first = loader(5)
    seen: list[list[int]] = []
    while len(seen) < served:
        for batch in first:
            seen.append(batch[0].tolist())
            if len(seen) == served:
                break
    second = loader(77)
    second.load_state_dict(first.state_dict())
    while len(seen) < len(expected):
        seen += lists(second)
    assert seen == expected


def test_going_on_after_the_last_batch_begins_an_epoch():
    whole = DataLoader(NUMBERS, 3, shuffle=True, seed=4)
    lists(whole)
    resumed = DataLoader(NUMBERS, 3, shuffle=True)
    resumed.load_state_dict(whole.state_dict())
    assert lists(resumed) == lists(whole) != []
    assert resumed.epoch == whole.epoch == 1


def test_leaving_an_epoch_early_begins_a_new_one():
    loader = DataLoader(NUMBERS, 3)
    next(iter(loader))
    assert lists(loader)[0] == [0, 1, 2]


def test_a_state_of_other_data_is_refused():
    state = DataLoader(NUMBERS, 3).state_dict()
    with pytest.raises(ValueError, match="samples"):
        DataLoader(Squares(), 3).load_state_dict(state)
    with pytest.raises(ValueError, match=r"batch_size.* Build it as it was"):
        DataLoader(NUMBERS, 4).load_state_dict(state)
    others: list[Any] = [{"shuffle": True}, {"drop_last": True}]
    for settings in others:
        with pytest.raises(ValueError, match=next(iter(settings))):
            DataLoader(NUMBERS, 3, **settings).load_state_dict(state)
    del state["epoch"]
    with pytest.raises(ValueError, match="state is of"):
        DataLoader(NUMBERS, 3).load_state_dict(state)


def test_lists_and_arrays_are_data_sets():
    assert [batch.tolist() for batch in DataLoader([1, 2, 3], 2)] == [[1, 2], [3]]
    assert [batch.shape for batch in DataLoader(np.ones((3, 5)), 2)] == [(2, 5), (1, 5)]
    (images, labels), *_ = DataLoader([[np.zeros(2), 0], [np.ones(2), 1]], 2)
    assert images.tolist() == [[0, 0], [1, 1]]
    assert labels.tolist() == [0, 1]


# ---- parts --------------------------------------------------------------------------------------


def test_whole_numbers_beside_others_do_not_make_doubles():
    assert next(iter(DataLoader([1, 2.5], 2))).dtype == np.float32
    assert next(iter(DataLoader([(2.5, 1), (1, 2)], 2)))[1].dtype == np.int64


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_transform_meets_the_array_in_what_collate_gave(kind):
    loader = DataLoader(
        [1.0, 2.0],
        2,
        collate_fn=lambda samples: kind([mt.tensor(samples), mt.tensor([0, 1])]),
        transform=lambda values, random: np.negative(values, dtype=np.float32),
    )
    values, labels = next(iter(loader))
    assert values.tolist() == [-1, -2]
    assert labels.tolist() == [0, 1]


def test_subset_and_split():
    parts = random_split(NUMBERS, [7, 3], seed=0)
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(parts[0].indices) != list(range(7))
    assert sorted(int(part[k][0]) for part in parts for k in range(len(part))) == list(range(10))
    again = random_split(NUMBERS, [0.7, 0.3], seed=0)
    assert [part.indices.tolist() for part in parts] == [part.indices.tolist() for part in again]


def test_subset_of_a_subset_in_one_batch():
    inner = Subset(NUMBERS, [9, 7, 5, 3])
    assert lists(DataLoader(Subset(inner, [3, 0]), 2)) == [[3, 9]]
    assert Subset(Squares(), [2, 1]).batch(np.arange(2))[1].tolist() == [2, 1]


@pytest.mark.parametrize(
    "lengths", [[5, 4], [0.5, 0.4], [11, -1], [20], [], [7.5, 2.5], [np.nan, 1]]
)
def test_a_split_that_does_not_add_up_is_refused(lengths):
    with pytest.raises(ValueError, match="add up to 10"):
        random_split(NUMBERS, lengths)


def test_parts_of_a_plain_list_are_served_too():
    parts = random_split(list(range(10)), [7, 3], seed=0)
    served = [
        number for part in parts for batch in DataLoader(part, 2) for number in batch.tolist()
    ]
    assert sorted(served) == list(range(10))


@pytest.mark.parametrize("made", [None, np.zeros(3), [1, 2]])
def test_a_transform_that_loses_samples_is_refused(made):
    with pytest.raises(TypeError, match=r"transform made .* of an array of shape \(2,"):
        list(DataLoader(NUMBERS, 2, transform=lambda images, random: made))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"\(3,\), \(4,\)"):
        TensorDataset(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="no batch"):
        DataLoader(TensorDataset(np.zeros((0, 3))))
    with pytest.raises(ValueError, match="batch_size"):
        DataLoader(NUMBERS, batch_size=0)

    with pytest.raises(ValueError, match="the last one is dropped"):
        DataLoader(NUMBERS, 16, drop_last=True)
    wrong: Any = [{"batch_size": 2.5}, {"batch_size": "4"}, {"prefetch": -1}, {"seed": -1}]
    for settings in wrong:
        with pytest.raises(ValueError, match=f"{next(iter(settings))} is a whole number"):
            DataLoader(NUMBERS, **settings)
    with pytest.raises(TypeError, match=r"TensorDataset\(\*arrays\)"):
        DataLoader((np.zeros(3), np.zeros(3)))
    no_data: list[Any] = [None, {1, 2}, iter([1, 2])]
    for data in no_data:
        with pytest.raises(TypeError, match="cannot be asked for its length"):
            DataLoader(data)
    with pytest.raises(ValueError, match=r"num_workers stays 0.*prefetch=2"):
        DataLoader(NUMBERS, num_workers=4)
    assert len(DataLoader(NUMBERS, num_workers=0)) == len(NUMBERS)
    with pytest.raises(IndexError, match="among the 10 samples"):
        Subset(NUMBERS, [99])
    for indices in (np.arange(10) > 4, [1.7], 3, [[1, 2]]):  # a mask would give samples 0 and 1
        with pytest.raises(TypeError, match=r"whole numbers, not .*flatnonzero"):
            Subset(NUMBERS, indices)
    assert len(Subset(NUMBERS, [])) == 0
    for sample in ({"x": 1}, "text", None):
        with pytest.raises(ValueError, match="a `collate_fn`"):
            list(DataLoader([sample, sample], 2))


def test_samples_that_differ_in_shape_are_named():
    class Ragged(Squares):
        def __getitem__(self, index):
            return np.zeros((1, index))

    with pytest.raises(ValueError, match=r"\(1, 0\), \(1, 1\).*a `collate_fn`"):
        list(DataLoader(Ragged(), 2))
