#!/usr/bin/env python3
"""Learning curves of gap-active in pool mode: how many labels does each way of choosing need?

usage: active.py BIN_FOLDER WORK_FOLDER --train TRAIN.xyz --test TEST.xyz [--element Si] [--seeds 5] [--methods NAME...] [--per-round 6]

From each seed's random start (--start frames and every isolated atom) the loop chooses from the rest of TRAIN until half of it is labelled.
The goal is the test force RMSE that `random` has then, mean over the seeds. Results go to WORK_FOLDER/results.json and a table on stdout.
"""
import argparse
import json
import random
import re
import subprocess
from pathlib import Path

METHODS = {
    "random": 'method = "random"',
    "top": 'method = "top"',
    "energy-largest": 'method = "variance"\ncovariance = "energy"\ncriterion = "largest"',
    "energy-total": 'method = "variance"\ncovariance = "energy"\ncriterion = "total"',
    "local-largest": 'method = "variance"\ncovariance = "local_energy"\ncriterion = "largest"',
    "local-total": 'method = "variance"\ncovariance = "local_energy"\ncriterion = "total"',
    "forces-largest": 'method = "variance"\ncovariance = "forces"\ncriterion = "largest"',
    "forces-total": 'method = "variance"\ncovariance = "forces"\ncriterion = "total"',
}

CONFIGURATION = """
[data]
train = ["start.xyz"]
validation = ["{test}"]
[reference_energies]
mode = "{reference}"
[[term]]
descriptor = "two_body"
cutoff = {cutoff}
cutoff_width = 0.5
kernel = "squared_exponential"
length_scale = 1.0
delta = 2.0
n_sparse = 15
selection = "uniform"
[[term]]
descriptor = "soap"
cutoff = {cutoff}
cutoff_width = 0.5
n_max = 6
l_max = 4
atom_sigma = 0.5
kernel = "dot_product"
zeta = 4
delta = 0.5
n_sparse = {n_sparse}
selection = "variance"
[regularization]
energy = 0.002
force = {sigma_force}
virial = 0.1
[sparse]
per_label = {per_label}
max = {max_sparse}
[loop]
labels = {labels}
[label]
kind = "given"
[threshold]
mode = "none"
quantity = "energy"
[choose]
{method}
per_round = {per_round}
[[source]]
kind = "pool"
files = ["pool.xyz"]
[run]
seed = {seed}
"""


def frames_of(path):
    lines, frames, i = path.read_text().split("\n"), [], 0
    while i < len(lines) and lines[i].strip():
        end = i + 2 + int(lines[i])
        frames.append("\n".join(lines[i:end]) + "\n")
        i = end
    return frames


def curve_of(folder):
    """(labels, test force RMSE, test energy RMSE) of every round."""
    events = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [[e["labels"], e["force_rmse"], e["energy_rmse"]] for e in events if e["event"] == "model"]


def run(arguments, method, seed):
    folder = arguments.work / f"{method}-{seed}"
    done = folder / "loop" / "done"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        frames = frames_of(arguments.train)
        isolated = [f for f in frames if f.split("\n")[0].strip() == "1" and "isolated" in f]
        rest = [f for f in frames if f not in isolated]
        random.Random(seed).shuffle(rest)
        (folder / "start.xyz").write_text("".join(isolated + rest[:arguments.start]))
        pool = rest[arguments.start:]
        (folder / "pool.xyz").write_text("".join(pool))
        (folder / "loop.toml").write_text(CONFIGURATION.format(
            test=arguments.test.resolve(), reference="isolated" if isolated else "least_squares", cutoff=arguments.cutoff,
            n_sparse=arguments.n_sparse, per_label=arguments.per_label, max_sparse=arguments.max_sparse,
            sigma_force=arguments.sigma_force, labels=len(pool) // 2, method=METHODS[method], per_round=arguments.per_round, seed=seed))
        subprocess.run([str(arguments.binaries / "gap-active"), "loop.toml"], cwd=folder, check=True, capture_output=True)
        done.touch()
    return curve_of(folder / "loop")


def labels_to_reach(curve, goal):
    """Labels at which the curve first falls to the goal, interpolated between rounds; None if it never does."""
    previous = None
    for labels, rmse, _ in curve:
        if rmse <= goal:
            if previous is None:
                return labels
            return previous[0] + (labels - previous[0]) * (previous[1] - goal) / (previous[1] - rmse)
        previous = (labels, rmse)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="+", default=["random", "top", "energy-largest", "forces-total"], choices=METHODS)
    parser.add_argument("--start", type=int, default=10)
    parser.add_argument("--per-round", type=int, default=6)
    parser.add_argument("--cutoff", type=float, default=5.0)
    parser.add_argument("--n-sparse", type=int, default=80)
    parser.add_argument("--per-label", type=int, default=4)
    parser.add_argument("--max-sparse", type=int, default=300)
    parser.add_argument("--sigma-force", type=float, default=0.1)
    arguments = parser.parse_args()
    arguments.binaries, arguments.work = arguments.binaries.resolve(), arguments.work.resolve()

    curves = {m: [] for m in arguments.methods}
    for seed in range(arguments.seeds):
        for method in arguments.methods:
            curves[method].append(run(arguments, method, seed))
        print(f"seed {seed} done", flush=True)
    reference = "random" if "random" in curves else arguments.methods[0]
    goal = sum(c[-1][1] for c in curves[reference]) / arguments.seeds
    half = curves[reference][0][-1][0]
    print(f"\nrandom choice with half of the pool labelled ({half} labels): force RMSE {goal:.4f} eV/Å on the test data")
    print(f"{'method':>16} {'labels to reach it, per seed':>40} {'mean':>7} {'of half':>8} {'RMSE at a quarter':>18} {'at half':>9}")
    results = {"goal": goal, "half": half, "curves": curves, "labels": {}}
    for method, some in curves.items():
        labels = [labels_to_reach(c, goal) for c in some]
        results["labels"][method] = labels
        known = [half if x is None else x for x in labels]
        mean = sum(known) / len(known)
        quarter = sum(next(r for n, r, _ in c if n >= half / 2) for c in some) / len(some)
        last = sum(c[-1][1] for c in some) / len(some)
        text = " ".join("  never" if x is None else f"{x:7.1f}" for x in labels)
        print(f"{method:>16} {text:>40} {mean:7.1f} {100 * mean / half:7.0f}% {quarter:18.4f} {last:9.4f}")
    (arguments.work / "results.json").write_text(json.dumps(results, indent=1))


main()
