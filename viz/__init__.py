"""Pictures of what minitorch does: graphs, recordings, and the debugger that steps through them."""

from viz.drawing import draw_graph
from viz.recording import record
from viz.ways import debug, load_ipython_extension

__all__ = ["debug", "draw_graph", "load_ipython_extension", "record"]
