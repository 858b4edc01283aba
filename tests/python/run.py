"""Tests of the Python package: run.py BUILD_FOLDER SOURCE_FOLDER [names of tests, as unittest takes them].

The package in BUILD_FOLDER/python is compared with the programs in BUILD_FOLDER/bin. A model is fitted first; it takes a second.
"""

import os
import sys
import unittest
from pathlib import Path

build, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
os.environ["GAPKIT_BUILD"] = str(build)
os.environ["GAPKIT_SOURCE"] = str(source)
here = Path(__file__).resolve().parent
# Processes that tests start find the same package.
os.environ["PYTHONPATH"] = os.pathsep.join([str(build / "python"), str(here)])
sys.path[:0] = [str(build / "python"), str(here)]

loader = unittest.defaultTestLoader
names = sys.argv[3:]
suite = loader.loadTestsFromNames(names) if names else loader.discover(str(here), "test_*.py")
result = unittest.TextTestRunner(verbosity=2).run(suite)
if result.testsRun == 0:
    print("run.py: there are no tests", file=sys.stderr)
sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)
