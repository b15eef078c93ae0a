"""Short pieces of PyTorch that many lessons share, with nothing changed but the imports."""

# mypy: ignore-errors
# They stay as their authors write them, and those do not write for a type checker.

# ruff: noqa: B905, C414, RUF007, RUF059 - the lessons' own style

import math

import numpy as np

import minitorch as torch
import minitorch.functional as F
from minitorch import nn


def wave(*shape):
    """Numbers that look random and are the same everywhere."""
    return torch.sin(torch.arange(math.prod(shape)).float() * 1.7).reshape(*shape)


def test_counting_pairs_of_letters_and_a_net_that_learns_the_same():
    words = ["emma", "olivia", "ava", "isabella"]
    chars = sorted(list(set("".join(words))))
    stoi = {s: i + 1 for i, s in enumerate(chars)}
    stoi["."] = 0
    n = len(stoi)
    N = torch.zeros((n, n), dtype=torch.int32)
    xs, ys = [], []
    for w in words:
        chs = [".", *w, "."]
        for ch1, ch2 in zip(chs, chs[1:]):
            N[stoi[ch1], stoi[ch2]] += 1
            xs.append(stoi[ch1])
            ys.append(stoi[ch2])
    P = (N + 1).float()
    P /= P.sum(1, keepdims=True)
    assert N.sum() == len(xs)
    np.testing.assert_allclose(P.sum(1).numpy(), np.ones(n), rtol=1e-6)
    g = torch.Generator().manual_seed(2147483647)
    first = [torch.multinomial(P[0], 1, replacement=True, generator=g).item() for _ in range(5)]
    g.manual_seed(2147483647)
    again = [torch.multinomial(P[0], 1, replacement=True, generator=g).item() for _ in range(5)]
    assert first == again
    xs, ys = torch.tensor(xs), torch.tensor(ys)
    num = xs.nelement()
    W = torch.randn((n, n), generator=g, requires_grad=True)
    for _ in range(200):
        xenc = F.one_hot(xs, num_classes=n).float()
        logits = xenc @ W
        counts = logits.exp()
        probs = counts / counts.sum(1, keepdims=True)
        loss = -probs[torch.arange(num), ys].log().mean()
        W.grad = None
        loss.backward()
        W.data += -10 * W.grad
    frequencies = N.float() / N.sum(1, keepdim=True)
    best = -frequencies[xs, ys].log().mean()
    assert best < loss < best + 0.05


def test_backpropagation_by_hand_through_batch_norm_and_cross_entropy():
    n = 8
    C, W1, b1 = wave(5, 4), wave(12, 6) * 0.3, wave(6) * 0.1
    W2, b2 = wave(6, 5) * 0.1, wave(5) * 0.1
    bngain, bnbias = wave(1, 6) * 0.1 + 1.0, wave(1, 6) * 0.1
    parameters = [C, W1, b1, W2, b2, bngain, bnbias]
    for p in parameters:
        p.requires_grad = True
    Xb = torch.tensor([[i % 5, (i * 2) % 5, (i * 3 + 1) % 5] for i in range(n)])
    Yb = torch.tensor([i * 2 % 5 for i in range(n)])
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    hprebn = embcat @ W1 + b1
    bnmeani = 1 / n * hprebn.sum(0, keepdim=True)
    bndiff = hprebn - bnmeani
    bndiff2 = bndiff**2
    bnvar = 1 / (n - 1) * (bndiff2).sum(0, keepdim=True)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdims=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    logprobs = probs.log()
    loss = -logprobs[range(n), Yb].mean()
    for t in [logits, h, hprebn]:
        t.retain_grad()
    loss.backward()
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0 / n
    dprobs = (1.0 / probs) * dlogprobs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts = counts_sum_inv * dprobs
    dcounts_sum = (-(counts_sum**-2)) * dcounts_sum_inv
    dcounts += torch.ones_like(counts) * dcounts_sum
    dnorm_logits = counts * dcounts
    dlogits = dnorm_logits.clone()
    dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
    dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes
    dh = dlogits @ W2.T
    dhpreact = (1.0 - h**2) * dh
    dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
    moved = n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    dhprebn = bngain * bnvar_inv / n * moved
    demb = (dhprebn @ W1.T).view(emb.shape)
    dC = torch.zeros_like(C)
    for k in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            ix = Xb[k, j]
            dC[ix] += demb[k, j]
    for mine, t in [
        (dlogits, logits),
        (dh, h),
        (dbngain, bngain),
        (dhprebn, hprebn),
        (h.T @ dlogits, W2),
        (dC, C),
    ]:
        assert torch.allclose(mine, t.grad, atol=1e-6)


