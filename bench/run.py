#!/usr/bin/env python3
"""Runs gap-fit and gap-predict as a user would and prints wall time, CPU time and peak memory of each run.

    bench/run.py [--bin build/release/bin] [--threads N] [--public]

data/silicon with configs/silicon.toml always; with --public also zuo2020 Si (M = 1000 and 2000) where $GAPKIT_SHARED/data/public,
or shared/data/public beside the checkout, has it. Ends with lines for the table of bench/README.md.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def public_folder():
    named = os.environ.get("GAPKIT_SHARED")
    return (Path(named) if named else ROOT.parent / "shared") / "data" / "public"


def machine():
    """Processor and threads, as /proc tells them."""
    name = platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{name}, {len(os.sched_getaffinity(0))} CPUs"


def commit():
    result = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return result.stdout.strip() or "unknown"


def measure(command):
    """Wall seconds, CPU seconds and peak memory (GB) of one process; its output is shown only if it fails."""
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen([str(c) for c in command], stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            sys.stderr.buffer.write(log.read())
            sys.exit(f"run.py: {' '.join(map(str, command))} ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release" / "bin", help="folder of the programs")
    parser.add_argument("--threads", type=int, help="default: that of the programs")
    parser.add_argument("--public", action="store_true", help="zuo2020 Si too, if it is there (minutes)")
    arguments = parser.parse_args()
    for program in ("gap-fit", "gap-predict"):
        if not (arguments.bin / program).is_file():
            sys.exit(f"run.py: {arguments.bin / program} does not exist; build the programs, or name their folder with --bin")
    threads = ["--threads", str(arguments.threads)] if arguments.threads else []
    environment_threads = arguments.threads or os.environ.get("OMP_NUM_THREADS") or "all"

    # label, configuration, sparse points (None: as configured), training file, file to predict
    silicon = ROOT / "data" / "silicon"
    cases = [("data/silicon", ROOT / "configs" / "silicon.toml", None, silicon / "train.xyz", silicon / "test.xyz")]
    if arguments.public:
        zuo = public_folder() / "zuo2020" / "Si"
        if zuo.is_dir():
            config = ROOT / "bench" / "zuo2020_si.toml"
            cases += [(f"zuo2020 Si, M = {m}", config, m, zuo / "train.xyz", zuo / "test.xyz") for m in (1000, 2000)]
        else:
            print(f"run.py: {zuo} is not there; only data/silicon", file=sys.stderr)

    print(f"{machine()}; threads: {environment_threads}; commit {commit()}\n")
    print(f"{'what':<52} {'wall s':>9} {'CPU s':>9} {'peak GB':>9}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)

        def run(label, command):
            wall, cpu, memory = measure(command + threads)
            print(f"{label:<52} {wall:9.2f} {cpu:9.2f} {memory:9.3f}", flush=True)
            rows.append((label, f"{wall:.2f} s wall, {cpu:.2f} s CPU, {memory:.2f} GB"))

        for label, config, sparse, train, test in cases:
            if sparse:
                text = config.read_text().replace("n_sparse = 1000", f"n_sparse = {sparse}").replace('["train.xyz"]', f'["{train}"]')
                config = folder / "config.toml"
                config.write_text(text)
            model, predicted = folder / "model.h5", folder / "predicted.xyz"
            run(f"{label}: gap-fit", [arguments.bin / "gap-fit", config, "--train", train, "-o", model])
            predict = [arguments.bin / "gap-predict", model, test, "-o", predicted]
            run(f"{label}: gap-predict", predict)
            run(f"{label}: gap-predict --no-forces", predict + ["--no-forces"])
            run(f"{label}: gap-predict --std energy", predict + ["--std", "energy"])
            run(f"{label}: gap-predict --std energy,local", predict + ["--std", "energy,local"])

    today = datetime.date.today().isoformat()
    print("\nFor the table of bench/README.md:\n")
    for label, figure in rows:
        print(f"| {today} | {commit()} | {machine()}, threads: {environment_threads} | {label} | {figure} |")


if __name__ == "__main__":
    main()
