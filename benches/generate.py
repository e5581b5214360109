"""32 new tokens after 16, greedily, GPT-2 with 124 million random parameters, transformers against ours, in turns:

    python benches/generate.py

One text, and eight texts at once; in f32, and with weights in bfloat16, there all else, too, here sums in f32
(`CausalLm::bfloat16`). Both with a key-value cache, two threads, processes of their own; medians;
above 1 ours is faster. Needs torch and transformers; ours is built by cargo first.
"""
import json, os, statistics, subprocess, sys, time
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
ROUNDS, TIMES = 3, 5


def peer(b, times, short):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.set_num_threads(2)
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config()).eval().to(torch.bfloat16 if short else torch.float32)
    ids = torch.randint(0, 50_000, (b, 16))
    seconds = []
    with torch.no_grad():
        for _ in range(times + 1):
            start = time.perf_counter()
            out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=32, min_new_tokens=32, do_sample=False,
                                 pad_token_id=50256)
            seconds.append(time.perf_counter() - start)
            assert out.shape == (b, 48)
    print(statistics.median(seconds[1:]))


def main():
    if len(sys.argv) > 1:
        return peer(int(sys.argv[1]), int(sys.argv[2]), "bfloat16" in sys.argv)
    build = subprocess.run(["cargo", "bench", "--profile", "dev", "-p", "vision-language", "--bench", "generate", "--no-run",
                            "--message-format", "json"], cwd=HOUSE, check=True, stdout=subprocess.PIPE, text=True)
    ours = next(m["executable"] for m in map(json.loads, build.stdout.splitlines())
                if m.get("target", {}).get("name") == "generate" and m.get("executable"))
    env = os.environ | {"CANDLE_BARRIER_POOL_SPIN_LIMIT": "0", "RAYON_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    seconds = lambda *command: float(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout)
    for b in (1, 8):
        args = [str(b), str(TIMES)]
        columns = {name: [] for name in ("theirs", "ours", "theirs in bfloat16", "ours in bfloat16")}
        for _ in range(ROUNDS):
            for name, values in columns.items():
                program = [sys.executable, __file__] if name.startswith("theirs") else [ours]
                values.append(seconds(*program, *args, *(["bfloat16"] if " in " in name else [])))
        median = {name: statistics.median(values) for name, values in columns.items()}
        print(f"{b} at once: " + ", ".join(f"{name} {s:.3f} s" for name, s in median.items()))
        for theirs, own in (("theirs", "ours"), ("theirs in bfloat16", "ours in bfloat16"), ("theirs", "ours in bfloat16")):
            ratios = sorted(t / o for t, o in zip(columns[theirs], columns[own]))
            print(f"  {theirs} / {own}: {statistics.median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f}, {ROUNDS} rounds)",
                  flush=True)


main()
