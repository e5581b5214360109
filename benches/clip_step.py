"""CLIP training steps and forward passes, PyTorch + transformers against ours, in turns:

    python benches/clip_step.py [tiny | lecture | image | text]

`tiny` (64 pairs, 64², 24 tokens) and `lecture` (ResNet-50 and DistilBERT, 8 pairs, 224², 32 tokens) are whole training steps:
both encoders, the masters' heads and loss, backward pass, AdamW, everything trainable. `image` and `text` are the forward
passes of the lecture's encoders with their heads. Both sides on two threads, in processes of their own, one after the
other; each gives the median of its steps. The ratio is PyTorch's time / our time: above 1 ours is faster. Needs torch and
transformers; ours is built by cargo first.
"""
import json, os, resource, statistics, subprocess, sys, time
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
# Preset, work, rounds, steps.
WORKS = {"tiny": ("tiny", "step", 7, 21), "lecture": ("lecture", "step", 3, 5),
         "image": ("lecture", "image", 5, 7), "text": ("lecture", "text", 5, 15)}


def torch_run(preset, work, steps):
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

    if preset == "tiny":
        batch, side, tokens, inner, out = 64, 64, 24, (256, 128), 128
        image = ResNetModel(ResNetConfig(embedding_size=32, hidden_sizes=[32, 64, 128, 256], depths=[1, 1, 1, 1],
                                         layer_type="basic"))
        text = DistilBertModel(DistilBertConfig(vocab_size=500, max_position_embeddings=64, dim=128, n_layers=2, n_heads=4,
                                                hidden_dim=512))
    else:
        batch, side, tokens, inner, out = 8, 224, 32, (2048, 768), 256
        image, text = ResNetModel(ResNetConfig()), DistilBertModel(DistilBertConfig())
    heads = ProjectionHead(inner[0], out), ProjectionHead(inner[1], out)
    scale = nn.Parameter(torch.tensor(1 / 0.07).log())
    for m in (image, text, *heads):
        m.train(work == "step")
    of = lambda *modules: [p for m in modules for p in m.parameters() if p.requires_grad]
    adam = torch.optim.AdamW([
        {"params": of(image), "lr": 1e-4, "weight_decay": 0.0}, {"params": of(text), "lr": 1e-5, "weight_decay": 0.0},
        {"params": of(*heads), "lr": 1e-3, "weight_decay": 1e-3}, {"params": [scale], "lr": 1e-3, "weight_decay": 0.0}])
    x = torch.randn(batch, 3, side, side)
    ids, mask = torch.randint(1, 400, (batch, tokens)), torch.ones(batch, tokens)
    labels = torch.arange(batch)
    encode_image = lambda: heads[0](image(x).pooler_output.flatten(1))
    encode_text = lambda: heads[1](text(ids, attention_mask=mask).last_hidden_state[:, 0])

    def step():
        adam.zero_grad()
        i, t = nn.functional.normalize(encode_image()), nn.functional.normalize(encode_text())
        logits = scale.exp() * i @ t.T
        ((nn.functional.cross_entropy(logits, labels) + nn.functional.cross_entropy(logits.T, labels)) / 2).backward()
        adam.step()

    run = {"step": step, "image": encode_image, "text": encode_text}[work]
    seconds = []
    with torch.set_grad_enabled(work == "step"):
        for _ in range(steps + 2):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
    print(statistics.median(seconds[2:]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main():
    if sys.argv[1:2] == ["torch"]:
        return torch_run(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    build = subprocess.run(["cargo", "bench", "--profile", "dev", "-p", "solutions", "--bench", "clip_step", "--no-run",
                            "--message-format", "json"], cwd=HOUSE, check=True, stdout=subprocess.PIPE, text=True)
    ours = next(m["executable"] for m in map(json.loads, build.stdout.splitlines())
                if m.get("target", {}).get("name") == "clip_step" and m.get("executable"))
    env = os.environ | {"CANDLE_BARRIER_POOL_SPIN_LIMIT": "0", "RAYON_NUM_THREADS": "2"}
    for name in sys.argv[1:] or WORKS:
        preset, work, rounds, steps = WORKS[name]
        run = lambda *command: [float(word) for word in subprocess.run(
            [*command, preset, work, str(steps)], env=env, check=True, stdout=subprocess.PIPE).stdout.split()]
        pairs = []
        for _ in range(rounds):
            (t, t_memory), (o, o_memory) = run(sys.executable, __file__, "torch"), run(ours)
            pairs.append((t, o, t_memory, o_memory))
            print(f"{name}: PyTorch {t:.4f} s {t_memory:.0f} MB, ours {o:.4f} s {o_memory:.0f} MB, ratio {t / o:.2f}",
                  flush=True)
        ratios = sorted(t / o for t, o, *_ in pairs)
        t, o, t_memory, o_memory = (statistics.median(column) for column in zip(*pairs))
        print(f"{name}: ratio PyTorch / ours: median {statistics.median(ratios):.2f} of {rounds} (from {ratios[0]:.2f} to "
              f"{ratios[-1]:.2f}); medians {t:.4f} s and {o:.4f} s, {t_memory:.0f} MB and {o_memory:.0f} MB", flush=True)


main()
