"""Minitorch against PyTorch's own operator database; `python -m tests.conformance` runs it."""
