"""Fifty steps of the lecture's training in small, for solutions/tests/golden_curve.rs: python tests/golden/curve.py

Written with PyTorch 2.15, transformers 5.24. Parameters and pictures come from the formula of tiny.py; the fixture keeps the
captions, the fifty losses, and the embeddings afterwards. Prints how far PyTorch's own float32 parts from its float64.
"""

import copy

import torch
from transformers import DistilBertConfig, DistilBertModel, ResNetConfig, ResNetModel

from clip import CLIPModel, ProjectionHead  # its module-level run writes clip.safetensors again, unchanged
from encoders import captions
from fixture import Fixture
from tiny import parameter, values

STEPS, BATCHES, BATCH, SIDE, VOCAB = 50, 5, 8, 32, 23


def batch(i):
    x = values(f"images.{i}", (BATCH, 3, SIDE, SIDE), 0.0, 3.0)
    ids, mask = captions(5, 7, VOCAB)
    more, more_mask = captions(3, 7, VOCAB)
    return x, torch.cat([ids, more]), torch.cat([mask, more_mask])


def train(model, batches):
    """The losses of fifty steps, over the same five batches ten times."""
    model.train()
    optimizer = torch.optim.AdamW([
        {"params": model.image_encoder.parameters(), "lr": 1e-4, "weight_decay": 0.0},
        {"params": model.text_encoder.parameters(), "lr": 1e-5, "weight_decay": 0.0},
        {"params": [*model.image_projection.parameters(), *model.text_projection.parameters()],
         "lr": 1e-3, "weight_decay": 1e-3},
        {"params": [model.logit_scale], "lr": 1e-3, "weight_decay": 0.0},
    ])
    losses = []
    for step in range(STEPS):
        x, ids, mask = batches[step % BATCHES]
        loss = model(x.to(model.logit_scale.dtype), ids, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=torch.tensor(100.0).log())
        losses.append(loss.item())
    return torch.tensor(losses)


f = Fixture("curve")
resnet = ResNetModel(ResNetConfig(
    embedding_size=8, hidden_sizes=[16, 32], depths=[2, 1], layer_type="bottleneck"))
bert = DistilBertModel(DistilBertConfig(
    vocab_size=VOCAB, max_position_embeddings=12, n_layers=2, n_heads=4, dim=16, hidden_dim=32, dropout=0.0,
    attention_dropout=0.0, attn_implementation="eager"))
model = CLIPModel(resnet, bert, 16)
model.image_projection = ProjectionHead(32, 16, 0.0)
model.text_projection = ProjectionHead(16, 16, 0.0)
state = model.state_dict()
names = [n for n in state if not n.endswith("num_batches_tracked")]
model.load_state_dict({n: parameter(n, tuple(state[n].shape)) for n in names}, strict=False)
batches = [batch(i) for i in range(BATCHES)]

exact = train(copy.deepcopy(model).double(), batches)
losses = train(model, batches)
print(f"from {losses[0]:.4f} to {losses[-1]:.4f}; float32 parts from float64 by at most",
      f"{((losses - exact).abs() / exact).max():.1e} of the loss")
for i, (_, ids, mask) in enumerate(batches):
    f.put("curve", "in", {f"ids.{i}": ids, f"mask.{i}": mask})
model.eval()
x, ids, mask = batches[0]
with torch.no_grad():
    f.put("curve", "out", {"losses": losses, "image": model.encode_image(x), "text": model.encode_text(ids, mask)})
f.save()
