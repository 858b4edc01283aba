#!/usr/bin/env python3
"""gap-fit built without MPI refuses to run in several processes, which would write the same files; one process says why.

usage: not_divided.py BIN_FOLDER WORK_FOLDER
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

binaries, work = (Path(a).resolve() for a in sys.argv[1:3])
shutil.rmtree(work, ignore_errors=True)
work.mkdir(parents=True)
launcher = work / "mpirun"  # its name makes it a launcher
launcher.write_text(f"#!/bin/sh\n'{binaries}/gap-fit' \"$@\"\ncode=$?\nexit $code\n")
launcher.chmod(0o755)
for size, rank, said in [(2, 0, "built without MPI"), (2, 1, None), (1, 0, "fit.toml")]:
    environment = {**os.environ, "OMPI_COMM_WORLD_RANK": str(rank), "OMPI_COMM_WORLD_SIZE": str(size)}
    done = subprocess.run([launcher, "fit.toml"], cwd=work, env=environment, capture_output=True, text=True)
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done
    assert not lines if said is None else len(lines) == 1 and said in lines[0], done
