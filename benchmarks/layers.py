"""Single layers, forward and backward: where a network's time can go, one layer at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.networks import with_passes
from benchmarks.timing import Step


@dataclass(frozen=True)
class Product:
    """A matrix product and nothing else: how far numpy's BLAS is from PyTorch's on this machine."""

    rows: int
    inner: int
    columns: int

    does = "one matrix product"

    def peers(self) -> dict[str, Callable[[], Step]]:
        """The builders by the name of their framework."""
        return {
            "minitorch": lambda: product_step(self, "minitorch"),
            "numpy alone": lambda: numpy_product_step(self),
            "torch": lambda: product_step(self, "torch"),
        }

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Both factors."""
        random = np.random.default_rng(0)
        shapes = (self.rows, self.inner), (self.inner, self.columns)
        left, right = (random.standard_normal(shape, dtype=np.float32) for shape in shapes)
        return left, right


@dataclass(frozen=True)
class Layer:
    """A layer in PyTorch's words, the images that it sees, and whether they need a gradient."""

    build: Callable[[Any], Any]
    images: tuple[int, int, int, int]
    first: bool = False

    does = "forward and backward"

    def peers(self) -> dict[str, Callable[[], Step]]:
        """The builders by the name of their framework."""
        peers = {
            "minitorch": lambda: with_passes(eager_step(self, "minitorch"), compiled=False),
            "minitorch, numba": lambda: with_passes(eager_step(self, "minitorch"), compiled=True),
            "torch": lambda: eager_step(self, "torch"),
            "torch channels last": lambda: eager_step(self, "torch", channels_last=True),
        }
        if isinstance(self, Kernels):
            peers["jax jit"] = lambda: jax_step(self)
            if self.stride == 1:  # it refuses a stride that leaves pixels over
                peers["mygrad"] = lambda: mygrad_step(self)
        return peers


@dataclass(frozen=True)
class Kernels(Layer):
    """A 3 x 3 convolution without bias, which other frameworks can say as well."""

    features: int = 0
    stride: int = 1

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Images (N, C, H, W) and weight (K, C, 3, 3)."""
        random = np.random.default_rng(0)
        shape = (self.features, self.images[1], 3, 3)
        images = random.standard_normal(self.images, dtype=np.float32)
        return images, random.standard_normal(shape, dtype=np.float32)


def convolution(
    batch: int, channels: int, size: int, features: int, stride: int = 1, first: bool = False
) -> Kernels:
    """A layer of 3 x 3 kernels that sees (batch, channels, size, size)."""

    def build(nn: Any) -> Any:
        return nn.Conv2d(channels, features, 3, stride=stride, padding=1, bias=False)

    return Kernels(build, (batch, channels, size, size), first, features, stride)


LAYERS: dict[str, Layer | Product] = {
    "conv_3_16": convolution(128, 3, 32, 16, first=True),
    "conv_16": convolution(128, 16, 32, 16),
    "conv_16_32_stride_2": convolution(128, 16, 32, 32, stride=2),
    "conv_64_small": convolution(128, 64, 8, 64),
    "conv_64": convolution(64, 64, 32, 64),
    "conv_512": convolution(64, 512, 4, 512),
    "depthwise_64": Layer(lambda nn: nn.Conv2d(64, 64, 3, padding=1, groups=64), (64, 64, 28, 28)),
    "batch_norm_16": Layer(lambda nn: nn.BatchNorm2d(16), (128, 16, 32, 32)),
    "relu_16": Layer(lambda nn: nn.ReLU(), (128, 16, 32, 32)),
    "max_pool_32": Layer(lambda nn: nn.MaxPool2d(2), (64, 32, 28, 28)),
    "product_of_the_mlp": Product(128, 784, 512),
    "product_of_16_channels": Product(131072, 144, 16),
    "product_of_64_channels": Product(8192, 576, 64),
    "product_of_512_channels": Product(1024, 4608, 512),
}


def product_step(product: Product, package: str) -> Step:
    """The product in minitorch and in PyTorch, word for word; no gradient is asked for."""
    give_cores_to("blas")
    framework: Any = import_module(package)
    left, right = (framework.tensor(array) for array in product.arrays())
    return lambda: framework.matmul(left, right)


def give_cores_to(mode: str) -> None:
    """Say who uses the cores on our side, whatever was measured before in this process."""
    import_module("minitorch.threads").threads.use(mode)


def numpy_product_step(product: Product) -> Step:
    """The product by numpy, into memory that is there already."""
    give_cores_to("blas")
    left, right = product.arrays()
    out = left @ right
    return lambda: np.matmul(left, right, out=out)


def eager_step(layer: Layer, package: str, channels_last: bool = False) -> Step:
    """The layer and its backward, in minitorch and in PyTorch word for word."""
    give_cores_to("python")
    framework: Any = import_module(package)
    built = layer.build(import_module(f"{package}.nn"))
    batch, channels, *size = layer.images
    pixels = np.random.default_rng(0).standard_normal((batch, *size, channels), np.float32)
    images = framework.tensor(pixels.transpose(0, 3, 1, 2))  # ours keeps the order of memory
    if package == "torch":
        memory = framework.channels_last if channels_last else framework.contiguous_format
        built, images = built.to(memory_format=memory), images.contiguous(memory_format=memory)
    images.requires_grad = not layer.first
    gradient = framework.ones_like(built(images)).detach()

    def step() -> None:
        images.grad = None
        for parameter in built.parameters():
            parameter.grad = None
        built(images).backward(gradient)

    return step


def jax_step(layer: Kernels) -> Step:
    """JAX, compiled, in its favourite order of memory: channels last."""
    jax: Any = import_module("jax")
    images, weight = layer.arrays()
    pixels = jax.numpy.asarray(images.transpose(0, 2, 3, 1))
    kernel = jax.numpy.asarray(weight.transpose(2, 3, 1, 0))

    def convolve(pixels: Any, kernel: Any) -> Any:
        return jax.lax.conv_general_dilated(
            pixels,
            kernel,
            (layer.stride, layer.stride),
            ((1, 1), (1, 1)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )

    @jax.jit
    def both(pixels: Any, kernel: Any) -> Any:
        y, back = jax.vjp(convolve, pixels, kernel)
        return back(jax.numpy.ones_like(y))[layer.first :]

    return lambda: jax.block_until_ready(both(pixels, kernel))


def mygrad_step(layer: Kernels) -> Step:
    """MyGrad's convolution of any number of dimensions."""
    mygrad: Any = import_module("mygrad")
    conv_nd = import_module("mygrad.nnet.layers").conv_nd
    mygrad.turn_memory_guarding_off()
    arrays = layer.arrays()
    images, weight = mygrad.tensor(arrays[0], constant=layer.first), mygrad.tensor(arrays[1])

    def step() -> None:
        conv_nd(images, weight, stride=layer.stride, padding=1).sum().backward()

    return step
