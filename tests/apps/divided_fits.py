#!/usr/bin/env python3
"""mpirun gap-fit: the same predictions with any number of processes, checkpoints, errors. Exit code 77 without mpirun.

usage: divided_fits.py BIN_FOLDER SOURCE_FOLDER WORK_FOLDER
"""
import os
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
n_max = {n_max}
l_max = 5
kernel = "dot_product"
n_sparse = {n_sparse}
[regularization]
energy = 0.05
force = 0.5
virial = 0.5
"""
# Of one process with one and with two threads, predictions differ by as much: the solution amplifies rounding.
TOLERANCE = 1e-6

binaries, source, work = (Path(a).resolve() for a in sys.argv[1:4])


def launched(size, *words):
    """The command of a fit in `size` processes; one thread each."""
    fit = [str(binaries / "gap-fit"), "fit.toml", "--threads", "1", *words]
    return fit if size == 1 else ["mpirun", "--oversubscribe", "--allow-run-as-root", "-n", str(size), *fit]


def run(folder, command, code=0, limit=120):
    start = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=limit)
    assert done.returncode == code, f"{command}: exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done, time.monotonic() - start


def predicted(folder, model):
    run(folder, [str(binaries / "gap-predict"), model, str(source / "data/silicon/test.xyz"), "-o", "predicted.xyz"])
    return [float(x) for x in re.findall(r"(?<![A-Za-z_])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?", (folder / "predicted.xyz").read_text())]


def check_equal(numbers, expected, name):
    worst = max(abs(a - b) for a, b in zip(numbers, expected, strict=True))
    assert worst <= TOLERANCE, f"{name}: predictions differ by {worst}, at most {TOLERANCE} is expected"
    print(f"{name}: predictions differ by {worst:.1e}")


def folder_of(name, train, n_sparse=40, n_max=4):
    folder = work / name
    folder.mkdir(parents=True)
    (folder / "fit.toml").write_text(CONFIGURATION.format(train=train, n_sparse=n_sparse, n_max=n_max))
    return folder


def check_error(folder, command, code, text):
    done, seconds = run(folder, command, code)
    said = [line for line in done.stderr.splitlines() if "error:" in line]
    assert len(said) == 1 and text in said[0], f"expected one error with '{text}', found {said}"
    assert seconds < 30, f"the error ended the run after {seconds} s"
    assert not [f for f in folder.iterdir() if f.name.endswith(".h5")], "a failed run left a model"
    print(f"error in {seconds:.1f} s: {said[0]}")


def check_checkpoints(train):
    """A rank is killed; another number of processes continues."""
    folder = folder_of("killed", train, n_sparse=900, n_max=8)
    state = folder / "model.h5.checkpoint"
    process = subprocess.Popen(launched(2, "-o", "model.h5", "--checkpoint-interval", "0"), cwd=folder, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 100
    seen = set()  # the first one has the sparse points only
    while len(seen) < 2 and time.monotonic() < end and process.poll() is None:
        time.sleep(0.01)
        if state.exists():
            seen.add(state.stat().st_mtime_ns)
    assert len(seen) == 2, f"two checkpoints were expected\n{process.communicate()[1]}"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    start = time.monotonic()
    os.kill(int(children[-1]), signal.SIGKILL)
    errors = process.communicate(timeout=60)[1]
    seconds = time.monotonic() - start
    assert process.returncode != 0 and seconds < 10 and "signal 9" in errors, f"{process.returncode} after {seconds} s: {errors}"
    done = run(folder, launched(3, "-o", "model.h5"))[0]
    assert "continuing from model.h5.checkpoint" in done.stderr and " 0 of" not in done.stderr, done.stderr
    expected = folder_of("calm", train, n_sparse=900, n_max=8)
    run(expected, launched(1, "-o", "model.h5"))
    check_equal(predicted(folder, "model.h5"), predicted(expected, "model.h5"), "killed with 2, continued with 3 processes")


def main():
    if shutil.which("mpirun") is None:
        print("mpirun is missing")
        sys.exit(77)
    shutil.rmtree(work, ignore_errors=True)
    train = source / "data/silicon/train.xyz"
    alone = folder_of("alone", train)
    run(alone, launched(1, "-o", "one.h5"))
    expected = predicted(alone, "one.h5")
    for size in (2, 3):
        done, _ = run(alone, launched(size, "-o", f"{size}.h5"))
        assert done.stdout.count("Training errors") == 1, done.stdout
        check_equal(predicted(alone, f"{size}.h5"), expected, f"{size} processes")

    broken = folder_of("broken", work / "broken.xyz")
    (work / "broken.xyz").write_text(train.read_text() + "2\nProperties=species:S:1:pos:R:3 energy=1\nSi 0 0 0\nSi 0 0 nonsense\n")
    check_error(broken, launched(2, "-o", "model.h5"), 2, "broken.xyz")
    other = folder_of("other", train)
    words = launched(2, "-o", "model.h5")[-6:]
    alike = ["mpirun", "--oversubscribe", "--allow-run-as-root", "-n", "1", *words, ":", "-n", "2", "env", "TMPDIR=/nowhere", *words]
    check_error(other, alike, 2, "temporary files (TMPDIR)")
    check_error(other, [*launched(2)[:-3], "--nonsense"], 2, "--nonsense")
    long = work / "long.xyz"
    long.write_text(train.read_text() * 6)
    check_checkpoints(long)


main()
