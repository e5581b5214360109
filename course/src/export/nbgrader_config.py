# nbgrader's configuration for this course, made by `cargo vl export nbgrader`.
#
#   nbgrader generate_assignment 02_clip      students' notebook, in release/
#   nbgrader autograde 02_clip                points by `cargo vl grade`: no student's code runs in this process
#   nbgrader generate_feedback 02_clip
import os
import sys

from nbgrader.converters.autograde import Autograde
from nbgrader.converters.generate_assignment import GenerateAssignment
from nbgrader.preprocessors import (
    AssignLatePenalties, CheckCellMetadata, ClearSolutions, IgnorePattern, LimitOutput, SaveAutoGrades)
from nbconvert.preprocessors import ClearMetadataPreprocessor

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
from vl_nbgrader import GradeByVl, HolesAsReleased  # noqa: E402

c = get_config()  # noqa: F821
c.CourseDirectory.root = here
c.CourseDirectory.course_id = "vision-language"
c.ClearSolutions.code_stub = {"rust": "todo!()"}
c.HolesAsReleased.course = "@COURSE@"
steps = GenerateAssignment.preprocessors.default()
c.GenerateAssignment.preprocessors = [HolesAsReleased if step is ClearSolutions else step for step in steps]
c.Execute.timeout = 600
# In the place of nbgrader's own Execute, which would run the notebook and believe its outputs.
c.Autograde.autograde_preprocessors = [
    GradeByVl, IgnorePattern, ClearMetadataPreprocessor, LimitOutput, SaveAutoGrades,
    AssignLatePenalties, CheckCellMetadata]
c.GradeByVl.course = "@COURSE@"
c.GradeByVl.seed = @SEED@
