"""`make bench`: what Watchferry costs — in seconds, calls, memory and dollars — beside what was asked for.

imports · calls · large · users · proxy    the benches, one file each
local      a local cloud of its own with the deployed stack in it, and people who use it
metered    the same Watchferry in one process, every call of AWS counted
lambdas    what the functions of a deployed stack say of themselves: time, memory, results
cost       prices, and what was counted in dollars
figures    figures beside their targets, as tables

Figures, not tests: a target that is missed is shown, and ends nothing.
"""

import sys

from tests.cloud.tools import ROOT

# As pytest does it for the tests (pyproject.toml): the shared code lies in a layer, not in the environment.
sys.path.insert(0, str(ROOT / "layers" / "core"))
