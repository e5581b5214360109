"""The lecture's CLIP model in PyTorch for solutions/tests/golden_clip.rs: python tests/golden/clip.py

Written with PyTorch 2.15, transformers 5.23, seed 0. The head and the model are the lecture's slides, filled in; the
loss is the slide's pseudocode. One training step with the practice's learning rates.
"""

import torch
import torch.nn.functional as F
from torch import nn

from encoders import basic, captions, distilbert
from fixture import Fixture, randomise


class ProjectionHead(nn.Module):
    def __init__(self, embedding_dim, projection_dim, dropout):
        super().__init__()
        self.projection = nn.Linear(embedding_dim, projection_dim)
        self.gelu = nn.GELU()
        self.fc = nn.Linear(projection_dim, projection_dim)
        self.dropout = nn.Dropout(dropout)
        self.layer_norm = nn.LayerNorm(projection_dim)

    def forward(self, x):
        projected = self.projection(x)
        x = self.dropout(self.fc(self.gelu(projected)))
        return self.layer_norm(x + projected)


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model


class CLIPModel(nn.Module):
    def __init__(self, image_encoder, text_encoder, projection_dim):
        super().__init__()
        self.image_encoder, self.text_encoder = Encoder(image_encoder), Encoder(text_encoder)
        self.image_projection = randomise(ProjectionHead(10, projection_dim, 0.0))
        self.text_projection = randomise(ProjectionHead(16, projection_dim, 0.0))
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def encode_image(self, x):
        return self.image_projection(self.image_encoder.model(pixel_values=x).pooler_output.flatten(1))

    def encode_text(self, ids, mask):
        hidden = self.text_encoder.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.text_projection(hidden[:, 0])

    def forward(self, x, ids, mask):
        image, text = F.normalize(self.encode_image(x)), F.normalize(self.encode_text(ids, mask))
        logits = image @ text.T * self.logit_scale.exp()
        labels = torch.arange(len(logits))
        return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


f = Fixture("clip")
model = CLIPModel(basic("small"), distilbert(n_layers=1), 8)
x = torch.randn(5, 3, 20, 20)
ids, mask = captions(5, 7, 23)
inputs = {"x": x, "ids": ids, "mask": mask}

model.eval()
f.put("eval", "in", inputs)
f.put("eval", "param", model.state_dict())
with torch.no_grad():
    f.put("eval", "out", {"image": model.encode_image(x), "text": model.encode_text(ids, mask),
                          "loss": model(x, ids, mask)})

model.train()
decayed = [*model.image_projection.parameters(), *model.text_projection.parameters()]
optimizer = torch.optim.AdamW([
    {"params": model.image_encoder.parameters(), "lr": 1e-4, "weight_decay": 0.0},
    {"params": model.text_encoder.parameters(), "lr": 1e-5, "weight_decay": 0.0},
    {"params": decayed, "lr": 1e-3, "weight_decay": 1e-3},
    {"params": [model.logit_scale], "lr": 1e-3, "weight_decay": 0.0},
])
loss = model(x, ids, mask)
loss.backward()
f.put("train", "out", {"loss": loss})
f.put("train", "grad", {k: p.grad for k, p in model.named_parameters()})
optimizer.step()
with torch.no_grad():
    model.logit_scale.clamp_(max=torch.tensor(100.0).log())
f.put("train", "after", model.state_dict())
f.save()
