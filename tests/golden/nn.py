"""PyTorch's layers, optimiser and scheduler for tests/golden_nn.rs: python tests/golden/nn.py (PyTorch 2.15, seed 0)."""

import torch
from torch import nn

from fixture import Fixture, randomise

f = Fixture("nn")


def layer(case, module, x, differentiable=("x",)):
    f.module(case, module, {"x": x}, differentiable)


layer("linear", nn.Linear(5, 7), torch.randn(3, 5))
layer("linear_3d", nn.Linear(5, 7), torch.randn(2, 3, 5))
layer("linear_no_bias", nn.Linear(5, 7, bias=False), torch.randn(4, 5))
layer("layer_norm", randomise(nn.LayerNorm(10)), torch.randn(3, 10) * 3 + 1)
layer("layer_norm_3d", randomise(nn.LayerNorm(6, eps=1e-12)), torch.randn(2, 4, 6))
# A row of nearly equal values, where eps decides.
layer("layer_norm_flat", randomise(nn.LayerNorm(6)), 1 + 1e-3 * torch.randn(3, 6))
layer("embedding", nn.Embedding(9, 4), torch.tensor([[1, 5, 1], [0, 8, 1]]), ())

for k, stride in ((1, 1), (1, 2), (3, 1), (3, 2), (7, 1), (7, 2)):
    conv = nn.Conv2d(3, 5, k, stride, padding=k // 2, bias=False)
    layer(f"conv_{k}_{stride}", conv, torch.randn(2, 3, 9, 11))
layer("conv_even", nn.Conv2d(4, 2, 3, 2, padding=1, bias=False), torch.randn(1, 4, 8, 6))

layer("batch_norm_eval", randomise(nn.BatchNorm2d(4)).eval(), torch.randn(3, 4, 5, 3))
batch_norm = randomise(nn.BatchNorm2d(4)).train()
# Two steps: the second starts from the running statistics that the first left.
layer("batch_norm_1", batch_norm, torch.randn(3, 4, 5, 3) * 2 + 1)
layer("batch_norm_2", batch_norm, torch.randn(5, 4, 2, 3) - 1)
layer("batch_norm_far", randomise(nn.BatchNorm2d(2)).train(), 100 + torch.randn(4, 2, 3, 3))

# Few different values: windows with ties, where the gradient goes to the first.
layer("max_pool", nn.MaxPool2d(3, 2, 1), torch.randint(0, 4, (2, 3, 7, 8)).float() - 2)
layer("max_pool_even", nn.MaxPool2d(3, 2, 1), torch.randn(1, 2, 8, 6))
layer("global_pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), torch.randn(2, 5, 3, 4))
layer("gelu", nn.GELU(), torch.cat([torch.linspace(-6, 6, 41), torch.tensor([0.0, -0.0, 30.0, -30.0])]))
layer("relu", nn.ReLU(), torch.tensor([-2.0, -1e-20, -0.0, 0.0, 1e-20, 3.0]))

# AdamW: two groups, five steps on Σ (p - target)², recorded after every step.
p = nn.ParameterDict({"a": torch.randn(4, 3), "b": torch.randn(5)})
targets = {"a": torch.randn(4, 3), "b": p["b"].detach() * 0.9}
f.put("adamw", "param", p)
f.put("adamw", "in", targets)
optimizer = torch.optim.AdamW([
    {"params": [p["a"]], "lr": 1e-1, "weight_decay": 1e-2},
    {"params": [p["b"]], "lr": 1e-3, "weight_decay": 0.0},
])
for step in range(5):
    optimizer.zero_grad()
    sum(((p[k] - targets[k]) ** 2).sum() for k in p).backward()
    optimizer.step()
    f.put(f"adamw_{step + 1}", "after", p)

# ReduceLROnPlateau: the learning rate after each loss.
losses = [1.0, 0.9, 0.95, 0.91, 0.89995, 0.9, 0.8, 0.81, 0.82, 0.83, 0.84, 0.5, 0.49999, 0.49998, 0.3]
optimizer = torch.optim.AdamW([nn.Parameter(torch.zeros(1))], lr=1.0)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", patience=1, factor=0.8)
rates = []
for loss in losses:
    scheduler.step(loss)
    rates.append(optimizer.param_groups[0]["lr"])
f.put("plateau", "in", {"losses": torch.tensor(losses, dtype=torch.float64)})
f.put("plateau", "out", {"y": torch.tensor(rates, dtype=torch.float64)})

f.save()
