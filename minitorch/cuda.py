"""What PyTorch's scripts ask before they choose a device."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

__all__ = ["is_available"]


def is_available() -> bool:
    """No: everything here is computed on the CPU."""
    return False
