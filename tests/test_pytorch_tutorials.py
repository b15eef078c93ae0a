"""PyTorch's common tutorials, written from memory, with nothing changed but the imports."""

import math

import numpy as np
import pytest

import minitorch as torch
import minitorch.functional as F
from minitorch import nn, optim


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_autograd_by_hand():
    x = torch.ones(5)
    y = torch.zeros(3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)
    z = torch.matmul(x, w) + b
    loss = F.binary_cross_entropy_with_logits(z, y)
    assert z.grad_fn is not None
    loss.backward()
    expected = 1 / (1 + np.exp(-z.detach().numpy())) / 3
    np.testing.assert_allclose(b.grad.numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(w.grad.numpy(), np.tile(expected, (5, 1)), rtol=1e-5)
    with torch.no_grad():
        assert not (torch.matmul(x, w) + b).requires_grad


class LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class Polynomial3(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.randn(()))
        self.b = nn.Parameter(torch.randn(()))
        self.c = nn.Parameter(torch.randn(()))
        self.d = nn.Parameter(torch.randn(()))

    def forward(self, x):
        return self.a + self.b * x + self.c * x**2 + self.d * x**3


def sine():
    dtype = torch.float
    device = torch.device("cpu")
    x = torch.linspace(-math.pi, math.pi, 2000, device=device, dtype=dtype)
    return x, torch.sin(x)


def test_polynomial_by_hand():
    x, y = sine()
    a, b, c, d = (torch.randn(()) for _ in range(4))
    losses = []
    for _ in range(300):
        y_pred = a + b * x + c * x**2 + d * x**3
        losses.append((y_pred - y).pow(2).sum().item())
        grad_y_pred = 2.0 * (y_pred - y)
        a -= 1e-6 * grad_y_pred.sum()
        b -= 1e-6 * (grad_y_pred * x).sum()
        c -= 1e-6 * (grad_y_pred * x**2).sum()
        d -= 1e-6 * (grad_y_pred * x**3).sum()
    assert losses[-1] < losses[0] / 5


def test_polynomial_with_autograd():
    x, y = sine()
    a, b, c, d = (torch.randn((), dtype=torch.float, requires_grad=True) for _ in range(4))
    losses = []
    for _ in range(300):
        y_pred = a + b * x + c * x**2 + d * x**3
        loss = (y_pred - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for weight in (a, b, c, d):
                weight -= 1e-6 * weight.grad
                weight.grad = None
    assert losses[-1] < losses[0] / 5


def test_a_linear_fit_that_updates_data():
    x = torch.linspace(-1, 1, 50)
    w = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for _ in range(100):
        loss = ((w * x + b - (3 * x + 2)) ** 2).mean()
        loss.backward()
        w.data -= 0.5 * w.grad.data
        b.data.sub_(0.5 * b.grad)
        w.grad.data.zero_()
        b.grad.zero_()
    assert loss.data.item() < 1e-6
    assert abs(w.data[0].item() - 3) < 1e-3
    assert w.requires_grad
    assert not w.data.requires_grad
    w.data = torch.ones(1)
    assert w.tolist() == [1.0]


def test_polynomial_with_a_function_of_ones_own():
    x, y = sine()
    a = torch.full((), 0.0, requires_grad=True)
    b = torch.full((), -1.0, requires_grad=True)
    c = torch.full((), 0.0, requires_grad=True)
    d = torch.full((), 0.3, requires_grad=True)
    for _ in range(300):
        y_pred = a + b * LegendrePolynomial3.apply(c + d * x)
        loss = (y_pred - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for weight in (a, b, c, d):
                weight -= 5e-6 * weight.grad
                weight.grad = None
    assert loss.item() < 120


def test_polynomial_with_nn_and_optim():
    x, y = sine()
    xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
    loss_fn = nn.MSELoss(reduction="sum")
    optimizer = optim.SGD(model.parameters(), lr=1e-6)
    losses = []
    for _ in range(300):
        loss = loss_fn(model(xx), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert model[0].weight.shape == (1, 3)
    assert losses[-1] < losses[0] / 3


def test_polynomial_as_a_module():
    x, y = sine()
    model = Polynomial3()
    criterion = nn.MSELoss(reduction="sum")
    optimizer = optim.SGD(model.parameters(), lr=1e-6)
    losses = []
    for _ in range(300):
        loss = criterion(model(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0] / 5


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def test_a_small_conv_net_learns_a_batch_by_heart():
    net = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    inputs, labels = torch.randn(8, 3, 32, 32), torch.randint(0, 10, (8,))
    for _ in range(25):
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
    _, predicted = torch.max(outputs, 1)
    assert (predicted == labels).sum().item() == 8


def test_a_state_dict_moves_a_model():
    trained, fresh = Net(), Net()
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        fresh.load_state_dict(trained.state_dict())
        fresh.eval()
        assert torch.allclose(trained(x), fresh(x))
    assert list(trained.state_dict())[:2] == ["conv1.weight", "conv1.bias"]


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        hidden = torch.tanh(self.i2h(combined))
        return self.softmax(self.h2o(hidden)), hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


def test_an_rnn_tells_names_apart():
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = {"ivanov": 0, "petrov": 0, "rossi": 1, "bianchi": 1, "smirnov": 0, "ricci": 1}

    def line_to_tensor(line):
        tensor = torch.zeros(len(line), 1, len(letters))
        for position, letter in enumerate(line):
            tensor[position][0][letters.index(letter)] = 1
        return tensor

    rnn = RNN(len(letters), 32, 2)
    criterion = nn.NLLLoss()
    for _ in range(30):
        for name, category in names.items():
            hidden = rnn.init_hidden()
            rnn.zero_grad()
            for letter in line_to_tensor(name):
                output, hidden = rnn(letter, hidden)
            loss = criterion(output, torch.tensor([category], dtype=torch.long))
            loss.backward()
            for p in rnn.parameters():
                p.data.add_(p.grad.data, alpha=-0.05)
    for name, category in names.items():
        hidden = rnn.init_hidden()
        for letter in line_to_tensor(name):
            output, hidden = rnn(letter, hidden)
        assert output.argmax(1).item() == category
