"""Tests of pair_style gapkit in LAMMPS: run.py BUILD_FOLDER SOURCE_FOLDER [--lammps SOURCES --lmp PROGRAM] [names of tests, as unittest takes them].

With Debian's LAMMPS, or with a LAMMPS that was built from SOURCES with the package PLUGIN. Exit code 77: there is no LAMMPS.
"""

import argparse
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("build", type=Path)
parser.add_argument("source", type=Path)
parser.add_argument("--lammps", type=Path)
parser.add_argument("--lmp", type=Path)
parser.add_argument("names", nargs="*")
arguments = parser.parse_args()
if arguments.lammps is None:
    if shutil.which("lmp") is None or subprocess.run(["dpkg-query", "-W", "lammps"], capture_output=True).returncode != 0:
        print("Skipped: Debian's package lammps is not installed (scripts/install-dependencies --test)")
        sys.exit(77)
try:
    import numpy  # noqa: F401
except ImportError:
    print("Skipped: this Python has no numpy (scripts/install-dependencies --test)")
    sys.exit(77)
here = Path(__file__).resolve().parent
os.environ["GAPKIT_BUILD"] = str(arguments.build.resolve())
os.environ["GAPKIT_SOURCE"] = str(arguments.source.resolve())
os.environ["GAPKIT_LAMMPS"] = str(arguments.lammps.resolve()) if arguments.lammps else ""
os.environ["GAPKIT_LMP"] = str(arguments.lmp.resolve()) if arguments.lmp else ""
sys.path.insert(0, str(here))
sys.dont_write_bytecode = True

loader = unittest.defaultTestLoader
suite = loader.loadTestsFromNames(arguments.names) if arguments.names else loader.discover(str(here), "test_*.py")
result = unittest.TextTestRunner(verbosity=2).run(suite)
sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)
