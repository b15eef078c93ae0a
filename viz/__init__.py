"""Pictures of what minitorch does: graphs, recordings, and the debugger that steps through them."""
