"""DALL-E's two stages in PyTorch for solutions/tests/golden_dalle.rs: python tests/golden/dalle.py

Written with PyTorch 2.15, transformers 5.23, seed 0, from the paper (arXiv:2102.12092). The likelihood and the divergence are
torch.distributions' (a Laplace distribution behind a sigmoid, categoricals); the transformer is transformers' GPT-2 without its
tables. One training step of each stage.
"""

import math

import torch
from torch import nn
import torch.nn.functional as F
from torch.distributions import Categorical, Laplace, SigmoidTransform, TransformedDistribution, kl_divergence
from transformers import GPT2Config, GPT2Model

from fixture import Fixture, randomise

SIDE, WIDTHS, K = 8, (4, 6), 5
T, V, H, W, D = 3, 10, 2, 2, 16
PAD = 0


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv3, self.conv1 = nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 1)

    def forward(self, x):
        return x + self.conv1(F.relu(self.conv3(F.relu(x))))


class Dvae(nn.Module):
    def __init__(self):
        super().__init__()
        a, b = WIDTHS
        self.encoder = nn.ModuleDict({"down1": nn.Conv2d(3, a, 4, 2, 1), "res1": Residual(a), "down2": nn.Conv2d(a, b, 4, 2, 1),
                                      "res2": Residual(b), "logits": nn.Conv2d(b, K, 1)})
        self.codebook = nn.Embedding(K, b)
        self.decoder = nn.ModuleDict({"res1": Residual(b), "up1": nn.Conv2d(b, 4 * a, 3, padding=1), "res2": Residual(a),
                                      "up2": nn.Conv2d(a, 24, 3, padding=1)})

    def encode(self, phi):
        e = self.encoder
        x = e["res1"](e["down1"](2 * phi - 1))
        x = e["res2"](e["down2"](F.relu(x)))
        return e["logits"](F.relu(x))

    def decode(self, z):
        d = self.decoder
        x = d["res1"](torch.einsum("bkhw,kc->bchw", z, self.codebook.weight))
        x = F.pixel_shuffle(d["up1"](F.relu(x)), 2)
        x = F.pixel_shuffle(d["up2"](F.relu(d["res2"](x))), 2)
        return x.chunk(2, 1)


def negative_log_likelihood(phi, mu, ln_b):
    return -TransformedDistribution(Laplace(mu, ln_b.exp()), SigmoidTransform()).log_prob(phi)


def cosine(a, b, part):
    """Half a cosine, as an annealing scheduler of PyTorch's has it."""
    return b + (a - b) * (1 + math.cos(math.pi * part)) / 2


f = Fixture("dalle")
torch.set_default_dtype(torch.float32)

# Likelihood alone.
x = torch.rand(2, 3, 4, 4)
phi = 0.8 * x + 0.1
mu, ln_b = torch.randn(2, 3, 4, 4, requires_grad=True), torch.randn(2, 3, 4, 4, requires_grad=True)
nats = negative_log_likelihood(phi, mu, ln_b)
weight = torch.randn_like(nats)
(nats * weight).sum().backward()
f.put("likelihood", "in", {"x": x, "mu": mu, "ln_b": ln_b, "weight": weight})
f.put("likelihood", "out", {"nats": nats, "back": ((torch.sigmoid(mu) - 0.1) / 0.8).clamp(0, 1)})
f.put("likelihood", "grad", {"mu": mu.grad, "ln_b": ln_b.grad})

