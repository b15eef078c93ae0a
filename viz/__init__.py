"""Pictures of what minitorch does: graphs, recordings, and the debugger that steps through them."""

from viz.drawing import draw_graph
from viz.recording import record

__all__ = ["draw_graph", "record"]
