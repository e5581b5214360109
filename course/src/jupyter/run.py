"""Executes notebooks on a kernel, for `vl run`.

Reads its work as JSON from standard input, tells each cell on standard error, writes the executed notebooks and one
page, and prints the outcomes as JSON. A cell fails on an error, on a panic and on a failed `?`. Stock evcxr calls the last
two success: there a variable that the cell should have left behind is asked for.
"""

import json
import os
import queue
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbconvert import HTMLExporter

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
LANGUAGE = {"name": "rust", "mimetype": "text/rust", "file_extension": ".rs", "pygments_lexer": "rust"}
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")


def say(text):
    print(text, file=sys.stderr, flush=True)


def first_line(source):
    lines = [line.strip() for line in source.splitlines()]
    code = [line for line in lines if line and not line.startswith("//")]
    return (code or lines or [""])[0]


def stderr_of(cell):
    streams = [o for o in cell.outputs if o.output_type == "stream" and o.name == "stderr"]
    return ANSI.sub("", "".join(o.text for o in streams)).strip()


def errors_of(cell):
    errors = [o for o in cell.outputs if o.output_type == "error"]
    lines = [line for o in errors for line in ANSI.sub("", "\n".join(o.traceback)).splitlines()]
    return "\n".join(line.rstrip() for line in lines)


def is_code(cell):
    return cell.cell_type == "code" and cell.source.strip() != ""


class Run:
    """One notebook on one kernel."""

    def __init__(self, path, work):
        self.path, self.work = Path(path), work
        self.nb = nbformat.read(path, as_version=4)
        self.nb.metadata["language_info"] = LANGUAGE
        for cell in self.nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        self.cell_seconds, self.start_seconds, self.count = [], 0.0, 0

    def execute(self):
        """The failure, or None."""
        self.client = NotebookClient(
            self.nb, timeout=self.work["timeout"], kernel_name=self.work["kernel"], startup_timeout=1800,
            resources={"metadata": {"path": str(self.path.parent.resolve())}}, coalesce_streams=True)
        total = sum(map(is_code, self.nb.cells))
        say(f"{self.path.stem}: starting the kernel")
        begun = time.monotonic()
        try:
            with self.client.setup_kernel():
                self.start_seconds = time.monotonic() - begun
                for index, cell in enumerate(self.nb.cells):
                    if is_code(cell):
                        failure = self.cell(index, cell, total)
                        if failure and "raises-exception" not in cell.metadata.get("tags", []):
                            return failure
        except Exception as error:  # the kernel did not start, or not end
            return {"cell": 0, "kind": "kernel", "line": "", "message": ANSI.sub("", str(error)).strip()}

    def cell(self, index, cell, total):
        self.count += 1
        begun = time.monotonic()
        try:
            failure = self.judge(index, cell)
        except CellExecutionError as error:
            kind = error.ename if error.ename in ("panic", "interrupted") else "error"
            failure = (kind, errors_of(cell) or ANSI.sub("", str(error)))
        except CellTimeoutError:
            failure = ("timeout", f"the cell took more than {self.work['timeout']} s")
        except DeadKernelError as error:
            failure = ("kernel", f"the kernel died\n{error}")
        seconds = time.monotonic() - begun
        self.cell_seconds.append(round(seconds, 3))
        say(
            f"  {self.count:3}/{total} {seconds:7.2f} s  {failure[0] if failure else 'ok':7} {first_line(cell.source)[:80]}")
        if failure:
            return {"cell": index + 1, "kind": failure[0], "line": first_line(cell.source), "message": failure[1].strip()}

    def judge(self, index, cell):
        """Executes a cell and says (kind, message) where evcxr calls a failure success."""
        if self.work["ours"]:
            self.client.execute_cell(cell, index, execution_count=self.count)
            return None
        source, mark = cell.source, f"vl_cell_{self.count}_ended"
        marked = not re.search(r"^\s*(:|#!\[|//!)", source, re.M)
        try:
            cell.source = f"let {mark}: () = (); {source}" if marked else source
            self.client.execute_cell(cell, index, execution_count=self.count)
        finally:
            cell.source = source
        if marked and mark not in self.variables():
            self.late(index, cell)
            message = stderr_of(cell)
            return ("panic" if "panicked at" in message else "error", message)

    def late(self, index, cell):
        """evcxr sends standard error apart: what still comes belongs to this cell."""
        try:
            while True:
                message = run_sync(self.client.kc.get_iopub_msg)(timeout=0.3)
                self.client.process_message(message, cell, index)
        except (queue.Empty, CellExecutionComplete):
            pass

    def variables(self):
        """What the stock kernel's command `:vars` lists."""
        cell = nbformat.v4.new_code_cell(":vars")
        self.client.nb.cells.append(cell)
        try:
            self.client.execute_cell(cell, len(self.client.nb.cells) - 1, store_history=False)
        finally:
            self.client.nb.cells.pop()
        return "".join(str(o.get("data", o.get("text", ""))) for o in cell.outputs)

    def pictures(self):
        outputs = [o for c in self.nb.cells if c.cell_type == "code" for o in c.outputs]
        return sum(any(kind in o.get("data", {}) for kind in PICTURES) for o in outputs)


def page(runs, outcomes, out):
    """All notebooks on one page, a table of how they went on top."""
    rows = ["| notebook | seconds | outcome |", "|---|---|---|"]
    cells = []
    for run, outcome in zip(runs, outcomes):
        failure = outcome["failure"]
        word = f"**{failure['kind']}** in cell {failure['cell']}" if failure else "ran to the end"
        rows.append(f"| {run.path.stem} | {outcome['seconds']:.1f} | {word} |")
        cells.append(nbformat.v4.new_markdown_cell(f"---\n\n*{run.path.name}*"))
        cells += run.nb.cells
    cells.insert(0, nbformat.v4.new_markdown_cell("\n".join(rows)))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    merged = nbformat.v4.new_notebook(cells=cells, metadata=runs[0].nb.metadata)
    exporter = HTMLExporter(embed_images=True)
    body, _ = exporter.from_notebook_node(merged, resources={"metadata": {"name": "vision-language"}})
    (out / "index.html").write_text(body, encoding="utf-8")


def main():
    work = json.load(sys.stdin)
    # A kernel inherits our standard output, and stock evcxr greets there.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    out = Path(work["out"])
    runs, outcomes = [], []
    for path in work["notebooks"]:
        run, begun = Run(path, work), time.monotonic()
        failure = run.execute()
        if failure and failure["cell"] == 0:
            say(f"  kernel: {failure['message']}")
        nbformat.write(run.nb, out / run.path.name)
        runs.append(run)
        outcomes.append({
            "notebook": str(path), "seconds": round(time.monotonic() - begun, 3),
            "start_seconds": round(run.start_seconds, 3), "cell_seconds": run.cell_seconds,
            "pictures": run.pictures(), "failure": failure})
    page(runs, outcomes, out)
    json.dump(outcomes, answer)
    answer.close()


main()
