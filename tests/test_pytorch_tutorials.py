"""PyTorch's common tutorials, written from memory, with nothing changed but the imports."""

# mypy: ignore-errors
# The tutorials stay as their authors write them, and they do not write for a type checker.

# ruff: noqa: B905, C417, UP008 - the tutorials' own style

import math

import numpy as np
import pytest

import minitorch as torch
import minitorch.functional as F
from minitorch import nn, optim
from minitorch.data import DataLoader, TensorDataset


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


class LogisticRegression(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(784, 10) / math.sqrt(784))
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, xb):
        return xb @ self.weights + self.bias


class Lambda(nn.Module):
    def __init__(self, func):
        super().__init__()
        self.func = func

    def forward(self, x):
        return self.func(x)


def preprocess(x):
    return x.view(-1, 1, 28, 28)


def stripes(count):
    """Images (count, 784) of 28 x 28 with a bright column, whose place tells the class."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, count)
    images = random.random((count, 28, 28), np.float32) * 0.3
    for image, label in zip(images, labels, strict=True):
        image[:, 2 * label + 4] += 0.7
    return images.reshape(count, 784), labels


def test_what_nn_really_is_from_the_ground_up():
    x_train, y_train = map(torch.tensor, stripes(256))
    n, c = x_train.shape
    assert (n, c, y_train.min(), y_train.max()) == (256, 784, 0, 9)
    weights = torch.randn(784, 10) / math.sqrt(784)
    weights.requires_grad_()
    bias = torch.zeros(10, requires_grad=True)

    def log_softmax(x):
        return x - x.exp().sum(-1).log().unsqueeze(-1)

    def model(xb):
        return log_softmax(xb @ weights + bias)

    def nll(input, target):
        return -input[range(target.shape[0]), target].mean()

    def accuracy(out, yb):
        preds = torch.argmax(out, dim=1)
        return (preds == yb).float().mean()

    bs, lr = 64, 0.1
    assert nll(model(x_train[:bs]), y_train[:bs]).item() > 1.5
    for _ in range(12):
        for i in range((n - 1) // bs + 1):
            xb, yb = x_train[i * bs : i * bs + bs], y_train[i * bs : i * bs + bs]
            loss = nll(model(xb), yb)
            assert abs(loss.item() - F.cross_entropy(xb @ weights + bias, yb).item()) < 1e-5
            loss.backward()
            with torch.no_grad():
                weights -= weights.grad * lr
                bias -= bias.grad * lr
                weights.grad.zero_()
                bias.grad.zero_()
    assert accuracy(model(x_train), y_train) > 0.9


def test_what_nn_really_is_with_a_module_and_data_loaders():
    x_train, y_train = map(torch.tensor, stripes(256))
    train_ds = TensorDataset(x_train, y_train)
    train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
    valid_dl = DataLoader(train_ds, batch_size=128)
    loss_func = F.cross_entropy

    def loss_batch(model, loss_func, xb, yb, opt=None):
        loss = loss_func(model(xb), yb)
        if opt is not None:
            loss.backward()
            opt.step()
            opt.zero_grad()
        return loss.item(), len(xb)

    def fit(epochs, model, loss_func, opt):
        for _ in range(epochs):
            model.train()
            for xb, yb in train_dl:
                loss_batch(model, loss_func, xb, yb, opt)
            model.eval()
            with torch.no_grad():
                losses, nums = zip(*[loss_batch(model, loss_func, xb, yb) for xb, yb in valid_dl])
            val_loss = np.sum(np.multiply(losses, nums)) / np.sum(nums)
        return val_loss

    by_hand = LogisticRegression()
    for _ in range(3):
        loss_func(by_hand(x_train), y_train).backward()
        with torch.no_grad():
            for p in by_hand.parameters():
                p -= p.grad * 0.5
            by_hand.zero_grad()
    model = LogisticRegression()
    assert fit(10, model, loss_func, optim.SGD(model.parameters(), lr=0.1)) < 0.5
    conv = nn.Sequential(
        Lambda(preprocess),
        nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 10, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        Lambda(lambda x: x.view(x.size(0), -1)),
    )
    opt = optim.SGD(conv.parameters(), lr=0.1, momentum=0.9)
    assert fit(1, conv, loss_func, opt) < 2.4


class NGramLanguageModeler(nn.Module):
    def __init__(self, vocab_size, embedding_dim, context_size):
        super(NGramLanguageModeler, self).__init__()
        self.embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.linear1 = nn.Linear(context_size * embedding_dim, 64)
        self.linear2 = nn.Linear(64, vocab_size)

    def forward(self, inputs):
        embeds = self.embeddings(inputs).view((1, -1))
        out = F.relu(self.linear1(embeds))
        out = self.linear2(out)
        return F.log_softmax(out, dim=1)


def test_word_embeddings_from_the_two_words_before():
    sentence = "the cat sat on the mat and the dog lay by the door while the bird sang"
    text = sentence.split()
    ngrams = [([text[i - 1], text[i - 2]], text[i]) for i in range(2, len(text))]
    word_to_ix = {word: i for i, word in enumerate(sorted(set(text)))}
    lookup_tensor = torch.tensor([word_to_ix["cat"]], dtype=torch.long)
    assert nn.Embedding(len(word_to_ix), 5)(lookup_tensor).size() == (1, 5)
    model = NGramLanguageModeler(len(word_to_ix), 10, 2)
    loss_function = nn.NLLLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(25):
        total_loss = 0
        for context, target in ngrams:
            context_idxs = torch.tensor([word_to_ix[w] for w in context], dtype=torch.long)
            model.zero_grad()
            log_probs = model(context_idxs)
            loss = loss_function(log_probs, torch.tensor([word_to_ix[target]], dtype=torch.long))
            loss.backward()
            optimizer.step()
            total_loss += loss.item()
        losses.append(total_loss)
    assert losses[-1] < losses[0] / 10
    assert model.embeddings.weight[word_to_ix["mat"]].shape == (10,)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self, nz, ngf, nc):
        super(Generator, self).__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self, ndf, nc):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input)


def test_a_generator_and_a_discriminator_learn_from_each_other():
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    nz, b_size = 8, 8
    netG, netD = Generator(nz, 4, 1).to(device), Discriminator(4, 1).to(device)
    netG.apply(weights_init)
    netD.apply(weights_init)
    assert abs(netG.main[1].weight.mean().item() - 1) < 0.05
    criterion = nn.BCELoss()
    fixed_noise = torch.randn(4, nz, 1, 1, device=device)
    real_label, fake_label = 1.0, 0.0
    optimizerD = optim.Adam(netD.parameters(), lr=0.002, betas=(0.5, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=0.002, betas=(0.5, 0.999))
    real_cpu = torch.ones(b_size, 1, 16, 16) * 0.5
    G_losses, D_losses = [], []
    for _ in range(6):
        netD.zero_grad()
        label = torch.full((b_size,), real_label, dtype=torch.float, device=device)
        output = netD(real_cpu.to(device)).view(-1)
        errD_real = criterion(output, label)
        errD_real.backward()
        D_x = output.mean().item()
        noise = torch.randn(b_size, nz, 1, 1, device=device)
        fake = netG(noise)
        label.fill_(fake_label)
        output = netD(fake.detach()).view(-1)
        errD_fake = criterion(output, label)
        errD_fake.backward()
        errD = errD_real + errD_fake
        optimizerD.step()
        netG.zero_grad()
        label.fill_(real_label)
        output = netD(fake).view(-1)
        errG = criterion(output, label)
        errG.backward()
        optimizerG.step()
        G_losses.append(errG.item())
        D_losses.append(errD.item())
    with torch.no_grad():
        assert netG(fixed_noise).detach().cpu().shape == (4, 1, 16, 16)
    assert D_x > 0.5
    assert D_losses[-1] < D_losses[0]


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, 1, d_model)
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        x = x + self.pe[: x.size(0)]
        return self.dropout(x)


class TransformerModel(nn.Module):
    def __init__(self, ntoken, d_model, nhead, d_hid, nlayers, dropout=0.5):
        super().__init__()
        self.model_type = "Transformer"
        self.pos_encoder = PositionalEncoding(d_model, dropout, max_len=50)
        encoder_layers = nn.TransformerEncoderLayer(d_model, nhead, d_hid, dropout)
        self.transformer_encoder = nn.TransformerEncoder(encoder_layers, nlayers)
        self.embedding = nn.Embedding(ntoken, d_model)
        self.d_model = d_model
        self.linear = nn.Linear(d_model, ntoken)
        self.init_weights()

    def init_weights(self):
        initrange = 0.1
        self.embedding.weight.data.uniform_(-initrange, initrange)
        self.linear.bias.data.zero_()
        self.linear.weight.data.uniform_(-initrange, initrange)

    def forward(self, src, src_mask=None):
        src = self.embedding(src) * math.sqrt(self.d_model)
        src = self.pos_encoder(src)
        if src_mask is None:
            src_mask = torch.triu(torch.ones(len(src), len(src)) * float("-inf"), diagonal=1)
        output = self.transformer_encoder(src, src_mask)
        return self.linear(output)


def test_a_transformer_learns_which_token_comes_next():
    ntokens, bptt = 12, 9
    model = TransformerModel(ntokens, 16, 2, 32, 2, dropout=0.0)
    assert "pos_encoder.pe" in model.state_dict()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1.0, gamma=0.95)
    tokens = torch.arange(bptt + 1).unsqueeze(1).repeat(1, 4) + torch.tensor([0, 3, 6, 9])
    tokens = tokens % ntokens
    data, targets = tokens[:-1], tokens[1:].reshape(-1)
    model.train()
    total_loss, losses = 0.0, []
    for i in range(40):
        output = model(data)
        loss = criterion(output.view(-1, ntokens), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        total_loss += loss.item()
        losses.append(loss.item())
        if i % 20 == 19:
            scheduler.step()
            assert math.exp(total_loss / 20) < 2 * ntokens
            total_loss = 0.0
    assert losses[-1] < losses[0] / 2


class DQN(nn.Module):
    def __init__(self, n_observations, n_actions):
        super().__init__()
        self.layer1 = nn.Linear(n_observations, 32)
        self.layer2 = nn.Linear(32, n_actions)

    def forward(self, x):
        return self.layer2(F.relu(self.layer1(x)))


def test_a_deep_q_network_learns_which_way_pays():
    policy_net, target_net = DQN(2, 2), DQN(2, 2)
    target_net.load_state_dict(policy_net.state_dict())
    optimizer = optim.AdamW(policy_net.parameters(), lr=1e-2)
    gamma, tau = 0.9, 0.05
    states = [torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])]
    memory = []
    for number in range(64):
        here, action = number % 2, number // 2 % 2
        done = number % 5 == 0
        memory.append(
            (
                states[here],
                torch.tensor([[action]], dtype=torch.long),
                None if done else states[1 - here],
                torch.tensor([1.0 if action == here else 0.0]),
            )
        )
    for _ in range(60):
        state, action, next_state, reward = zip(*memory)
        non_final_mask = torch.tensor(
            tuple(map(lambda s: s is not None, next_state)), dtype=torch.bool
        )
        non_final_next_states = torch.cat([s for s in next_state if s is not None])
        state_batch, action_batch, reward_batch = map(torch.cat, (state, action, reward))
        state_action_values = policy_net(state_batch).gather(1, action_batch)
        next_state_values = torch.zeros(len(memory))
        with torch.no_grad():
            next_state_values[non_final_mask] = target_net(non_final_next_states).max(1).values
        expected = (next_state_values * gamma) + reward_batch
        loss = nn.SmoothL1Loss()(state_action_values, expected.unsqueeze(1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
        optimizer.step()
        target, policy = target_net.state_dict(), policy_net.state_dict()
        for key in policy:
            target[key] = policy[key] * tau + target[key] * (1 - tau)
        target_net.load_state_dict(target)
    with torch.no_grad():
        for number, each in enumerate(states):
            assert policy_net(each).max(1).indices.view(1, 1).item() == number


class VAE(nn.Module):
    def __init__(self):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(784, 32)
        self.fc21 = nn.Linear(32, 4)
        self.fc22 = nn.Linear(32, 4)
        self.fc3 = nn.Linear(4, 32)
        self.fc4 = nn.Linear(32, 784)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 784))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def test_a_variational_autoencoder_draws_what_it_saw():
    model = VAE().to("cpu")
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    data = torch.from_numpy(stripes(64)[0]).view(64, 1, 28, 28)
    losses = []
    model.train()
    for _ in range(25):
        optimizer.zero_grad()
        recon_batch, mu, logvar = model(data)
        bce = F.binary_cross_entropy(recon_batch, data.view(-1, 784), reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = bce + kld
        loss.backward()
        losses.append(loss.item() / len(data))
        optimizer.step()
    model.eval()
    with torch.no_grad():
        assert model.decode(torch.randn(3, 4)).cpu().view(3, 1, 28, 28).shape == (3, 1, 28, 28)
    assert losses[-1] < 0.8 * losses[0]
