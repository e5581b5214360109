"""DALL-E 2's parts in PyTorch for solutions/tests/golden_unclip.rs: python tests/golden/unclip.py

Written with PyTorch 2.15, transformers 5.23, diffusers 0.42.1, seed 0. Schedules and samplers are diffusers' own. The decoder
and the priors are written here from the paper (arXiv:2204.06125, sections 2.1 and 2.2), small and with random weights: the
loss with everything random given, every gradient, and one step of AdamW.
"""

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import nn
from torch.nn import functional as F
from transformers import GPT2Config, GPT2Model

from fixture import Fixture, randomise

f = Fixture("unclip")
T, P, WIDTH, TOKENS, V = 1000, 6, 20, 5, 11


# Schedules and samplers.
def scheduler(cls, kind, predicts, **more):
    return cls(num_train_timesteps=T, beta_schedule=kind, prediction_type=predicts, clip_sample=predicts != "sample",
               timestep_spacing="leading", **more)


for name, kind in [("linear", "linear"), ("cosine", "squaredcos_cap_v2")]:
    f.put("schedule", "out", {name: scheduler(DDPMScheduler, kind, "epsilon").alphas_cumprod})


def believed(x, t):
    """Stands for a network."""
    return torch.tanh(0.7 * x + t / 1000)


x = torch.randn(2, 3, 4, 4)
f.put("sampler", "in", {"x": x})
for kind in ["linear", "squaredcos_cap_v2"]:
    for predicts in ["epsilon", "sample", "v_prediction"]:
        for t in [900, 500, 0]:
            s = scheduler(DDPMScheduler, kind, predicts)
            s.set_timesteps(10)
            assert t in s.timesteps
            noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(t))
            generator = torch.Generator().manual_seed(t)
            stepped = s.step(believed(x, t), t, x, generator=generator).prev_sample
            f.put("sampler", "in", {f"noise.{t}": noise})
            f.put("sampler", "out", {f"ddpm.{kind}.{predicts}.{t}": stepped})
            for eta in [0.0, 0.6]:
                s = scheduler(DDIMScheduler, kind, predicts, set_alpha_to_one=True)
                s.set_timesteps(10)
                stepped = s.step(believed(x, t), t, x, eta=eta, use_clipped_model_output=True, variance_noise=noise)
                f.put("sampler", "out", {f"ddim.{eta}.{kind}.{predicts}.{t}": stepped.prev_sample})
        s = scheduler(DDIMScheduler, kind, predicts, set_alpha_to_one=True)
        s.set_timesteps(10)
        way = x
        for t in s.timesteps.tolist():
            way = s.step(believed(way, t), t, way, eta=0.0, use_clipped_model_output=True).prev_sample
        f.put("sampler", "out", {f"way.{kind}.{predicts}": way})


