"""The peer of tiny_step.rs: the same training steps in PyTorch + transformers, 2 threads."""
import statistics, time
import torch
from torch import nn
from transformers import DistilBertConfig, DistilBertModel, ResNetConfig, ResNetModel

torch.set_num_threads(2)
torch.manual_seed(0)


def timed(name, f):
    f()
    seconds = []
    for _ in range(9):
        start = time.perf_counter()
        f()
        seconds.append(time.perf_counter() - start)
    print(f"{name:40} median {statistics.median(seconds):.4f} s (min {min(seconds):.4f}, max {max(seconds):.4f})")


def stepper(model, forward):
    adam = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)

    def step():
        adam.zero_grad()
        forward().square().mean().backward()
        adam.step()

    return step


for name, small, batch, sizes in [
    ("image, large stem, batch 32", False, 32, [32, 64, 128, 256]),
    ("image, large stem, batch 64", False, 64, [32, 64, 128, 256]),
    ("image, small stem, batch 64", True, 64, [32, 64, 128, 256]),
    ("image, small stem 24.., batch 64", True, 64, [24, 48, 96, 192]),
]:
    model = ResNetModel(ResNetConfig(embedding_size=sizes[0], hidden_sizes=sizes, depths=[1, 1, 1, 1], layer_type="basic"))
    if small:
        model.embedder.embedder.convolution = nn.Conv2d(3, sizes[0], 3, 2, 1, bias=False)
        model.embedder.pooler = nn.Identity()
    model.train()
    images = torch.randn(batch, 3, 64, 64)
    timed(name, stepper(model, lambda: model(images).pooler_output))

for batch in [32, 64]:
    config = DistilBertConfig(vocab_size=600, max_position_embeddings=64, dim=128, n_layers=2, n_heads=4, hidden_dim=512)
    model = DistilBertModel(config).train()
    ids = torch.zeros(batch, 24, dtype=torch.long)
    mask = torch.ones(batch, 24)
    timed(f"text, batch {batch} of 24 tokens", stepper(model, lambda: model(ids, attention_mask=mask).last_hidden_state[:, 0]))
