"""The nine nearest of 1,000,000 embeddings of 256 values in an index on disk (unit vectors, mapped into memory), numpy's and torch's
products against ours, in turns: python benches/index.py [N]

One query, and 64 at once; f32 and f16 (numpy and torch have the f32 rows in memory). Two threads, medians; above 1 ours is faster.
Needs torch and numpy; ours is built by cargo first. Writes 1.5 GB into a temporary folder.
"""
import json, os, statistics, subprocess, sys, tempfile, time
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
TIMES = 5


def peer(name, path, n):
    import numpy, torch

    torch.set_num_threads(2)
    rows = numpy.fromfile(path, "<f4").reshape(n, 256)
    rng, tensor = numpy.random.default_rng(0), torch.from_numpy(rows)
    for q in (1, 64):
        queries = rng.normal(size=(q, 256)).astype("float32")

        def with_numpy():
            similarities = queries @ rows.T
            best = numpy.argpartition(-similarities, 9, axis=1)[:, :9]
            return numpy.take_along_axis(best, numpy.argsort(-numpy.take_along_axis(similarities, best, 1), 1), 1)

        def with_torch():
            return (torch.from_numpy(queries) @ tensor.T).topk(9)

        run, seconds = {"torch": with_torch, "numpy": with_numpy}[name], []
        for _ in range(TIMES + 1):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        print(statistics.median(seconds[1:]), flush=True)


def main():
    if sys.argv[1:2] == ["peer"]:
        return peer(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    build = subprocess.run(["cargo", "bench", "--profile", "dev", "-p", "vision-language", "--bench", "index", "--no-run",
                            "--message-format", "json"], cwd=HOUSE, check=True, stdout=subprocess.PIPE, text=True)
    ours = next(m["executable"] for m in map(json.loads, build.stdout.splitlines())
                if m.get("target", {}).get("name") == "index" and m.get("executable"))
    env = os.environ | {"CANDLE_BARRIER_POOL_SPIN_LIMIT": "0", "RAYON_NUM_THREADS": "2", "OMP_NUM_THREADS": "2",
                        "OPENBLAS_NUM_THREADS": "2"}
    run = lambda *command: [float(x) for x in subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout.split()]
    with tempfile.TemporaryDirectory() as folder:
        for precision in ("f32", "f16"):
            opened, one, many, own, everything = run(ours, str(n), precision, folder, str(TIMES))
            print(f"{n} {precision}: opened in {opened:.3f} s, one query {one:.4f} s, 64 at once {many:.3f} s; "
                  f"{own:.0f} MB of its own, {everything:.0f} MB with what is mapped", flush=True)
            if precision == "f32":
                times = (one, many)
        for name in ("numpy", "torch"):
            theirs = run(sys.executable, __file__, "peer", name, f"{folder}/{n}_F32/embeddings.bin", str(n))
            print(f"{name}: one query {theirs[0]:.4f} s, 64 at once {theirs[1]:.3f} s; ratio to ours at f32 "
                  f"{theirs[0] / times[0]:.2f}, {theirs[1] / times[1]:.2f}", flush=True)


main()
