"""One CLIP training step of the preset `tiny`, PyTorch + transformers against ours, in turns: python benches/clip_step.py

Both on two threads, in processes of their own, ROUNDS times one after the other; each gives the median of its steps. The
ratio is PyTorch's time / our time: above 1 ours is faster. Needs torch and transformers; ours is built by cargo first.
"""
import json, os, statistics, subprocess, sys, time
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
ROUNDS, STEPS, TOKENS, BATCH = 7, 21, 24, 64


def torch_seconds():
    import torch
    from torch import nn
    from transformers import DistilBertConfig, DistilBertModel, ResNetConfig, ResNetModel

    torch.set_num_threads(2)
    torch.manual_seed(0)

    class ProjectionHead(nn.Module):
        def __init__(self, inner, out):
            super().__init__()
            self.projection = nn.Linear(inner, out)
            self.gelu = nn.GELU()
            self.fc = nn.Linear(out, out)
            self.dropout = nn.Dropout(0.1)
            self.layer_norm = nn.LayerNorm(out)

        def forward(self, x):
            projected = self.projection(x)
            return self.layer_norm(self.dropout(self.fc(self.gelu(projected))) + projected)

    image = ResNetModel(ResNetConfig(embedding_size=32, hidden_sizes=[32, 64, 128, 256], depths=[1, 1, 1, 1],
                                     layer_type="basic"))
    text = DistilBertModel(DistilBertConfig(vocab_size=500, max_position_embeddings=64, dim=128, n_layers=2, n_heads=4,
                                            hidden_dim=512))
    heads = ProjectionHead(256, 128), ProjectionHead(128, 128)
    scale = nn.Parameter(torch.tensor(1 / 0.07).log())
    for m in (image, text, *heads):
        m.train()
    of = lambda *modules: [p for m in modules for p in m.parameters() if p.requires_grad]
    adam = torch.optim.AdamW([
        {"params": of(image), "lr": 1e-3, "weight_decay": 0.0}, {"params": of(text), "lr": 1e-3, "weight_decay": 0.0},
        {"params": of(*heads), "lr": 1e-3, "weight_decay": 1e-3}, {"params": [scale], "lr": 1e-3, "weight_decay": 0.0}])
    x = torch.randn(BATCH, 3, 64, 64)
    ids, mask = torch.randint(1, 400, (BATCH, TOKENS)), torch.ones(BATCH, TOKENS)
    labels = torch.arange(BATCH)

    def step():
        adam.zero_grad()
        i = nn.functional.normalize(heads[0](image(x).pooler_output.flatten(1)))
        t = nn.functional.normalize(heads[1](text(ids, attention_mask=mask).last_hidden_state[:, 0]))
        logits = scale.exp() * i @ t.T
        ((nn.functional.cross_entropy(logits, labels) + nn.functional.cross_entropy(logits.T, labels)) / 2).backward()
        adam.step()

    seconds = []
    for _ in range(STEPS + 2):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[2:])


def main():
    if sys.argv[1:] == ["torch"]:
        return print(torch_seconds())
    build = subprocess.run(["cargo", "bench", "--profile", "dev", "-p", "solutions", "--bench", "clip_step", "--no-run",
                            "--message-format", "json"], cwd=HOUSE, check=True, stdout=subprocess.PIPE, text=True)
    ours = next(m["executable"] for m in map(json.loads, build.stdout.splitlines())
                if m.get("target", {}).get("name") == "clip_step" and m.get("executable"))
    env = os.environ | {"CANDLE_BARRIER_POOL_SPIN_LIMIT": "0", "RAYON_NUM_THREADS": "2"}
    seconds = lambda *command: float(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout)
    pairs = []
    for _ in range(ROUNDS):
        pairs.append((seconds(sys.executable, __file__, "torch"), seconds(ours, str(STEPS))))
        print(f"PyTorch {pairs[-1][0]:.4f} s, ours {pairs[-1][1]:.4f} s, ratio {pairs[-1][0] / pairs[-1][1]:.2f}", flush=True)
    ratios = sorted(t / o for t, o in pairs)
    print(f"ratio PyTorch / ours: median {statistics.median(ratios):.2f} of {ROUNDS} (from {ratios[0]:.2f} to {ratios[-1]:.2f})")


main()