# Stage 1.
dvae = Dvae()
images, temperature, kl_weight = torch.rand(3, 3, SIDE, SIDE), 0.7, 1.9
noise = torch.distributions.Gumbel(0.0, 1.0).sample((3, K, SIDE // 4, SIDE // 4))
f.put("dvae", "param", dvae.state_dict())
f.put("dvae", "in", {"images": images, "noise": noise})
optimizer = torch.optim.AdamW(dvae.parameters(), lr=3e-3, weight_decay=0.0)
phi = 0.8 * images + 0.1
logits = dvae.encode(phi)
z = ((logits + noise) / temperature).softmax(1)
mu, ln_b = dvae.decode(z)
reconstruction = negative_log_likelihood(phi, mu, ln_b).mean()
uniform = Categorical(logits=torch.zeros(K))
kl = kl_divergence(Categorical(logits=logits.permute(0, 2, 3, 1)), uniform).sum((1, 2)).mean()
loss = reconstruction + kl_weight * kl / (3 * SIDE * SIDE)
loss.backward()
hard = F.one_hot(logits.argmax(1), K).permute(0, 3, 1, 2).float()
back = ((torch.sigmoid(dvae.decode(hard)[0]) - 0.1) / 0.8).clamp(0, 1)
f.put("dvae", "out", {"loss": loss, "reconstruction": reconstruction, "kl": kl, "logits": logits, "z": z,
                      "codes": logits.argmax(1).flatten(1), "back": back})
f.put("dvae", "grad", {n: p.grad for n, p in dvae.named_parameters()})
optimizer.step()
f.put("dvae", "after", dvae.state_dict())

# Stage 2: the tables, GPT-2's layers, and a head for each vocabulary.
config = GPT2Config(vocab_size=1, n_positions=T + H * W, n_embd=D, n_layer=2, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0,
                    attn_pdrop=0.0, initializer_range=0.3, attn_implementation="eager")
layers = randomise(GPT2Model(config))
layers.wpe.weight.data.zero_()
tables = nn.ModuleDict({"text": nn.Embedding(V, D), "padding": nn.Embedding(T, D), "image": nn.Embedding(K, D),
                        "text_position": nn.Embedding(T, D), "row_position": nn.Embedding(H, D),
                        "column_position": nn.Embedding(W, D), "text_head": nn.Linear(D, V + T), "image_head": nn.Linear(D, K)})


def named(get):
    """Names and orientation as in the library: GPT-2's matrices are (in, out)."""
    found = {n: get(p) for n, p in tables.named_parameters()}
    for n, p in layers.named_parameters():
        if not n.startswith(("wte", "wpe")):
            found[n] = get(p).T if p.dim() == 2 else get(p)
    return found


text = torch.tensor([[7, 4, PAD], [3, 1, 9], [5, PAD, PAD]])
codes = torch.tensor([[2, 0, 0, 4], [1, 3, 4, 2], [0, 0, 1, 1]])
f.put("dalle", "param", named(lambda p: p))
f.put("dalle", "in", {"text": text, "codes": codes})
words = torch.where((text == PAD)[..., None], tables["padding"].weight[None], tables["text"](text))
words = words + tables["text_position"].weight[None]
places = torch.arange(H * W)
picture = tables["image"](codes) + tables["row_position"](places // W) + tables["column_position"](places % W)
hidden = layers(inputs_embeds=torch.cat([words, picture], 1)).last_hidden_state
# Text: every token from its second; a padded place's own token is V + place. Image: every code.
text_targets = torch.where(text == PAD, V + torch.arange(T), text)[:, 1:]
text_logits = tables["text_head"](hidden[:, :T - 1])
image_logits = tables["image_head"](hidden[:, T - 1:-1])
text_loss = F.cross_entropy(text_logits.flatten(0, 1), text_targets.flatten())
image_loss = F.cross_entropy(image_logits.flatten(0, 1), codes.flatten())
loss = text_loss / 8 + 7 * image_loss / 8
parameters = [p for n, p in [*tables.named_parameters(), *layers.named_parameters()] if not n.startswith(("wte", "wpe"))]
decayed = [p for n, p in layers.named_parameters() if n.startswith("h.") and p.dim() > 1]
rest = [p for p in parameters if all(p is not q for q in decayed)]
optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}], lr=2e-3)
loss.backward()
f.put("dalle", "out", {"loss": loss, "text": text_loss, "image": image_loss, "image_logits": image_logits})
f.put("dalle", "grad", named(lambda p: p.grad))
optimizer.step()
f.put("dalle", "after", named(lambda p: p))

# The schedules: half a cosine over the first part of a training.
done = torch.linspace(0, 1, 11, dtype=torch.float64)
f.put("schedule", "in", {"done": done})
f.put("schedule", "out", {
    "temperature": torch.tensor([cosine(1, 1 / 16, min(d / 0.8, 1)) for d in done.tolist()], dtype=torch.float64),
    "kl_weight": torch.tensor([cosine(0, 6.6, min(d / 0.2, 1)) for d in done.tolist()], dtype=torch.float64)})

# A distance of distributions, by the root of a matrix as scipy or an eigendecomposition has it.
a, b = torch.randn(40, 6, dtype=torch.float64), torch.randn(50, 6, dtype=torch.float64) @ torch.randn(6, 6, dtype=torch.float64) + 1
ca, cb = a.T.cov(), b.T.cov()
roots = torch.linalg.eigvals(ca @ cb).real.clamp(min=0).sqrt().sum()
frechet = (a.mean(0) - b.mean(0)).square().sum() + ca.trace() + cb.trace() - 2 * roots
f.put("frechet", "in", {"a": a, "b": b})
f.put("frechet", "out", {"distance": frechet})
f.save()
