"""What is kept of each array that passes: its numbers in short, a thumbnail, values if they fit.

Summaries are taken when the array is seen, because it may be overwritten later. Values of small
arrays are copied; large ones are referred to, and no longer shown once they were written to.
Leans on theme for the colours, and on minitorch's clock of in-place writes.
"""

from __future__ import annotations

import base64
import math
import struct
import weakref
import zlib
from functools import lru_cache
from typing import Any

import numpy as np

from minitorch.versions import clock, owner_of
from viz.graph import size_text
from viz.theme import signed_colors

Array = np.ndarray[Any, np.dtype[Any]]

ALWAYS_COPIED = 1 << 9  # bytes, whatever the budget says
COPIED_BELOW = 1 << 18  # bytes; larger arrays are referred to
SHOWN_WHOLE = 64  # elements; more are asked for
SAMPLE = 1 << 13  # elements of a large array that stand for it in the histogram
MANY = 1 << 18  # elements; of more, the share of zeros is taken from a sample
FAINT = 1e-30  # a sum of squares that float32 cannot be trusted with
CANCELLED = 1e-3  # a variance this small beside the mean square is mostly rounding
PIXELS = 56  # longest side of a thumbnail
GRID = 6  # rows and columns that the page shows as numbers, not as a picture


class Summary:
    """An array in short, worked out when it is first asked for.

    `values` is None when they were dropped; then the facts were taken at once. `sample` and
    `pixels` are small copies, or views of the copy that `values` is.
    """

    __slots__ = (
        "bytes", "dtype", "high", "inf", "low", "mean", "nan", "norm", "note", "pixels", "sample",
        "seen_at", "shape", "std", "values", "zeros",
    )  # fmt: skip
    low: float
    high: float
    mean: float
    std: float
    norm: float
    zeros: float
    nan: int
    inf: int
    sample: Array
    pixels: Array
    note: str | None

    def __init__(self, array: Array, values: Array | None) -> None:
        self.shape = array.shape
        self.dtype = dtype_name(array.dtype)
        self.bytes = array.nbytes
        self.values = values
        self.seen_at = clock.now

    def __getattr__(self, name: str) -> Any:
        """The facts of a private copy are worked out when one of them is needed."""
        if name.startswith("_") or self.values is None:
            raise AttributeError(name)
        self.look_at(self.values)
        return object.__getattribute__(self, name)

    def look_at(self, array: Array) -> None:
        """Take the facts."""
        if array.size == 1 and array.dtype.kind in "fiub":
            self.look_at_number(float(array.reshape(-1)[0]), array)
            return
        flat = array.ravel(order="K") if array.size else array.reshape(-1)
        is_coarse = flat.dtype.kind != "f" or flat.dtype.itemsize < 4
        numbers = flat.astype(np.float32) if is_coarse else flat
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is counted below
            norm_squared = float(np.dot(numbers, numbers)) if numbers.size else 0.0
        self.nan = self.inf = 0
        broken = 0.0  # the norm of what is not finite
        if not np.isfinite(norm_squared):  # it may only have overflowed: count exactly
            self.nan, self.inf = int(np.isnan(numbers).sum()), int(np.isinf(numbers).sum())
            broken = math.nan if self.nan else math.inf if self.inf else 0.0
            numbers = numbers[np.isfinite(numbers)].astype(np.float64)
            norm_squared = float(np.dot(numbers, numbers))
        unit = 1.0
        if norm_squared < FAINT and numbers.size:  # squares of small numbers may have become 0
            unit = float(np.abs(numbers).max()) or 1.0
            scaled = numbers.astype(np.float64) / unit
            norm_squared = float(np.dot(scaled, scaled))
        empty = not numbers.size
        self.mean = np.nan if empty else float(np.add.reduce(numbers)) / numbers.size
        square = np.nan if empty else norm_squared / numbers.size
        spread = square - (self.mean / unit) ** 2
        if spread < CANCELLED * square:  # what is left of the difference is rounding
            self.std = float(np.std(numbers, dtype=np.float64))
        else:
            self.std = float(np.sqrt(spread)) * unit
        self.low = np.nan if empty else float(np.minimum.reduce(numbers))
        self.high = np.nan if empty else float(np.maximum.reduce(numbers))
        self.norm = broken or float(np.sqrt(norm_squared)) * unit
        self.zeros = zero_share(flat[:: max(1, flat.size // MANY)])
        self.pixels, self.note = thumbnail(array, finite=not (self.nan or self.inf))
        self.sample = numbers[:: max(1, numbers.size // SAMPLE)].copy()

    def look_at_number(self, number: float, array: Array) -> None:
        """The facts of a single number: long loops of scalars have many of them."""
        self.nan, self.inf = int(number != number), int(number in (float("inf"), float("-inf")))
        finite = not (self.nan or self.inf)
        self.low = self.high = self.mean = number if finite else np.nan
        self.std = 0.0 if finite else np.nan
        self.norm = abs(number)
        self.zeros = float(number == 0)
        self.sample = np.full(int(finite), number)
        self.pixels, self.note = np.full((1, 1), number), None

    @property
    def held(self) -> bool:
        """Whether the values are still those that were seen."""
        return self.values is not None and clock.last_write(self.values) <= self.seen_at

    @property
    def all_zero(self) -> bool:
        """Whether there are numbers and each is 0."""
        return self.bytes > 0 and self.norm == 0

    @property
    def flags(self) -> list[str]:
        """What is suspicious about it."""
        return ["nonfinite"] if self.nan or self.inf else []


@lru_cache(maxsize=64)
def dtype_name(dtype: np.dtype[Any]) -> str:
    """`float32`; numpy works the word out anew each time."""
    return str(dtype)


class Store:
    """The arrays of a recording by id, with a budget in bytes for the values it keeps alive."""

    def __init__(self, budget: int) -> None:
        self.summaries: dict[str, Summary] = {}
        self.budget = self.whole_budget = budget
        self.dropped = 0
        self._owners: set[int] = set()
        self._seen: dict[int, tuple[weakref.ref[Array], Summary]] = {}

    def keep(self, name: str, array: Array, copy: bool = False, again: bool = False) -> Summary:
        """Summarize `array`, and keep its values (or a copy of them) while the budget lasts.

        With `again`, an array that was seen before and not written to since is not looked at twice.
        """
        seen = self._seen.get(id(array)) if again else None
        if seen is not None and seen[0]() is array and seen[1].seen_at >= clock.last_write(array):
            self.summaries[name] = seen[1]
            return seen[1]
        values = self._held(array, copy)
        summary = Summary(array, values)
        if values is None or values is array:  # it may be written to before anyone asks
            summary.look_at(array)
        self.summaries[name] = summary
        self._seen[id(array)] = weakref.ref(array), summary
        return summary

    def _held(self, array: Array, copy: bool) -> Array | None:
        """The array or a copy of it where the budget allows, else None."""
        size = array.nbytes
        if size <= ALWAYS_COPIED or ((size <= COPIED_BELOW or copy) and size <= self.budget):
            self.budget -= size
            return array.copy()
        owner = owner_of(array)
        if id(owner) not in self._owners:
            if owner.nbytes > self.budget:
                self.dropped += 1
                return None
            self.budget -= owner.nbytes
            self._owners.add(id(owner))
        return array

    def values(self, name: str) -> Array | None:
        """The values as they were when seen, or None when they are gone."""
        summary = self.summaries.get(name)
        return summary.values if summary is not None and summary.held else None


def zero_share(numbers: Array) -> float:
    """Which part of the numbers is exactly 0."""
    return 1 - np.count_nonzero(numbers) / numbers.size if numbers.size else 0.0


def thumbnail(array: Array, finite: bool = True) -> tuple[Array, str | None]:
    """A matrix that stands for the array, at most `PIXELS` on a side, and what it leaves out.

    It never leaves out what it is most looked at for: a number that is not `finite` takes the
    place of the one that stands for its neighbourhood.
    """
    if array.dtype.kind not in "fiub" or not array.size:
        return np.zeros((0, 0), np.float32), None
    note = None
    if array.ndim < 2:
        table = array.reshape(1, -1)
    elif array.ndim == 2:
        table = array
    else:
        first = array[(0,) * (array.ndim - 3)]
        table, note = tiled(first)
        if array.ndim > 3:
            note = ", ".join(filter(None, [f"sample 1/{array.shape[0]}", note]))
    rows, columns = (-(-size // (PIXELS + 4)) for size in table.shape)
    if rows > 1 or columns > 1:
        every = f"1 in {rows * columns} shown"
        note = f"{note}, {every}" if note else every
    exact = np.float64 if table.dtype == np.float64 else np.float32  # 1e300 must not become inf
    pixels = np.array(table[::rows, ::columns], exact)
    if not finite:
        down, across = np.nonzero(~np.isfinite(table))
        pixels[down // rows, across // columns] = table[down, across]
    return pixels, note or None


def tiled(channels: Array) -> tuple[Array, str]:
    """Up to 16 channels (C, H, W) side by side in a square, and a note that says how many."""
    count, height, width = channels.shape
    side = 1 if count == 1 or max(height, width) > PIXELS // 2 else 2 if count < 9 else 4
    side = min(side, max(1, PIXELS // max(height, width)))
    shown = min(side * side, count)
    across = min(side, shown)
    high, wide = height + 1, width + 1  # a white line between them
    sheet = np.zeros((-(-shown // side) * high - 1, across * wide - 1), channels.dtype)
    for k in range(shown):
        top, left = k // side * high, k % side * wide
        sheet[top : top + height, left : left + width] = channels[k]
    return sheet, f"{shown}/{count} channels" if count > 1 else ""


def array_record(summary: Summary) -> dict[str, Any]:
    """A summary as JSON-ready data: see `payload` for the form."""
    values = None
    if summary.held and summary.values is not None and summary.values.size <= SHOWN_WHOLE:
        values = plain(summary.values.tolist())
    limit = max(abs(summary.low), abs(summary.high)) if summary.sample.size else 0.0
    named = {
        "min": summary.low, "max": summary.high, "mean": summary.mean, "std": summary.std,
        "norm": summary.norm, "zeros": summary.zeros,
    }  # fmt: skip
    return {
        "shape": list(summary.shape), "size": size_text(summary.shape), "dtype": summary.dtype,
        "bytes": summary.bytes, **plain(named), "nan": summary.nan, "inf": summary.inf,
        "hist": histogram(summary), "thumb": thumb_record(summary, limit, values),
        "values": values, "held": summary.held,
    }  # fmt: skip


def thumb_record(summary: Summary, limit: float, values: Any) -> dict[str, Any] | None:
    """The heat map; of an array that is shown as a grid of numbers, only its measures."""
    if not summary.pixels.size:
        return None
    height, width = summary.pixels.shape
    as_grid = values is not None and len(summary.shape) <= 2 and max(width, height) <= GRID
    return {
        "png": "" if as_grid else data_uri(heat_map(summary.pixels, limit)),
        "width": width, "height": height, "kind": "heat", "limit": plain(limit),
        "note": summary.note,
    }  # fmt: skip


def heat_map(pixels: Array, limit: float) -> Array:
    """The colours of a thumbnail; what is not finite also has a hole, for eyes that see no magenta.

    Then each number is a square of 3 x 3 pixels; the page scales the picture to the same size.
    """
    colors = signed_colors(pixels, limit)
    broken = ~np.isfinite(pixels)
    if broken.any():
        colors = colors.repeat(3, axis=0).repeat(3, axis=1)
        colors[1::3, 1::3][broken] = 255
    return colors


def histogram(summary: Summary, bins: int = 24) -> dict[str, Any] | None:
    """How the numbers spread from the least to the largest, or None when there are none."""
    if not summary.sample.size:
        return None
    low, high = summary.low, summary.high
    if high - low <= 1e-12 * max(abs(low), abs(high)):  # all the same: one bar in the middle
        half = abs(low) / 2 or 0.5
        low, high = low - half, high + half
    # Halves, so that the range of numbers near the largest there are does not overflow.
    share = (summary.sample.astype(np.float64) / 2 - low / 2) / (high / 2 - low / 2)
    places = np.minimum((share * bins).astype(np.intp), bins - 1)
    counts = np.bincount(np.maximum(places, 0), minlength=bins)
    return {"counts": counts.tolist(), "low": plain(low), "high": plain(high)}


def plain(value: Any) -> Any:
    """`value` with every number that JSON does not know as a word: "nan", "inf", "-inf"."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:  # most of a large payload
        return value
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return plain(value.item()) if isinstance(value, np.generic) else value


def data_uri(pixels: Array) -> str:
    """Bytes (height, width, 3) as a PNG in a data URI."""
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode()


def png(pixels: Array) -> bytes:
    """A PNG of red, green and blue bytes (height, width, 3): signature, header, rows, end."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
