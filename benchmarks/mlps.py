"""Multilayer perceptrons, one complete training step (SGD, momentum 0.9), in each framework.

A peer is a function that imports its framework, builds the net and returns its step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.timing import Step

Array = np.ndarray
LR, MOMENTUM = 1e-3, 0.9  # small: after thousands of steps the loss is still finite


@dataclass(frozen=True)
class Perceptron:
    """Sizes of the layers, what follows the last one, and the batch that is learnt."""

    sizes: tuple[int, ...]
    batch: int
    activation: str
    classes: bool  # cross entropy with integer targets, or tanh and mean squared error

    def data(self) -> tuple[Array, Array]:
        """A random batch: inputs, and classes or numbers to predict."""
        random = np.random.default_rng(0)
        x = random.standard_normal((self.batch, self.sizes[0]), dtype=np.float32)
        if self.classes:
            return x, random.integers(0, self.sizes[-1], self.batch)
        return x, np.sign(random.standard_normal((self.batch, 1), dtype=np.float32))

    def weights(self) -> list[Array]:
        """Weight (in, out) and bias of each layer, one after the other."""
        random = np.random.default_rng(1)
        arrays = []
        for inputs, outputs in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            weight = random.standard_normal((inputs, outputs), dtype=np.float32)
            arrays += [weight * np.float32((2 / inputs) ** 0.5), np.zeros(outputs, np.float32)]
        return arrays

    def peers(self) -> dict[str, Callable[[], Step]]:
        """The builders by the name of their framework."""
        return {
            "minitorch": lambda: minitorch_step(self),
            "torch": lambda: torch_step(self),
            "jax jit": lambda: jax_step(self),
            "autograd": lambda: autograd_step(self),
            "mygrad": lambda: mygrad_step(self),
            "numpy alone": lambda: numpy_step(self),
        }

    def users(self) -> dict[str, Callable[[], Step]]:
        """The builders of inference, the forward pass alone."""
        return {
            "minitorch": lambda: eager_use(self, "minitorch"),
            "torch": lambda: eager_use(self, "torch"),
            "numpy alone": lambda: numpy_use(self),
        }


TINY_MLP = Perceptron((2, 16, 16, 1), 32, "relu", classes=False)
MNIST_MLP = Perceptron((784, 512, 256, 10), 128, "relu", classes=True)


def like_pytorch(net: Perceptron, nn: Any) -> Any:
    """The net in PyTorch's words, which minitorch understands as well."""
    layers = []
    for inputs, outputs in zip(net.sizes[:-1], net.sizes[1:], strict=True):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1], *([] if net.classes else [nn.Tanh()]))


def minitorch_step(net: Perceptron) -> Step:
    """Ours."""
    return eager_step(net, "minitorch", "minitorch")


def torch_step(net: Perceptron) -> Step:
    """PyTorch, eager."""
    return eager_step(net, "torch", "torch.nn")


def eager_step(net: Perceptron, package: str, functions: str) -> Step:
    """The step that PyTorch and minitorch share, word for word."""
    nn, optim = import_module(f"{package}.nn"), import_module(f"{package}.optim")
    F = import_module(f"{functions}.functional")
    as_tensor: Any = import_module(package).tensor
    x, target = (as_tensor(part) for part in net.data())
    model = like_pytorch(net, nn)
    optimizer = optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    loss = F.cross_entropy if net.classes else F.mse_loss

    def step() -> None:
        optimizer.zero_grad()
        loss(model(x), target).backward()
        optimizer.step()

    return step


def eager_use(net: Perceptron, package: str) -> Step:
    """Inference, word for word the same in PyTorch and minitorch."""
    framework: Any = import_module(package)
    model = like_pytorch(net, import_module(f"{package}.nn")).eval()
    x = framework.tensor(net.data()[0])

    def use() -> None:
        with framework.no_grad():
            model(x)

    return use


def numpy_use(net: Perceptron) -> Step:
    """Inference by numpy, without a framework."""
    weights, x = net.weights(), net.data()[0]
    return lambda: forward(net, weights, x, np)


def forward(net: Perceptron, weights: Any, x: Any, numpy: Any) -> Any:
    """The net written out for the frameworks that speak numpy's words."""
    last = len(weights) // 2 - 1
    for layer in range(last + 1):
        x = numpy.matmul(x, weights[2 * layer]) + weights[2 * layer + 1]
        if layer < last:
            x = numpy.maximum(x, 0)
    return x if net.classes else numpy.tanh(x)


