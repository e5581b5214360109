"""Works through a student's copy: types the solutions into the notebooks' cells, after the stubs, and runs everything.

    cargo vl release --out COPY
    (cd COPY && cargo build -p course -p exercises)
    cargo vl sync --solved SOLVED
    python solutions/tests/work_through.py COPY SOLVED OUT

Each hole is run as it came, checked, filled, and checked again. Fails unless every check says "not yet" first and has full
marks then. Prints a line a check; the executed notebooks are in OUT.
"""

import json
import subprocess
import sys
from pathlib import Path


def source(cell):
    return "".join(cell["source"])


def is_check(cell):
    return cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("grade")


def typed(student, solved):
    """The student's cells, and after each hole and its check the same two cells once more, filled."""
    cells, hole = [], None
    for mine, theirs in zip(student["cells"], solved["cells"]):
        cells.append(mine)
        if mine["cell_type"] != "code":
            continue
        if source(mine) != source(theirs):
            hole = theirs
            if "-again-" in mine["metadata"]["nbgrader"]["grade_id"]:  # a hole of an earlier notebook: no check follows
                cells.append({**theirs, "id": f"{mine['id']}-typed"})
                hole = None
        elif is_check(mine) and hole:
            cells.append({**hole, "id": f"{hole['id']}-typed", "metadata": {}})
            cells.append({**mine, "id": f"{mine['id']}-again", "metadata": {}})
            hole = None
    return {**student, "cells": cells}


def text(cell):
    parts = []
    for output in cell["outputs"]:
        value = output.get("data", {}).get("text/plain", output.get("text", ""))
        parts.append("".join(value))
    return "".join(parts)


def main():
    copy, solved, out = map(Path, sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    names = sorted(path.name for path in (copy / "notebooks").glob("*.ipynb"))
    for name in names:
        student = json.loads((copy / "notebooks" / name).read_text())
        made = typed(student, json.loads((solved / name).read_text()))
        (copy / "notebooks" / f"typed_{name}").write_text(json.dumps(made, ensure_ascii=False))
    paths = [f"notebooks/typed_{name}" for name in names]
    subprocess.run(["cargo", "vl", "run", "--out", str(out.resolve()), *paths], cwd=copy, check=True)
    wrong = 0
    for name in names:
        executed = json.loads((out / f"typed_{name}").read_text())
        for cell in executed["cells"]:
            before, after = is_check(cell), cell["id"].endswith("-checks-again")
            if before or after:
                last = text(cell).strip().splitlines()[-1]
                fine = last.startswith("–") if before else last.startswith("✓")
                wrong += not fine
                print(f"{name}: {'as it came' if before else 'typed':10} {last}{'' if fine else '   WRONG'}")
    sys.exit(1 if wrong else 0)


main()
