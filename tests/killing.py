"""Kill a process that saves checkpoints, again and again, and look at what is left each time.

    python -m tests.killing FOLDER TIMES SEED

Each child goes on from the last checkpoint and saves as fast as it can, telling through a pipe
which saves are done, until SIGKILL ends it at a random moment. What then loads must be whole, and
no older than the last save that was done. A program of its own, because it forks.
"""

import os
import random
import signal
import sys
import time

import numpy as np

from minitorch.checkpoints import Checkpoints


class Part:
    """Two arrays that both hold the number of the save; a torn file would mix two numbers."""

    def __init__(self):
        self.arrays: dict[str, np.ndarray] = {
            "first": np.zeros(5000),
            "second": np.zeros((30, 40), np.float32),
        }

    def state_dict(self):
        return self.arrays

    def load_state_dict(self, state):
        self.arrays = state

    def number(self):
        numbers = {value for array in self.arrays.values() for value in array.ravel().tolist()}
        assert len(numbers) == 1, f"two saves are mixed: {numbers}"
        return int(numbers.pop())


def save_until_killed(folder, pipe):
    """What a child does."""
    part = Part()
    checkpoints = Checkpoints(folder, model=part)
    if checkpoints.exists():
        checkpoints.load()
    number = part.number()
    while True:
        number += 1
        for array in part.arrays.values():
            array[...] = number
        checkpoints.save(number=number)
        os.write(pipe, number.to_bytes(8, "little"))


def kill_once(folder, moment):
    """Let a child save for `moment` seconds, kill it; return its last finished save, or None."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read_end)
        save_until_killed(folder, write_end)
    os.close(write_end)
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as pipe:
        told = pipe.read()
    return int.from_bytes(told[-8:], "little") if told else None


def seconds_of_a_save(folder):
    """How long one takes on this disk, so that the kills fall within one."""
    checkpoints = Checkpoints(folder, model=Part())
    start = time.monotonic()
    for number in range(10):
        checkpoints.save(number=number)
    return (time.monotonic() - start) / 10


def main(folder, times, seed):
    """Kill `times` children, and check what each has left."""
    moments = random.Random(seed)
    longest = 4 * seconds_of_a_save(f"{folder}/timed")
    finished, one_before = 0, 0
    for _ in range(times):
        told = kill_once(folder, moments.uniform(0, longest))
        finished = finished if told is None else told
        part = Part()
        checkpoints = Checkpoints(folder, model=part)
        if not checkpoints.exists():
            assert not finished, "a finished save is gone"
            continue
        one_before += not checkpoints.last.exists()
        progress = checkpoints.load()
        number = part.number()
        assert progress == {"number": number}
        assert number >= finished, f"save {finished} was done, but {number} is what loads"
        finished = number
    print(f"{times} kills, {finished} saves, {one_before} times only the one before was left")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
