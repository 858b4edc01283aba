#!/usr/bin/env python3
"""Kills a fit at random moments and lets the same command continue; the model must predict what an undisturbed fit's model predicts.

usage: random_kills.py BIN_FOLDER SOURCE_FOLDER WORK_FOLDER [KILLS] [SEED]
"""
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
from terms import TWO_BODY  # noqa: E402

CONFIGURATION = """
[data]
train = ["{train}"]
""" + TWO_BODY + """[[term]]
descriptor = "soap"
cutoff = 4.5
n_max = 6
l_max = 5
kernel = "dot_product"
n_sparse = 120
[regularization]
energy = 0.002
force = 0.1
virial = 0.1
"""


def numbers_of(path):
    """Every energy, force and error bar of a prediction file."""
    return [float(x) for x in re.findall(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?", path.read_text())]


def main():
    binaries, source, work = (Path(a).resolve() for a in sys.argv[1:4])
    kills = int(sys.argv[4]) if len(sys.argv) > 4 else 30
    draw = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
    shutil.rmtree(work, ignore_errors=True)
    test = source / "data/silicon/test.xyz"
    fit = [str(binaries / "gap-fit"), "fit.toml", "-o", "model.h5", "--checkpoint-interval", "0"]
    for name in ("calm", "killed"):
        (work / name).mkdir(parents=True)
        (work / name / "fit.toml").write_text(CONFIGURATION.format(train=source / "data/silicon/train.xyz"))

    start = time.monotonic()
    subprocess.run(fit, cwd=work / "calm", check=True, capture_output=True)
    duration = time.monotonic() - start

    folder, killed, continued, ended = work / "killed", 0, 0, 0
    while killed < kills:
        # Ctrl-C and SIGTERM now and then, which must end cleanly
        number = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        process = subprocess.Popen(fit, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            process.wait(timeout=draw.uniform(0.0, 0.6) * duration)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            killed += 1
            if killed % 5 == 0 and continued == 0:
                duration *= 1.5  # the machine is busier than it was: no run has reached its first checkpoint
        errors = process.communicate()[1]
        continued += "continuing from" in errors
        if process.returncode == 0:  # finished before the blow: begin again, there must be something to kill
            ended += 1
            (folder / "model.h5").unlink()
        elif number != signal.SIGKILL and process.returncode not in (128 + number, -number):
            sys.exit(f"signal {number} ended the fit with exit code {process.returncode}: {errors}")
        elif (folder / "model.h5").exists():
            sys.exit("a killed fit left a model")
    last = subprocess.run(fit, cwd=folder, check=True, capture_output=True, text=True)
    leftovers = sorted(p.name for p in folder.iterdir() if p.name not in ("fit.toml", "model.h5") and "tmp" not in p.name)
    if leftovers:
        sys.exit(f"left behind: {leftovers}")

    for name in ("calm", "killed"):
        subprocess.run([str(binaries / "gap-predict"), "model.h5", str(test), "-o", "predictions.xyz", "--std", "energy"],
                       cwd=work / name, check=True, capture_output=True)
    calm, other = (numbers_of(work / name / "predictions.xyz") for name in ("calm", "killed"))
    if len(calm) != len(other) or len(calm) < 1000:
        sys.exit(f"{len(calm)} and {len(other)} numbers predicted")
    worst = max(abs(a - b) for a, b in zip(calm, other))
    print(f"{killed} kills, {continued} continuations, {ended} runs that ended first; last run continued: {'continuing' in last.stderr}; "
          f"largest difference of {len(calm)} predicted numbers: {worst:.2g}")
    if continued < kills // 4:
        sys.exit("hardly any run continued from a checkpoint: nothing was tested")
    if not worst <= 1e-9:
        sys.exit("the model differs from the model of an undisturbed fit")
    print("1 passed, 0 failed")


main()
