"""Runs the tutorials: run.py BUILD_FOLDER SOURCE_FOLDER [names of tutorials] [--update].

The Python blocks of docs/tutorials/NAME.md run in one new process, in a folder with links to data/, share/ and lammps/, as a reader runs them in
the root of the source. The text block behind a Python block is its output: the words must be the same, numbers may differ by 30 % or two units of
the last printed digit, because a trajectory and a choice of sparse points depend on rounding. After "<!-- needs xtb -->" the output counts only if
the program xtb is installed. Tutorials that call gap-lmp get it from lammps/build, and are left out without LAMMPS. Each picture of the text must come from a block and be stored beside the text.

--update writes the outputs into the text and stores the pictures.
"""

import contextlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SKIPPED = 77  # SKIP_RETURN_CODE of CTest
MOST_BYTES = 60_000  # of a picture
BLOCK = re.compile(r"(?P<xtb><!-- needs xtb -->\n)?```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL)
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+\.(?:png|svg))\)")
NUMBER = re.compile(r"(?<![\w.])[-−+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def same_number(found, expected):
    """Within 30 %, or two units of the last digit that is printed; NaN never is."""
    decimals = len(expected.partition(".")[2]) if "e" not in expected.lower() else 0
    found, expected = float(found.replace("−", "-")), float(expected.replace("−", "-"))
    return abs(found - expected) <= max(0.3 * abs(expected), 2 * 10.0**-decimals)


def difference(found, expected):
    """Describes the first difference of two outputs; None if they agree."""
    found_lines, expected_lines = found.splitlines(), expected.splitlines()
    for number, line in enumerate(expected_lines):
        other = found_lines[number] if number < len(found_lines) else "(no line)"
        words = [NUMBER.sub("#", text).split() for text in (other, line)]
        values = list(zip(NUMBER.findall(other), NUMBER.findall(line)))
        if words[0] != words[1] or not all(same_number(*pair) for pair in values):
            return f"output line {number + 1} is\n    {other}\nexpected\n    {line}"
    if len(found_lines) > len(expected_lines):
        return f"there are {len(found_lines)} output lines, expected {len(expected_lines)}"
    return None


def run_blocks(path, folder):
    """Runs all blocks of a tutorial; returns their outputs."""
    text, names, outputs = path.read_text(encoding="utf-8"), {"__name__": "__main__"}, []
    os.chdir(folder)
    for block in BLOCK.finditer(text):
        line, printed = text.count("\n", 0, block.start("code")), io.StringIO()
        begin, begin_cpu = time.perf_counter(), time.process_time()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * line + block["code"], str(path), "exec"), names)
        wall, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        print(f"{path.name}:{line}: {wall:.1f} s, on the processors {cpu:.1f} s", file=sys.stderr, flush=True)
        outputs.append(printed.getvalue())
    return outputs


def compare(path, outputs):
    """Faults of the outputs of a tutorial."""
    text, faults, has_xtb = path.read_text(encoding="utf-8"), [], shutil.which("xtb") is not None
    for block, output in zip(BLOCK.finditer(text), outputs):
        if block["xtb"] and not has_xtb:
            continue
        fault = difference(output, block["output"] or "")
        if fault:
            faults.append(f"{path.name}:{text.count(chr(10), 0, block.start('code'))}: {fault}")
    return faults


def pictures(path, folder, update):
    """Faults of the pictures of a tutorial."""
    faults = []
    for name in PICTURE.findall(path.read_text(encoding="utf-8")):
        made, stored = folder / name, path.parent / name
        if not made.exists():
            faults.append(f"{path.name}: no block makes {name}")
        elif update:
            shutil.copy(made, stored)
        if not stored.exists() or not 0 < stored.stat().st_size <= MOST_BYTES:
            faults.append(f"{path.name}: {stored} is missing, or has more than {MOST_BYTES} bytes")
    return faults


def updated(text, outputs):
    """The text with these outputs."""
    pending = iter(outputs)

    def replaced(block):
        output = next(pending)
        return f"{block['xtb'] or ''}```python\n{block['code']}```\n" + (f"\n```text\n{output}```\n" if output else "")

    return BLOCK.sub(replaced, text)


def child(path, folder):
    """In a process of its own: runs a tutorial, writes the outputs to a file."""
    import matplotlib
    matplotlib.use("Agg")
    outputs = run_blocks(path, folder)
    (folder / "outputs").write_text("\0".join(outputs), encoding="utf-8")


def needs_lammps(path):
    return "gap-lmp" in path.read_text(encoding="utf-8")


def tutorial(build, source, name, update):
    """Faults of a tutorial."""
    path = source / "docs/tutorials" / f"{name}.md"
    if not BLOCK.search(path.read_text(encoding="utf-8")):
        return [f"{path} has no Python blocks"]
    with tempfile.TemporaryDirectory(prefix=f"gapkit-tutorial-{name}-") as temporary:
        folder = Path(temporary)
        for linked in ("data", "share", "lammps"):
            (folder / linked).symlink_to(source / linked)
        environment = {**os.environ, "PYTHONPATH": str(build / "python")}
        if needs_lammps(path):
            made = subprocess.run([source / "lammps/build", "--gapkit", build, "--output", folder / "plugin"], capture_output=True, text=True)
            if made.returncode != 0:
                return [f"{path.name}: lammps/build ended with {made.returncode}: {made.stderr}"]
            environment["PATH"] = f"{folder / 'plugin'}:{environment['PATH']}"
        done = subprocess.run([sys.executable, __file__, "--child", str(path), temporary], env=environment)
        if done.returncode != 0:
            return [f"{path.name}: the blocks ended with {done.returncode}"]
        outputs = (folder / "outputs").read_text(encoding="utf-8").split("\0")
        if update:
            path.write_text(updated(path.read_text(encoding="utf-8"), outputs), encoding="utf-8")
        return compare(path, outputs) + pictures(path, folder, update)


def self_test():
    """The comparison finds differences."""
    assert difference("RMSE 0.110 eV\n", "RMSE 0.100 eV\n") is None
    for found in ("RMSE 0.140 eV\n", "RMSE nan eV\n", "MAE 0.100 eV\n", "", "RMSE 0.100 eV\nmore\n"):
        assert difference(found, "RMSE 0.100 eV\n") is not None, found


def main(arguments):
    if arguments[:1] == ["--child"]:
        child(Path(arguments[1]), Path(arguments[2]))
        return 0
    missing = [module for module in ("ase", "matplotlib") if importlib.util.find_spec(module) is None]
    if missing:
        print(f"skipped: this Python ({sys.executable}) has no {' and no '.join(missing)}")
        return SKIPPED
    self_test()
    update = "--update" in arguments
    build, source, *names = [argument for argument in arguments if argument != "--update"]
    build, source, faults = Path(build).resolve(), Path(source).resolve(), []
    names = names or sorted(path.stem for path in (source / "docs/tutorials").glob("*.md") if path.stem != "README")
    for name in names:
        if needs_lammps(source / "docs/tutorials" / f"{name}.md") and shutil.which("lmp") is None:
            print(f"{name}: left out, there is no LAMMPS")
            continue
        begin = time.perf_counter()
        faults += tutorial(build, source, name, update)
        print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)
    for fault in faults:
        print(fault)
    return 1 if faults or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