def loss_of(net: Perceptron, weights: Any, x: Any, target: Any, numpy: Any) -> Any:
    """Cross entropy or mean squared error in numpy's words."""
    y = forward(net, weights, x, numpy)
    if not net.classes:
        return numpy.mean((y - target) ** 2)
    shifted = y - numpy.max(y, axis=1, keepdims=True)
    log_total = numpy.log(numpy.sum(numpy.exp(shifted), axis=1))
    return numpy.mean(log_total - shifted[np.arange(net.batch), target])


def jax_step(net: Perceptron) -> Step:
    """JAX, the whole step compiled."""
    jax: Any = import_module("jax")
    x, target = net.data()

    @jax.jit
    def update(weights: Any, velocities: Any) -> Any:
        grads = jax.grad(lambda weights: loss_of(net, weights, x, target, jax.numpy))(weights)
        velocities = [MOMENTUM * v + g for v, g in zip(velocities, grads, strict=True)]
        return [w - LR * v for w, v in zip(weights, velocities, strict=True)], velocities

    state = [[jax.numpy.asarray(weight) for weight in net.weights()]]
    state.append([jax.numpy.zeros_like(weight) for weight in state[0]])

    def step() -> None:
        state[:] = update(*state)
        jax.block_until_ready(state)

    return step


def momentum_update(weight: Array, velocity: Array, grad: Array) -> None:
    """SGD with momentum in place, for the frameworks that bring no optimizer."""
    velocity *= MOMENTUM
    velocity += grad
    weight -= LR * velocity


def autograd_step(net: Perceptron) -> Step:
    """HIPS autograd: numpy wrapped."""
    autograd: Any = import_module("autograd")
    numpy = import_module("autograd.numpy")
    x, target = net.data()
    weights = net.weights()
    velocities = [np.zeros_like(weight) for weight in weights]
    gradient = autograd.grad(lambda weights: loss_of(net, weights, x, target, numpy))

    def step() -> None:
        for weight, velocity, grad in zip(weights, velocities, gradient(weights), strict=True):
            momentum_update(weight, velocity, grad)

    return step


def mygrad_step(net: Perceptron) -> Step:
    """MyGrad: the peer closest in form, with its memory guard off, as it advises for speed."""
    mygrad: Any = import_module("mygrad")
    softmax_crossentropy = import_module("mygrad.nnet.losses").softmax_crossentropy
    mygrad.turn_memory_guarding_off()
    x, target = net.data()
    weights = [mygrad.tensor(weight) for weight in net.weights()]
    velocities = [np.zeros_like(weight.data) for weight in weights]

    def step() -> None:
        if net.classes:
            softmax_crossentropy(forward(net, weights, x, mygrad), target).backward()
        else:
            loss_of(net, weights, x, target, mygrad).backward()
        for weight, velocity in zip(weights, velocities, strict=True):
            momentum_update(weight.data, velocity, weight.grad)

    return step


def numpy_step(net: Perceptron) -> Step:
    """No framework at all: this one step derived by hand, in place where it can be.

    What any framework that multiplies by numpy takes at least; the tape, the checks and whatever
    else makes it one come on top.
    """
    x, target = net.data()
    weights = net.weights()
    velocities = [np.zeros_like(weight) for weight in weights]
    last = len(weights) // 2 - 1
    scratch = np.empty(max(weight.size for weight in weights), np.float32)

    def step() -> None:
        values = [x]
        for layer in range(last + 1):
            y = np.dot(values[-1], weights[2 * layer])
            y += weights[2 * layer + 1]
            values.append(np.maximum(y, 0, out=y) if layer < last else y)
        grad = gradient_of_loss(net, values[-1], target)
        for layer in range(last, -1, -1):
            by_weight = np.dot(values[layer].T, grad)
            by_bias = np.add.reduce(grad, axis=0)
            if layer:
                grad = np.dot(grad, weights[2 * layer].T)
                grad *= values[layer] > 0
            for k, change in enumerate((by_weight, by_bias), 2 * layer):
                velocities[k] *= MOMENTUM
                velocities[k] += change
                part = scratch[: change.size].reshape(change.shape)
                weights[k] -= np.multiply(velocities[k], LR, out=part)

    return step


def gradient_of_loss(net: Perceptron, y: Array, target: Array) -> Array:
    """What flows back into the last layer: from tanh and mean square, or from cross entropy."""
    if not net.classes:
        y = np.tanh(y)
        return np.float32(2 / y.size) * (y - target) * (1 - y * y)
    y -= np.maximum.reduce(y, axis=1, keepdims=True)
    np.exp(y, out=y)
    y /= np.add.reduce(y, axis=1, keepdims=True)
    y[np.arange(net.batch), target] -= 1
    y /= net.batch
    return y