def sines(steps, d):
    angles = steps[:, None].double() * torch.exp(-np.log(10_000) * torch.arange(d // 2) / (d // 2))
    return torch.cat([angles.cos(), angles.sin()], 1).float()


COSINE = scheduler(DDPMScheduler, "squaredcos_cap_v2", "epsilon")


def noised(x0, noise, steps):
    return COSINE.add_noise(x0, noise, steps)


# The decoder.
def conv(inp, out, kernel, stride=1):
    return nn.Conv2d(inp, out, kernel, stride, kernel // 2, bias=False)


class ResBlock(nn.Module):
    def __init__(self, inp, out):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(inp // 16, inp), conv(inp, out, 3)
        self.emb = nn.Linear(WIDTH, 2 * out)
        self.norm2, self.conv2 = nn.GroupNorm(out // 16, out), conv(out, out, 3)
        if inp != out:
            self.skip = conv(inp, out, 1)

    def forward(self, x, e):
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.emb(e)[:, :, None, None].chunk(2, 1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return h + (self.skip(x) if hasattr(self, "skip") else x)


class UNet(nn.Module):
    def __init__(self, channels, side):
        super().__init__()
        n = len(channels)
        self.position = nn.Parameter(torch.randn(1, channels[0], side, side))
        self.conv_in = conv(12, channels[0], 3)
        self.down = nn.ModuleList([ResBlock(channels[max(i - 1, 0)], channels[i]) for i in range(n)])
        self.shrink = nn.ModuleList([conv(c, c, 3, 2) for c in channels[:-1]])
        self.middle = ResBlock(channels[-1], channels[-1])
        self.grow = nn.ModuleList([conv(channels[i + 1], channels[i], 3) for i in range(n - 1)])
        self.up = nn.ModuleList([ResBlock(2 * c, c) for c in channels])
        self.norm_out, self.conv_out = nn.GroupNorm(channels[0] // 16, channels[0]), conv(channels[0], 12, 3)

    def forward(self, x, e, map):
        e = F.silu(e)
        h, seen = self.conv_in(F.pixel_unshuffle(x, 2)) + self.position, []
        for i, block in enumerate(self.down):
            h = block(self.shrink[i - 1](h) if i else h, e)
            seen.append(h)
        h = self.middle(h + map, e)
        for i in reversed(range(len(self.up))):
            h = self.up[i](torch.cat([h, seen[i]], 1), e)
            if i:
                h = self.grow[i - 1](F.interpolate(h, scale_factor=2, mode="nearest"))
        return F.pixel_shuffle(self.conv_out(F.silu(self.norm_out(h))), 2)


class Decoder(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.step = nn.ModuleList([nn.Linear(64, WIDTH), nn.Linear(WIDTH, WIDTH)])
        self.image, self.caption = nn.Linear(P, WIDTH), nn.Linear(P, WIDTH)
        self.map = nn.Linear(P, channels[-1] * 2 * 2)
        self.unet = UNet(channels, 4)

    def forward(self, x, steps, image, caption):
        step = self.step[1](F.silu(self.step[0](sines(steps, 64))))
        map = self.map(image).reshape(len(x), -1, 2, 2)
        return self.unet(x, step + self.image(image) + self.caption(caption), map)


def one_step(case, model, loss, lr=1e-3):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    loss.backward()
    f.put(case, "out", {"loss": loss})
    f.put(case, "grad", {k: p.grad for k, p in model.named_parameters()})
    optimizer.step()
    f.put(case, "after", model.state_dict())


model = randomise(Decoder([16, 32]))
pictures, noise = torch.rand(3, 3, 8, 8) * 2 - 1, torch.randn(3, 3, 8, 8)
image, caption = torch.randn(3, P), torch.randn(3, P)
steps = torch.tensor([5, 420, 990])
keep_image, keep_caption = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([0.0, 1.0, 1.0])
f.put("decoder", "param", model.state_dict())
f.put("decoder", "in", {"pictures": pictures, "noise": noise, "image": image, "caption": caption, "keep_image": keep_image,
                        "keep_caption": keep_caption})
with torch.no_grad():
    conditional = model(pictures, torch.full((3,), 300), image, caption)
    unconditional = model(pictures, torch.full((3,), 300), 0 * image, 0 * caption)
    f.put("decoder", "out", {"guided": unconditional + 2.5 * (conditional - unconditional)})
before = {k: v.clone() for k, v in model.state_dict().items()}
for case, target in [("decoder", COSINE.get_velocity(pictures, noise, steps)), ("decoder_noise", noise),
                     ("decoder_start", pictures)]:
    model.load_state_dict(before)
    model.zero_grad()
    kept = image * keep_image[:, None], caption * keep_caption[:, None]
    predicted = model(noised(pictures, noise, steps), steps, *kept)
    one_step(case, model, (predicted - target).square().mean())


# The priors.
def gpt2(vocabulary, positions):
    config = GPT2Config(vocab_size=vocabulary, n_positions=positions, n_embd=16, n_layer=2, n_head=4, resid_pdrop=0.0,
                        embd_pdrop=0.0, attn_pdrop=0.0, initializer_range=0.2, attn_implementation="eager")
    return randomise(GPT2Model(config))


def texts():
    lengths = torch.tensor([TOKENS, 3, 4])[:, None]
    mask = (torch.arange(TOKENS) < lengths).long()
    return torch.randint(1, V, (3, TOKENS)) * mask, mask


class Prior(nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer = gpt2(V, TOKENS + 4)
        self.caption = nn.Linear(P, 16)
        self.step = nn.ModuleList([nn.Linear(16, 16), nn.Linear(16, 16)])
        self.noised = nn.Linear(P, 16)
        self.query = nn.Parameter(torch.randn(1, 16))
        self.out = nn.Linear(16, P)

    def forward(self, x, steps, ids, mask, embedding, keep):
        known = torch.cat([self.transformer.wte(ids), self.caption(embedding)[:, None]], 1) * keep[:, None, None]
        step = self.step[1](F.silu(self.step[0](sines(steps, 16))))
        query = self.query.expand(len(x), 16)
        all = torch.cat([known, step[:, None], self.noised(x)[:, None], query[:, None]], 1)
        mask = torch.cat([mask, torch.ones(len(x), 4, dtype=torch.long)], 1)
        places = torch.arange(all.shape[1]).expand(len(x), -1)
        hidden = self.transformer(inputs_embeds=all, attention_mask=mask, position_ids=places).last_hidden_state
        return self.out(hidden[:, -1])


model = randomise(Prior())
ids, mask = texts()
z_i, z_t, noise, keep = torch.randn(3, P), torch.randn(3, P), torch.randn(3, P), torch.tensor([1.0, 1.0, 0.0])
f.put("prior", "param", model.state_dict())
f.put("prior", "in", {"ids": ids, "mask": mask, "z_i": z_i, "z_t": z_t, "noise": noise, "keep": keep})
predicted = model(noised(z_i, noise, steps), steps, ids, mask, z_t, keep)
one_step("prior", model, (predicted - z_i).square().mean())

# The codes of the autoregressive prior: 64 embeddings, 4 components, 8 equally full bins, 4 bins of the dot product.
K, BINS, DOTS, N = 4, 8, 4, 64
z_i, z_t = torch.randn(N, P) @ torch.randn(P, P), torch.randn(N, P)
z_i = F.normalize(z_i) * P**0.5
z_t = F.normalize(z_t + 0.5 * z_i) * P**0.5
data = z_i.double().numpy()
mean = data.mean(0)
values, vectors = np.linalg.eigh((data - mean).T @ (data - mean) / N)
axes = vectors.T[::-1][:K].copy()
axes *= np.sign(axes[np.arange(K), np.abs(axes).argmax(1)])[:, None]
along = (data - mean) @ axes.T
order = np.sort(along, 0).reshape(BINS, N // BINS, K)
centres, edges = order.mean(1), (order[:-1, -1] + order[1:, 0]) / 2
codes = (along[:, None] >= edges[None]).sum(1)
decoded = mean + np.take_along_axis(centres, codes, 0) @ axes
dots = (z_i * z_t).mean(1)
dot_edges = dots.sort().values[torch.arange(1, DOTS) * N // DOTS]
dot = (dots[:, None] >= dot_edges).sum(1)
targets = torch.cat([dot[:, None], torch.tensor(codes)], 1)
f.put("codes", "in", {"z_i": z_i, "z_t": z_t})
f.put("codes", "out", {"targets": targets.float(), "decoded": torch.tensor(decoded).float(),
                       "kept": torch.tensor(values[::-1][:K].sum() / values.sum())})


class ArPrior(nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer = gpt2(V + DOTS + BINS, TOKENS + 2 + K)
        self.caption = nn.Linear(P, 16)

    def loss(self, ids, mask, embedding, targets, keep):
        wte = self.transformer.wte
        known = torch.cat([wte(ids), self.caption(embedding)[:, None]], 1) * keep[:, None, None]
        sequence = targets + torch.tensor([V] + [V + DOTS] * K)
        all = torch.cat([known, wte(sequence[:, :-1])], 1)
        mask = torch.cat([mask, torch.ones(len(ids), 1 + K, dtype=torch.long)], 1)
        places = torch.arange(all.shape[1]).expand(len(ids), -1)
        hidden = self.transformer(inputs_embeds=all, attention_mask=mask, position_ids=places).last_hidden_state
        logits = hidden[:, TOKENS:] @ wte.weight.T
        first = F.cross_entropy(logits[:, 0, V:V + DOTS], targets[:, 0], reduction="sum")
        rest = F.cross_entropy(logits[:, 1:, V + DOTS:].flatten(0, 1), targets[:, 1:].flatten(), reduction="sum")
        return (first + rest) / targets.numel()


model = randomise(ArPrior())
ids, mask = texts()
f.put("ar", "param", model.state_dict())
f.put("ar", "in", {"ids": ids, "mask": mask, "keep": keep})
one_step("ar", model, model.loss(ids, mask, z_t[:3], targets[:3], keep))
f.save()
