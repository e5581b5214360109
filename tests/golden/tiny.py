"""One training step of the whole preset `tiny` in PyTorch, for solutions/tests/golden_tiny.rs: python tests/golden/tiny.py

Written with PyTorch 2.15, transformers 5.23. Two million parameters are too many to keep: they come from a formula that
both sides know (`values`), and of every gradient and every changed parameter SAMPLES entries are kept, with the norm of
all of them.
"""

import numpy as np
import torch
from transformers import DistilBertConfig, DistilBertModel, ResNetConfig, ResNetModel

from fixture import Fixture

SAMPLES = 256
VOCAB, BATCH, LENGTH, SIDE = 500, 8, 24, 64


def values(name, shape, centre, width):
    """Numbers in `centre ± width / 2` that depend on the name and the place alone: FNV-1a, then two rounds of mixing."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    x = (np.arange(int(np.prod(shape)), dtype=np.uint64) + np.uint64(seed)) * np.uint64(2654435761) % np.uint64(2**32)
    x ^= x >> np.uint64(15)
    x = x * np.uint64(2246822519) % np.uint64(2**32)
    x ^= x >> np.uint64(13)
    v = centre + width * (x.astype(np.float64) / 2.0**32 - 0.5)
    return torch.from_numpy(v.astype(np.float32).reshape(shape))


def parameter(name, shape):
    if name == "logit_scale":
        return torch.tensor(1 / 0.07).log()
    if name.endswith("running_mean"):
        return values(name, shape, 0.0, 0.5)
    if name.endswith("running_var"):
        return values(name, shape, 1.0, 0.8)
    if len(shape) == 1:
        return values(name, shape, 1.0 if name.endswith("weight") else 0.0, 0.5)
    if "embeddings.weight" in name:
        return values(name, shape, 0.0, 0.5)
    fan_in = int(np.prod(shape[1:]))
    return values(name, shape, 0.0, float(np.sqrt(12.0 / fan_in)))


def sample(tensors):
    out = {}
    for name, tensor in tensors.items():
        flat = tensor.detach().reshape(-1)
        out[f"{name}/some"] = flat[:: max(1, -(-len(flat) // SAMPLES))]
        out[f"{name}/norm"] = flat.double().norm().float()
    return out


def main():
    from clip import CLIPModel, ProjectionHead  # its module-level run writes clip.safetensors again, unchanged

    f = Fixture("tiny")
    resnet = ResNetModel(ResNetConfig(
        num_channels=3, embedding_size=32, hidden_sizes=[32, 64, 128, 256], depths=[1, 1, 1, 1], layer_type="basic",
        hidden_act="relu", downsample_in_first_stage=False))
    bert = DistilBertModel(DistilBertConfig(
        vocab_size=VOCAB, max_position_embeddings=64, n_layers=2, n_heads=4, dim=128, hidden_dim=512, dropout=0.0,
        attention_dropout=0.0, attn_implementation="eager"))
    model = CLIPModel(resnet, bert, 128)
    model.image_projection = ProjectionHead(256, 128, 0.0)
    model.text_projection = ProjectionHead(128, 128, 0.0)
    state = model.state_dict()
    names = [n for n in state if not n.endswith("num_batches_tracked")]
    model.load_state_dict({n: parameter(n, tuple(state[n].shape)) for n in names}, strict=False)

    x = values("images", (BATCH, 3, SIDE, SIDE), 0.0, 3.0)
    ids = (values("ids", (BATCH, LENGTH), 0.5, 1.0).double() * (VOCAB - 1)).floor().long() + 1
    lengths = [LENGTH - 2 * i for i in range(BATCH)]
    mask = torch.tensor([[int(t < n) for t in range(LENGTH)] for n in lengths])
    model.train()
    optimizer = torch.optim.AdamW([
        {"params": model.image_encoder.parameters(), "lr": 1e-4, "weight_decay": 0.0},
        {"params": model.text_encoder.parameters(), "lr": 1e-5, "weight_decay": 0.0},
        {"params": [*model.image_projection.parameters(), *model.text_projection.parameters()],
         "lr": 1e-3, "weight_decay": 1e-3},
        {"params": [model.logit_scale], "lr": 1e-3, "weight_decay": 0.0},
    ])
    loss = model(x, ids, mask)
    loss.backward()
    f.put("step", "in", {"ids": ids, "mask": mask})
    f.put("step", "out", {"loss": loss})
    f.put("step", "grad", sample({k: p.grad for k, p in model.named_parameters()}))
    optimizer.step()
    after = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    f.put("step", "after", sample(after))
    f.save()


if __name__ == "__main__":
    main()
