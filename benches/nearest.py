"""The nine nearest of N embeddings of 256 values, torch and numpy against ours, in turns: python benches/nearest.py

All normalise the embeddings, as the lecture's `find_matches` does, multiply with the query and take the best nine; ours does
it in one pass. Two threads, processes of their own, medians; above 1 ours is faster. Ours is built by cargo first.
"""
import json, os, statistics, subprocess, sys, time
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
ROUNDS, SIZES = 5, {31_783: 21, 1_000_000: 5}


def peer(name, n, times):
    import numpy, torch

    torch.set_num_threads(2)
    torch.manual_seed(0)
    images, text = torch.randn(n, 256), torch.randn(1, 256)
    images_np, text_np = images.numpy(), text.numpy()

    def with_torch():
        normalize = torch.nn.functional.normalize
        return (normalize(text) @ normalize(images).T).squeeze(0).topk(9)

    def with_numpy():
        rows = images_np / numpy.linalg.norm(images_np, axis=1, keepdims=True)
        similarities = rows @ (text_np[0] / numpy.linalg.norm(text_np))
        best = numpy.argpartition(-similarities, 9)[:9]
        return best[numpy.argsort(-similarities[best])]

    run, seconds = {"torch": with_torch, "numpy": with_numpy}[name], []
    with torch.no_grad():
        for _ in range(times + 2):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
    print(statistics.median(seconds[2:]))


def main():
    if len(sys.argv) > 1:
        return peer(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    build = subprocess.run(["cargo", "bench", "--profile", "dev", "-p", "vision-language", "--bench", "nearest", "--no-run",
                            "--message-format", "json"], cwd=HOUSE, check=True, stdout=subprocess.PIPE, text=True)
    ours = next(m["executable"] for m in map(json.loads, build.stdout.splitlines())
                if m.get("target", {}).get("name") == "nearest" and m.get("executable"))
    env = os.environ | {"CANDLE_BARRIER_POOL_SPIN_LIMIT": "0", "RAYON_NUM_THREADS": "2", "OMP_NUM_THREADS": "2",
                        "OPENBLAS_NUM_THREADS": "2"}
    for n, times in SIZES.items():
        seconds = lambda *command: float(subprocess.run([*command, str(n), str(times)], env=env, check=True,
                                                        stdout=subprocess.PIPE).stdout)
        rounds = []
        for _ in range(ROUNDS):
            rounds.append((seconds(sys.executable, __file__, "torch"), seconds(sys.executable, __file__, "numpy"),
                           seconds(ours)))
        torch, numpy, own = (statistics.median(column) for column in zip(*rounds))
        ratio = lambda i: statistics.median(r[i] / r[2] for r in rounds)
        print(f"{n}: torch {torch:.4f} s, numpy {numpy:.4f} s, ours {own:.4f} s; ratio torch / ours {ratio(0):.2f}, "
              f"numpy / ours {ratio(1):.2f} (medians of {ROUNDS})", flush=True)


main()
