"""Functions of bench/fit and bench/predict: running programs, machine and commit, available data."""

import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ["GAPKIT_SHARED"]) if "GAPKIT_SHARED" in os.environ else ROOT.parent / "shared"
ZUO = SHARED / "data" / "public" / "zuo2020"


def machine():
    """Processor and CPUs from /proc."""
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


def run(command, **environment):
    """Wall seconds, CPU seconds and peak memory (GB) of one process; its output is shown only if it fails."""
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen([str(c) for c in command], stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **environment})
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            sys.stderr.buffer.write(log.read())
            sys.exit(f"{Path(sys.argv[0]).name}: {' '.join(map(str, command))} ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9


def check_programs(folder):
    for program in ("gap-fit", "gap-predict", "gap-info"):
        if not (folder / program).is_file():
            sys.exit(f"{Path(sys.argv[0]).name}: {folder / program} does not exist; build the programs, or name their folder with --bin")


def row(name, figure):
    """A line for the table of bench/README.md."""
    return f"| {datetime.date.today().isoformat()} | {commit()} | {machine()} | {name} | {figure} |"


def read_json(path):
    return json.loads(Path(path).read_text())


def zuo_config(folder, element, points, selection="variance"):
    """bench/zuo2020_si.toml for an element with a number of sparse points."""
    text = (ROOT / "bench" / "zuo2020_si.toml").read_text()
    text = text.replace("n_sparse = 1000", f"n_sparse = {points}").replace('"cur"', f'"{selection}"')
    text = text.replace('["train.xyz"]', f'["{ZUO / element / "train.xyz"}"]')
    if element == "Mo":
        text = text.replace("{ Si = -0.79 }", "{ Mo = -4.04 }").replace("cutoff = 5.4", "cutoff = 5.2")
    path = folder / f"zuo_{element}_{points}.toml"
    path.write_text(text)
    return path


def without_labels(source, target):
    """A copy of an extended XYZ file with positions and cells only, so that no errors and no metrics of error bars are computed."""
    with open(source) as lines, open(target, "w") as out:
        for line in lines:
            atoms = int(line)
            comment = next(lines)
            fields = re.findall(r'(?:Lattice|pbc)="[^"]*"', comment)
            if "Properties=species:S:1:pos:R:3" not in comment:
                sys.exit(f"{source}: Properties do not begin with species and pos")
            out.write(f"{atoms}\n{' '.join(fields)} Properties=species:S:1:pos:R:3\n")
            for _ in range(atoms):
                out.write(" ".join(next(lines).split()[:4]) + "\n")
    return target


def atoms_of(path):
    """Atoms in an extended XYZ file."""
    atoms = 0
    with open(path) as lines:
        for line in lines:
            count = int(line)
            atoms += count
            for _ in range(count + 1):
                next(lines)
    return atoms
