"""How long a cell takes beside its own code: the course's kernel, and a stock evcxr kernel, on the same notebooks.

    cargo vl kernel install                                    # our kernel
    cargo build --package course-kernel --example stock-kernel # a stock one with a clock, some minutes
    PYTHON benches/kernel.py [--stock PATH/TO/stock-kernel] [--starts N] [NOTEBOOK ...]

PYTHON has jupyter_client and nbformat (`cargo vl lab` makes one). For every code cell: wall time from the request to the
reply, less the time that the cell's own code ran, as the process that runs it measures it. The stock kernel compiles
the library first (some ten minutes), outside of what is measured. `rustc alone` is the last call of rustc for a cell, what
nothing can go below; evcxr calls it once to four times a cell. `--skip TEXT` leaves cells out that hold the text, a
training for one.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel

FIRST = "use vision_language::prelude::*; let x = Tensor::zeros(3, DType::F32, &Device::Cpu)?;"


def code_cells(path, skip):
    cells = nbformat.read(path, as_version=4).cells
    cells = [c.source for c in cells if c.cell_type == "code" and c.source.strip()]
    return [c for c in cells if not any(word in c for word in skip)]


def run(client, code):
    begun = time.monotonic()
    reply = client.execute_interactive(code, timeout=3600, output_hook=lambda _: None, stop_on_error=False)
    return time.monotonic() - begun, reply


def ran(reply, times):
    """Seconds that the cell's own code ran."""
    if "vl" in reply.get("metadata", {}):
        return reply["metadata"]["vl"]["ran"]
    before = ran.lines
    lines = times.read_text().split() if times.exists() else []
    ran.lines = len(lines)
    return sum(map(float, lines[before:]))


ran.lines = 0


def lines(path):
    return path.read_text().split() if path.exists() else []


def measure(name, folder, notebooks, args, times, rustc):
    """Starts, then every cell of every notebook."""
    starts, cells = [], []
    os.chdir(folder)
    for _ in range(args.starts):
        begun = time.monotonic()
        manager, client = start_new_kernel(kernel_name=name, startup_timeout=3600)
        run(client, FIRST)
        starts.append(time.monotonic() - begun)
        client.stop_channels()
        manager.shutdown_kernel()
    for path in notebooks:
        manager, client = start_new_kernel(kernel_name=name, startup_timeout=3600)
        run(client, "1 + 1")
        ran.lines = len(times.read_text().split()) if times.exists() else 0
        for code in code_cells(path, args.skip):
            calls = len(lines(rustc))
            wall, reply = run(client, code)
            own = ran(reply, times)
            status = reply["content"]["status"]
            alone = [float(seconds) for seconds in lines(rustc)[calls:]]
            cells.append({"notebook": path.stem, "cell": code.splitlines()[0], "wall": wall, "ran": own, "status": status, "rustc": alone})
            if args.verbose:
                print(f"{name:16} {path.stem:16} {wall - own:6.3f} s beside {own:7.3f} s  {status:6} {code.splitlines()[0][:60]}")
        client.stop_channels()
        manager.shutdown_kernel()
    return starts, cells


def row(name, starts, beside):
    beside = sorted(beside)
    at = lambda part: beside[min(len(beside) - 1, int(part * len(beside)))]
    start = f"{statistics.median(starts):.2f}" if starts else "–"
    return f"| {name} | {start} | {len(beside)} | {statistics.median(beside):.3f} | {at(0.9):.3f} | {beside[-1]:.3f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--stock", type=Path, help="the program stock-kernel")
    parser.add_argument("--keep", type=Path, help="where the stock kernel's compiled library stays for the next call")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--skip", action="append", default=[], metavar="TEXT")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    notebooks = [p.resolve() for p in args.notebooks] or sorted((root / "notebooks").glob("*.ipynb"))
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        times, rustc = temporary / "times", temporary / "rustc"
        os.environ["VL_BENCH_RUSTC"] = str(rustc)
        if args.stock:
            # The library is compiled once, in a place that outlives the kernels.
            spec = temporary / "kernels/stock-evcxr"
            spec.mkdir(parents=True)
            env = {"EVCXR_TMPDIR": str((args.keep or temporary / "evcxr").resolve()), "VL_BENCH_TIMES": str(times)}
            argv = [str(args.stock.resolve()), "--control_file", "{connection_file}"]
            kernel = {"argv": argv, "display_name": "stock", "language": "rust", "interrupt_mode": "message", "env": env}
            (spec / "kernel.json").write_text(json.dumps(kernel))
            os.environ["JUPYTER_PATH"] = f"{temporary}:{os.environ.get('JUPYTER_PATH', '')}"
        names = (["stock-evcxr"] if args.stock else []) + ["vision-language"]
        for name in names:
            if name not in KernelSpecManager().find_kernel_specs():
                sys.exit(f"no kernel {name}: `cargo vl kernel install`")
            if name == "stock-evcxr":
                # evcxr.toml of this folder makes it compile the library.
                os.chdir(root / "notebooks")
                manager, client = start_new_kernel(kernel_name=name, startup_timeout=3600)
                client.stop_channels()
                manager.shutdown_kernel()
            results[name] = measure(name, root / "notebooks", notebooks, args, times, rustc)
    print("| kernel | start to the first result, s (median) | cells | beside the code, s: median | 9 of 10 | most |")
    print("|---|---|---|---|---|---|")
    for name, (starts, cells) in results.items():
        print(row(name, starts, [c["wall"] - c["ran"] for c in cells]))
        if alone := [c["rustc"][-1] for c in cells if c["rustc"]]:
            print(row("rustc alone", [], alone))
    if args.json:
        args.json.write_text(json.dumps({n: {"starts": s, "cells": c} for n, (s, c) in results.items()}, indent=1))


main()
