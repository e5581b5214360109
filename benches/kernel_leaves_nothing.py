"""Starts and stops kernels, three at once, kills some, and looks for what they leave: no process, no directory.

    cargo vl kernel install
    PYTHON benches/kernel_leaves_nothing.py [--starts 100] [--kills 3]

PYTHON has jupyter_client. Exits 1 where something is left.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.manager import KernelManager

CELL = "use vision_language::prelude::*; let mine = Tensor::new({n}f32, &Device::Cpu)?.to_scalar::<f32>()?; mine"


def start():
    manager = KernelManager(kernel_name="vision-language")
    manager.start_kernel(env={**os.environ, "TMPDIR": TMP})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    return manager, client


def value(client, code):
    said = []
    client.execute_interactive(code, timeout=120, output_hook=lambda m: said.append(m["content"].get("data", {}).get("text/plain")))
    return [text for text in said if text]


def stop(manager, client):
    client.stop_channels()
    manager.shutdown_kernel()


def processes():
    listed = subprocess.run(["ps", "-eo", "pid,stat,args"], capture_output=True, text=True).stdout.splitlines()
    return [line.strip() for line in listed if ("vl-kernel" in line or "vl-guard" in line) and " Z" not in line and TMP in environment(line)]


def environment(line):
    try:
        return Path(f"/proc/{line.split()[0]}/environ").read_text() + line
    except OSError:
        return line


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--kills", type=int, default=3)
    args = parser.parse_args()

    three = [start() for _ in range(3)]
    for n, (_, client) in enumerate(three):
        client.execute(CELL.format(n=n))
    for n, (_, client) in enumerate(three):
        value(client, "let _ = ();")
        assert value(client, "mine") == [f"{n}.0"], n
    for pair in three:
        stop(*pair)
    print("three at once: each has its own variables")

    begun = time.monotonic()
    for n in range(args.starts):
        manager, client = start()
        if n % 10 == 0:
            assert value(client, CELL.format(n=n)) == [f"{n}.0"]
        stop(manager, client)
    print(f"{args.starts} starts and stops in {time.monotonic() - begun:.0f} s")

    for n in range(args.kills):
        manager, client = start()
        value(client, "1")
        client.execute("loop {}")
        time.sleep(1)
        child = int(next(Path(TMP).glob("vl-kernel-*/child")).read_text())
        if n % 2:
            os.kill(child, signal.SIGKILL)
        os.kill(manager.provisioner.pid, signal.SIGKILL)
        time.sleep(3)
        client.stop_channels()
        manager.cleanup_resources()
    print(f"{args.kills} kernels killed, some with the process that ran their cell")

    time.sleep(2)
    left = processes() + [str(path) for path in Path(TMP).iterdir()]
    print("nothing is left" if not left else "LEFT:\n" + "\n".join(left))
    sys.exit(bool(left))


with tempfile.TemporaryDirectory(prefix="vlk") as TMP:
    main()
