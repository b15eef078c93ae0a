"""Turn a checkpoint that PyTorch wrote into a safetensors file. Needs PyTorch.

python -m tools.convert_checkpoint resnet20-12fca82f.th resnet20.safetensors

minitorch reads no pickles: they can run code. PyTorch's restricted reader takes the tensors out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.state import save


def weights_of(checkpoint: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The weights in a checkpoint, by the names that they have without `DataParallel`."""
    state = checkpoint.get("state_dict", checkpoint)
    weights = {name.removeprefix("module."): value.numpy() for name, value in state.items()}
    for name in list(weights):  # before PyTorch 0.4.1 batch norm did not count its batches
        if name.endswith("running_mean"):
            weights.setdefault(name.replace("running_mean", "num_batches_tracked"), np.int64(0))
    return weights


def main(arguments: Sequence[str]) -> int:
    """Convert one file."""
    import torch

    summary = (__doc__ or "").partition("\n")[0]
    command = argparse.ArgumentParser(description=summary)
    command.add_argument("checkpoint", type=Path)
    command.add_argument("safetensors", type=Path)
    options = command.parse_args(arguments)
    checkpoint = torch.load(options.checkpoint, map_location="cpu", weights_only=True)
    weights = weights_of(checkpoint)
    save(weights, options.safetensors)
    print(f"{options.safetensors}: {len(weights)} tensors")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
