"""Images made larger or smaller: each is a small matrix along the rows and one along the columns.

Nearest and bilinear upsampling, and averaging over a grid of cells, differ in these matrices only;
the gradient goes back through their transposes. Leans on `convolution` and `pooling`.
"""

# Grown in notebooks: 4_04_pooling. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.convolution import channels_last
from minitorch.op import op
from minitorch.pooling import GridSize, grid
from minitorch.windows import Pair, whole_numbers

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = [
    "Array",
    "adaptive_avg_pool2d",
    "averages",
    "bilinear_weights",
    "interpolate",
    "nearest_weights",
    "resample",
]


Array = np.ndarray


@op
def resample(x: Array, rows: Array, columns: Array) -> Any:
    """Rows (OH, H) times each channel of x (N, C, H, W) times the transpose of columns (OW, W)."""
    rows, columns = rows.astype(x.dtype, copy=False), columns.astype(x.dtype, copy=False)

    def apply(down: Array, across: Array, images: Array) -> Array:
        pixels = channels_last(images)
        count, height, width, channels = pixels.shape
        mixed = np.matmul(down, pixels.reshape(count, height, width * channels))
        mixed = np.matmul(across, mixed.reshape(count, len(down), width, channels))
        return mixed.transpose(0, 3, 1, 2)

    return apply(rows, columns, x), (lambda grad: apply(rows.T, columns.T, grad), None, None)


def averages(cells: list[slice], length: int) -> Array:
    """The matrix that takes the mean of each cell: (cells, length)."""
    matrix = np.zeros((len(cells), length))
    for row, cell in zip(matrix, cells, strict=True):
        row[cell] = 1 / (cell.stop - cell.start)
    return matrix


def nearest_weights(
    length: int, target: int, align_corners: bool = False, covered: float | None = None
) -> Array:
    """The matrix (target, length) that repeats, or leaves out, pixels.

    The result covers the first `covered` pixels, not always a whole number; None means all. As many
    or twice as many pixels as before always cover all, as in PyTorch.
    """
    if target in (length, 2 * length):
        covered = None
    apart = np.float32((covered or length) / target)  # rounded as PyTorch's, also beside a pixel
    places = np.minimum((np.arange(target, dtype=np.float32) * apart).astype(int), length - 1)
    matrix = np.zeros((target, length))
    matrix[np.arange(target), places] = 1
    return matrix


def bilinear_weights(
    length: int, target: int, align_corners: bool = False, covered: float | None = None
) -> Array:
    """The matrix (target, length) that mixes the two pixels nearest to each place.

    The result covers the first `covered` pixels, as in `nearest_weights`; as many as before, all.
    """
    if target == length:
        covered = None
    places = np.arange(target, dtype=float)
    if align_corners:
        places *= (length - 1) / max(target - 1, 1)
    else:
        places = np.maximum((places + 0.5) * (covered or length) / target - 0.5, 0)
    lower = np.minimum(places.astype(int), length - 1)
    upper = np.minimum(lower + 1, length - 1)
    matrix = np.zeros((target, length))
    np.add.at(matrix, (np.arange(target), lower), 1 - (places - lower))
    np.add.at(matrix, (np.arange(target), upper), places - lower)
    return matrix


def adaptive_avg_pool2d(x: Tensor, output_size: GridSize) -> Tensor:
    """The mean of each cell of a grid of `output_size` laid over x (N, C, H, W).

    Cell k of n begins at floor(k * length / n) and ends at ceil((k + 1) * length / n).
    """
    cells = grid(x.array, output_size, "adaptive_avg_pool2d")
    rows, columns = (averages(each, size) for each, size in zip(cells, x.shape[2:], strict=True))
    return resample(x, rows, columns)


def interpolate(
    x: Tensor,
    size: Pair | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
) -> Tensor:
    """Images x (N, C, H, W) of another `size`, or `scale_factor` times as large.

    Both are one number or one for each dimension. `mode` is "nearest" or "bilinear". Pixels are
    little squares whose centres are mapped, or with `align_corners` points of which the first and
    the last are kept. Where the factor gives no whole number of pixels, the part of one that is too
    much is left out: 5 pixels times 0.5 are 2, made of the first 4. Raises ValueError for another
    mode, or when not exactly one of size and factor is given.
    """
    if x.ndim != 4 or 0 in x.shape[2:]:
        raise ValueError(f"interpolate: x must be images (N, C, H, W), not of shape {x.shape}.")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor.")
    modes = {"nearest": nearest_weights, "bilinear": bilinear_weights}
    if mode not in modes:
        raise ValueError(f"interpolate: mode is one of {', '.join(modes)}, not {mode!r}.")
    lengths = x.shape[2:]
    factors: list[Any] = [scale_factor] * 2
    if isinstance(scale_factor, Sequence):
        factors = list(scale_factor)
    if scale_factor is not None:
        pixels = [length * factor for length, factor in zip(lengths, factors, strict=False)]
        if len(factors) != 2 or not all(1 <= each < np.inf for each in pixels):
            raise ValueError(
                f"interpolate: scale_factor must be a number, or 2 of them, that makes at least "
                f"one pixel of {lengths}, not {scale_factor}."
            )
        size = [int(each) for each in pixels]
    sizes = whole_numbers("interpolate", "size", size or 0, 2, 1)
    rows, columns = (
        modes[mode](length, target, align_corners, factor and target / factor)
        for length, target, factor in zip(lengths, sizes, factors, strict=True)
    )
    return resample(x, rows, columns)
