#!/usr/bin/env python3
"""Kills learning loops at random moments and runs the same command again; the labelled structures must equal an undisturbed loop's.

usage: loop_kills.py BIN_FOLDER SOURCE_FOLDER WORK_FOLDER [KILLS] [SEED]
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
from terms import TWO_BODY  # noqa: E402

COMMON = """
[data]
train = ["start.xyz"]
[reference_energies]
mode = "explicit"
explicit = {{ Si = 0.0 }}
""" + TWO_BODY + """[[term]]
descriptor = "soap"
cutoff = 4.0
n_max = 3
l_max = 3
kernel = "dot_product"
n_sparse = 10
selection = "variance"
[regularization]
energy = 0.002
force = 0.1
virial = 0.1
[loop]
folder = "loop"
rounds = {rounds}
[sparse]
every = {every}
per_label = 3
max = 60
[choose]
per_round = 3
"""
POOL = COMMON.format(rounds=6, every=2) + """
[threshold]
quantity = "energy"
[label]
kind = "given"
[[source]]
kind = "pool"
files = ["pool.xyz"]
"""
MD = COMMON.format(rounds=4, every=1) + """
[threshold]
quantity = "local_energy"
mode = "absolute"
value = 0.01
[label]
kind = "stillinger_weber"
[[source]]
kind = "md"
files = ["md.xyz"]
temperatures = [600, 1500]
time = 1
round_time = 0.1
check_every = 5
"""


BATCH = COMMON.format(rounds=3, every=2) + """
[threshold]
quantity = "energy"
[label]
kind = "batch"
submit = ["SYSTEM", "STATE", "sbatch", "{here}/job.sh", "{input}", "{output}"]
status = ["SYSTEM", "STATE", "squeue"]
cancel = ["SYSTEM", "STATE", "scancel", "{job}"]
poll_interval = 0.05
[[source]]
kind = "pool"
files = ["pool.xyz"]
"""
# A job labels with the frame of the pool that has its atoms.
JOB = """sleep 0.2
exec /usr/bin/env python3 - "$1" "$2" POOL <<'EOF'
import sys
question, answer, pool = sys.argv[1:4]
def frames(path):
    lines, i = open(path).read().split("\\n"), 0
    while i < len(lines) and lines[i].strip():
        end = i + 2 + int(lines[i])
        yield lines[i:end]
        i = end
def positions(frame):
    return [tuple(round(float(x), 4) for x in line.split()[1:4]) for line in frame[2:]]
wanted = positions(next(frames(question)))
open(answer, "w").write("\\n".join(next(f for f in frames(pool) if positions(f) == wanted)) + "\\n")
EOF
"""


def frames_of(path):
    lines, frames, i = path.read_text().split("\n"), [], 0
    while i < len(lines) and lines[i].strip():
        end = i + 2 + int(lines[i])
        frames.append("\n".join(lines[i:end]) + "\n")
        i = end
    return frames


def prepare(folder, configuration, frames):
    folder.mkdir(parents=True)
    system = Path(__file__).resolve().parent.parent / "data" / "batch" / "batch.sh"
    (folder / "loop.toml").write_text(configuration.replace("SYSTEM", str(system)).replace("STATE", str(folder / "state")))
    (folder / "job.sh").write_text(JOB.replace("POOL", str(folder / "pool.xyz")))
    (folder / "start.xyz").write_text("".join(frames[:8]))
    (folder / "pool.xyz").write_text("".join(frames[8:60]))
    (folder / "md.xyz").write_text(next(f for f in frames if "diamond_rattle8" in f.split("\n")[1]))


def disturb(command, folder, duration, kills, draw):
    """Runs the loop to its end through a number of kills; returns how often it continued."""
    killed = 0
    while killed < kills:
        number = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            process.wait(timeout=draw.uniform(0.02, 1.2 / kills + 0.05) * duration)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        errors = process.communicate()[1]
        if process.returncode == 0:
            break  # it is done
        killed += 1
        if number != signal.SIGKILL and process.returncode not in (128 + number, -number):
            sys.exit(f"signal {number} ended the loop with exit code {process.returncode}: {errors}")
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return killed


def main():
    binaries, source, work = (Path(a).resolve() for a in sys.argv[1:4])
    kills = int(sys.argv[4]) if len(sys.argv) > 4 else 20
    draw = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
    shutil.rmtree(work, ignore_errors=True)
    os.environ["OMP_NUM_THREADS"] = "1"  # molecular dynamics repeats itself at equal thread count
    frames = [f for f in frames_of(source / "data/silicon/train.xyz") if f.split("\n")[0].strip() != "1"]
    random.Random(5).shuffle(frames)
    command = [str(binaries / "gap-active"), "loop.toml"]
    for name, configuration in (("pool", POOL), ("md", MD), ("batch", BATCH)):
        for kind in ("calm", "killed"):
            prepare(work / name / kind, configuration, frames)
        start = time.monotonic()
        subprocess.run(command, cwd=work / name / "calm", check=True, capture_output=True)
        duration = time.monotonic() - start
        killed = disturb(command, work / name / "killed", duration, kills // 2, draw)
        calm, other = ((work / name / kind / "loop/labelled.xyz").read_text() for kind in ("calm", "killed"))
        log = [json.loads(line) for line in (work / name / "killed/loop/log.jsonl").read_text().splitlines()]
        went_on = sum(event["event"] == "continue" for event in log)
        print(f"{name}: {duration:.1f} s undisturbed, {killed} kills, {went_on} continuations, "
              f"{len(frames_of(work / name / 'calm/loop/labelled.xyz'))} labels, the same: {calm == other}")
        if calm.count("active_why") < 6:
            sys.exit("hardly anything was labelled: nothing was tested")
        if killed < kills // 4 or went_on < killed // 2:
            sys.exit("hardly any loop was killed: nothing was tested")
        if name == "batch":
            jobs = [int((work / name / kind / "state/count").read_text()) - 4000 for kind in ("calm", "killed")]
            print(f"batch: {jobs[0]} jobs undisturbed, {jobs[1]} with kills")
            if jobs[1] > jobs[0] + killed:  # a kill between a submission and the note of its number costs one job
                sys.exit("jobs were submitted again")
        if calm != other:
            sys.exit("the labelled structures differ from an undisturbed loop's")
    print("1 passed, 0 failed")


main()
