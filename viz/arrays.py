"""What is kept of each array that passes: its numbers in short, a thumbnail, values if they fit.

Summaries are taken when the array is seen, because it may be overwritten later. Values of small
arrays are copied; large ones are referred to, and no longer shown once they were written to.
Leans on theme for the colours, and on minitorch's clock of in-place writes.
"""

from __future__ import annotations

import base64
import struct
import weakref
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.versions import clock, owner_of
from viz.graph import size_text
from viz.theme import signed_colors

Array = np.ndarray[Any, np.dtype[Any]]

COPIED_BELOW = 1 << 18  # bytes; larger arrays are referred to
SHOWN_WHOLE = 64  # elements; more are asked for
SAMPLE = 1 << 13  # elements of a large array that stand for it in the histogram
MANY = 1 << 18  # elements; of more, the share of zeros is taken from a sample
PIXELS = 56  # longest side of a thumbnail


@dataclass(slots=True)
class Summary:
    """An array in short. `sample` and `pixels` are small copies; `values` is None when dropped."""

    shape: tuple[int, ...]
    dtype: str
    bytes: int
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
    values: Array | None
    seen_at: int

    @property
    def held(self) -> bool:
        """Whether the values are still those that were seen."""
        return self.values is not None and clock.last_write(self.values) <= self.seen_at

    @property
    def flags(self) -> list[str]:
        """What is suspicious about it."""
        return ["nonfinite"] if self.nan or self.inf else []


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
        summary = summarize(array)
        self.summaries[name] = summary
        self._seen[id(array)] = weakref.ref(array), summary
        if array.nbytes <= COPIED_BELOW or (copy and array.nbytes <= self.budget):
            summary.values = array.copy()
            self.budget -= array.nbytes
        elif id(owner_of(array)) in self._owners:
            summary.values = array
        elif owner_of(array).nbytes <= self.budget:
            self.budget -= owner_of(array).nbytes
            self._owners.add(id(owner_of(array)))
            summary.values = array
        else:
            self.dropped += 1
        return summary

    def values(self, name: str) -> Array | None:
        """The values as they were when seen, or None when they are gone."""
        summary = self.summaries.get(name)
        return summary.values if summary is not None and summary.held else None


def summarize(array: Array) -> Summary:
    """The numbers in short; without values."""
    flat = array.ravel(order="K") if array.size else array.reshape(-1)
    numbers = flat.astype(np.float32) if flat.dtype.kind != "f" else flat
    norm_squared = float(np.dot(numbers, numbers)) if numbers.size else 0.0
    nan = inf = 0
    if not np.isfinite(norm_squared):  # it may only have overflowed: count exactly
        nan, inf = int(np.isnan(numbers).sum()), int(np.isinf(numbers).sum())
        numbers = numbers[np.isfinite(numbers)].astype(np.float64)
        norm_squared = float(np.dot(numbers, numbers))
    empty = not numbers.size
    mean = np.nan if empty else float(numbers.mean())
    spread = 0.0 if empty else norm_squared / numbers.size - mean * mean
    pixels, note = thumbnail(array)
    step = max(1, numbers.size // SAMPLE)
    return Summary(
        array.shape, str(array.dtype), array.nbytes,
        np.nan if empty else float(numbers.min()), np.nan if empty else float(numbers.max()),
        mean, float(np.sqrt(max(spread, 0.0))),
        float("nan") if nan or inf else float(np.sqrt(norm_squared)),
        zero_share(flat[:: max(1, flat.size // MANY)]), nan, inf,
        numbers[::step].copy(), pixels, note, None, clock.now,
    )  # fmt: skip


def zero_share(numbers: Array) -> float:
    """Which part of the numbers is exactly 0."""
    return 1 - np.count_nonzero(numbers) / numbers.size if numbers.size else 0.0


def thumbnail(array: Array) -> tuple[Array, str | None]:
    """A matrix that stands for the array, at most `PIXELS` on a side, and what it leaves out."""
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
            note = f"sample 1 of {array.shape[0]}, {note}"
    rows, columns = (-(-size // PIXELS) for size in table.shape)
    if rows > 1 or columns > 1:
        every = "every " + (f"{rows}. row" if columns == 1 else f"{rows}×{columns}. element")
        note = f"{note}, {every}" if note else every
    return np.array(table[::rows, ::columns], np.float32), note


def tiled(channels: Array) -> tuple[Array, str]:
    """Up to 16 channels (C, H, W) side by side in a square, and a note that says how many."""
    count, height, width = channels.shape
    side = 1 if count == 1 or max(height, width) > PIXELS // 2 else 2 if count < 9 else 4
    side = min(side, max(1, PIXELS // max(height, width)))
    shown = min(side * side, count)
    sheet = np.zeros((side * height, side * width), np.float32)
    for k in range(shown):
        top, left = k // side * height, k % side * width
        sheet[top : top + height, left : left + width] = channels[k]
    return sheet[: -(-shown // side) * height], f"{shown} of {count} channels"


def array_record(summary: Summary) -> dict[str, Any]:
    """A summary as JSON-ready data: see `payload` for the form."""
    values = None
    if summary.held and summary.values is not None and summary.values.size <= SHOWN_WHOLE:
        values = plain(summary.values.tolist())
    limit = max(abs(summary.low), abs(summary.high)) if summary.sample.size else 0.0
    thumb = None
    if summary.pixels.size:
        height, width = summary.pixels.shape
        thumb = {
            "png": data_uri(signed_colors(summary.pixels, limit)),
            "width": width,
            "height": height,
            "kind": "heat",
            "limit": plain(limit),
            "note": summary.note,
        }
    named = {
        "min": summary.low, "max": summary.high, "mean": summary.mean, "std": summary.std,
        "norm": summary.norm, "zeros": summary.zeros,
    }  # fmt: skip
    return {
        "shape": list(summary.shape), "size": size_text(summary.shape), "dtype": summary.dtype,
        "bytes": summary.bytes, **plain(named), "nan": summary.nan, "inf": summary.inf,
        "hist": histogram(summary.sample), "thumb": thumb, "values": values,
        "held": summary.held,
    }  # fmt: skip


def histogram(sample: Array, bins: int = 24) -> dict[str, Any] | None:
    """How the numbers spread, or None when there are none."""
    if not sample.size:
        return None
    counts, ends = np.histogram(sample.astype(np.float64), bins)
    return {"counts": counts.tolist(), "low": float(ends[0]), "high": float(ends[-1])}


def plain(value: Any) -> Any:
    """`value` with every number that JSON does not know as a word: "nan", "inf", "-inf"."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value


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