def test_the_masks_of_attention_and_generating_token_by_token():
    B, T, C = 2, 4, 6
    x = wave(B, T, C)
    tril = torch.tril(torch.ones(T, T))
    average = (tril / torch.sum(tril, 1, keepdim=True)) @ x
    wei = torch.zeros((T, T)).masked_fill(tril == 0, float("-inf"))
    assert torch.allclose(average, F.softmax(wei, dim=-1) @ x, atol=1e-6)

    class Head(nn.Module):
        def __init__(self, head_size):
            super().__init__()
            self.key = nn.Linear(C, head_size, bias=False)
            self.query = nn.Linear(C, head_size, bias=False)
            self.value = nn.Linear(C, head_size, bias=False)
            self.register_buffer("tril", torch.tril(torch.ones(8, 8)))

        def forward(self, x):
            B, T, C = x.shape
            wei = self.query(x) @ self.key(x).transpose(-2, -1) * C**-0.5
            wei = wei.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
            return F.softmax(wei, dim=-1) @ self.value(x)

    torch.manual_seed(0)
    head = Head(6)
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.05)
    target = torch.tensor([[0, 1, 2, 3], [5, 4, 3, 2]])
    before = F.cross_entropy(head(x).view(B * T, C), target.view(B * T)).item()
    for _ in range(30):
        loss = F.cross_entropy(head(x).view(B * T, C), target.view(B * T))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    assert loss.item() < before - 0.3
    idx = torch.zeros((1, 1), dtype=torch.long)
    for _ in range(3):
        probs = F.softmax(head(x[:1, : idx.shape[1]])[:, -1, :], dim=-1)
        v, _ = torch.topk(probs, 2)
        probs[probs < v[:, [-1]]] = 0.0
        assert (probs > 0).sum() == 2
        idx = torch.cat((idx, torch.multinomial(probs, num_samples=1)), dim=1)
    assert idx.shape == torch.Size([1, 4])
    assert torch.equal(head(x)[:, :2], head(x[:, :2]))  # no look ahead


def test_k_means():
    x = torch.cat([wave(10, 2) * 0.1, wave(10, 2) * 0.1 + 3.0])
    K, (N, D) = 2, x.shape
    c = x[[0, 19], :].clone()
    for _ in range(3):
        D_ij = ((x.view(N, 1, D) - c.view(1, K, D)) ** 2).sum(-1)
        cl = D_ij.argmin(dim=1).long().view(-1)
        c.zero_()
        c.scatter_add_(0, cl[:, None].repeat(1, D), x)
        Ncl = torch.bincount(cl, minlength=K).type_as(c).view(K, 1)
        c /= Ncl
    assert cl.tolist() == [0] * 10 + [1] * 10
    assert torch.equal(torch.cdist(x, c).argmin(1), cl)
    np.testing.assert_allclose(c[1].numpy(), x[10:].mean(0).numpy(), rtol=1e-6)


def test_boxes_that_overlap_are_thinned_out():
    def box_area(b):
        return (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])

    def box_iou(boxes1, boxes2):
        lt = torch.max(boxes1[:, None, :2], boxes2[:, :2])
        rb = torch.min(boxes1[:, None, 2:], boxes2[:, 2:])
        wh = (rb - lt).clamp(min=0)
        inter = wh[:, :, 0] * wh[:, :, 1]
        return inter / (box_area(boxes1)[:, None] + box_area(boxes2) - inter)

    boxes = torch.Tensor([[0, 0, 10, 10], [5, 5, 15, 15], [1, 1, 9, 9]])
    scores = torch.tensor([0.9, 0.8, 0.7])
    keep = []
    idxs = scores.sort(0)[1]
    while idxs.numel() > 0:
        i = idxs[-1]
        keep.append(i.item())
        if idxs.size(0) == 1:
            break
        idxs = idxs[:-1]
        ious = box_iou(boxes[i].unsqueeze(0), boxes[idxs]).squeeze(0)
        idxs = idxs[ious.le(0.5)]
    assert keep == [0, 1]
    np.testing.assert_allclose(box_iou(boxes, boxes)[0].numpy(), [1, 25 / 175, 0.64], rtol=1e-6)


def test_contrasts_between_pairs():
    feats = wave(6, 4).requires_grad_()
    cos_sim = F.cosine_similarity(feats[:, None, :], feats[None, :, :], dim=-1)
    self_mask = torch.eye(cos_sim.shape[0], dtype=torch.bool)
    cos_sim.masked_fill_(self_mask, -9e15)
    pos_mask = self_mask.roll(shifts=cos_sim.shape[0] // 2, dims=0)
    nll = (-cos_sim[pos_mask] + torch.logsumexp(cos_sim, dim=-1)).mean()
    nll.backward()
    # a cosine does not change along the vector itself
    np.testing.assert_allclose((feats.grad * feats.data).sum(1).numpy(), np.zeros(6), atol=1e-6)
    label = torch.tensor([0.0, 1.0])
    one = torch.tensor([[0.0, 3.0], [0.0, 0.5]], requires_grad=True)
    distance = F.pairwise_distance(one, torch.zeros(2, 2), eps=0.0)
    far = torch.clamp(2.0 - distance, min=0.0)
    loss = torch.mean((1 - label) * torch.pow(distance, 2) + label * torch.pow(far, 2))
    loss.backward()
    assert loss.item() == (9 + 1.5**2) / 2
    assert one.grad.tolist() == [[0, 3], [0, -1.5]]


def test_the_fast_gradient_sign_and_a_frozen_model():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.LogSoftmax(dim=1))
    with torch.no_grad():
        model[1].weight.copy_(wave(4, 12))
        model[1].bias.fill_(0)
    model.eval()
    model.requires_grad_(False)
    data = wave(1, 1, 3, 4).abs()
    data.requires_grad = True
    output = model(data)
    init_pred = output.max(1, keepdim=True)[1]
    loss = F.nll_loss(output, init_pred[0])
    loss.backward()
    assert model[1].weight.grad is None
    perturbed = torch.clamp(data + 0.1 * data.grad.data.sign(), 0, 1)
    assert F.nll_loss(model(perturbed), init_pred[0]) > loss
    assert (perturbed - data).abs().max() <= 0.1 + 1e-6


def test_where_a_script_asks_for_devices():
    device = torch.accelerator.current_device() if torch.accelerator.is_available() else "cpu"
    if torch.backends.mps.is_available():
        device = "mps"
    assert torch.ones(2).to(device).device.type == "cpu"
