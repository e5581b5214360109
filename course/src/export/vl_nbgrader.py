"""Points of `cargo vl grade` as the outputs of nbgrader's test cells.

nbgrader believes what a cell's output says. So this writes the outputs itself: the submission's notebook goes to the grader,
which compiles and asks each exercise in a sandbox, and the cell `ID-checks` shows the points that came back.
"""
import json
import os
import subprocess
import tempfile

import nbformat
from nbformat.v4 import new_output
from nbgrader.preprocessors import ClearSolutions, NbGraderPreprocessor
from traitlets import Integer, List, Unicode


class HolesAsReleased(ClearSolutions):
    """The holes as the course's own student notebooks have them.

    nbgrader puts one stub in the place of every solution. A solution that binds a name would leave the name out with it, and
    the cell would not compile: `let projection = todo!();` does.
    """

    course = Unicode(help="the course's folder").tag(config=True)

    def preprocess(self, nb, resources):
        path = os.path.join(self.course, "notebooks", resources["nbgrader"]["notebook"] + ".ipynb")
        cells = nbformat.read(path, as_version=4).cells if os.path.exists(path) else []
        marks = [(cell.metadata.get("nbgrader", {}), cell.source) for cell in cells]
        self.holes = {mark["grade_id"]: source for mark, source in marks if mark.get("solution")}
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell, resources, cell_index):
        hole = self.holes.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if hole is None:
            return super().preprocess_cell(cell, resources, cell_index)
        cell.source = hole
        return cell, resources


class GradeByVl(NbGraderPreprocessor):
    """Runs `vl grade` in the place of the notebook."""

    course = Unicode(help="the course's folder, with solutions/ in it").tag(config=True)
    command = List(["cargo", "vl"], help="how the command is called there").tag(config=True)
    arguments = List([], help="more words for `vl grade`, such as --without namespaces").tag(config=True)
    seed = Integer(0, help="where hidden inputs are drawn from").tag(config=True)

    def preprocess(self, nb, resources):
        name = resources["nbgrader"]["notebook"]
        with tempfile.TemporaryDirectory() as folder:
            submission = os.path.join(folder, "submission")
            os.mkdir(submission)
            nbformat.write(nb, os.path.join(submission, name + ".ipynb"))
            out = os.path.join(folder, "out")
            command = [*self.command, "grade", submission, "--one", "--out", out, "--seed", str(self.seed), "--json"]
            done = subprocess.run([*command, *self.arguments], cwd=self.course, capture_output=True, text=True)
            if done.returncode != 0:
                # No grade at all is better than a wrong one.
                raise RuntimeError("vl grade has failed: " + done.stderr)
            exercises = json.loads(done.stdout)["submissions"][0]["exercises"]
            with open(os.path.join(out, "submissions", "submission", "results.json")) as file:
                tests = json.load(file)["tests"]
        for cell in nb.cells:
            mark = cell.metadata.get("nbgrader", {})
            if cell.cell_type != "code" or not mark.get("grade") or mark.get("solution"):
                continue
            exercise = next((e for e in exercises if e["id"] + "-checks" == mark["grade_id"]), None)
            if exercise is None:
                continue
            share = exercise["points"] / max(exercise["of"], 1)
            said = [t["name"] + ": " + t["status"] + ("\n    " + t["output"].replace("\n", "\n    ") if t["output"] else "")
                    for t in tests if t["tags"][0] == exercise["id"] and t["visibility"] == "visible"]
            points = round(share * float(mark["points"]), 2)
            cell.execution_count = None
            cell.outputs = [
                new_output("stream", name="stdout", text="\n".join(said) + "\n"),
                new_output("execute_result", data={"text/plain": str(points)}),
            ]
        return nb, resources
