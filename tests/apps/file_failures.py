#!/usr/bin/env python3
"""Failures to write files: full disk, no permission, a folder of the same name, a missing folder.

usage: file_failures.py BIN_FOLDER SOURCE_FOLDER WORK_FOLDER

Exit code 2, one sentence with the system's reason, no file under the output's name, no temporary file, and a good output of before
untouched. A checkpoint that cannot be written is a warning, once. As root, a small file system is mounted for the full disk, and the
tests of permissions run as another user; otherwise the full disk is a limit on the size of files, which is tested in any case.
"""
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
from terms import TWO_BODY  # noqa: E402

CONFIGURATION = """
[data]
train = ["train.xyz"]
""" + TWO_BODY + """[[term]]
descriptor = "soap"
cutoff = 4.5
n_max = 4
l_max = 3
kernel = "dot_product"
n_sparse = 60
[regularization]
energy = 0.002
force = 0.1
virial = 0.1
"""
NOBODY = 65534
OLD = b"a good file of before\n" * 40

binaries, source, work = (Path(a).resolve() for a in sys.argv[1:4])
is_root = os.geteuid() == 0
passed, failures, skipped = 0, [], []


def check(condition, title, result=None):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(title + (f"\n    exit code {result.returncode}, stderr: {result.stderr}" if result else ""))


def run(program, arguments, folder, user=None, largest_file=None):
    def prepare():
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)

    return subprocess.run([str(binaries / program), *arguments], cwd=folder, preexec_fn=prepare, capture_output=True, text=True)


def contents(*folders):
    """Every file below the folders, with its contents."""
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() if p.is_file() else "folder" for f in folders for p in sorted(f.rglob("*"))}


def check_refused(result, title, *parts):
    sentences = [line for line in result.stderr.splitlines() if ": error: " in line]
    check(result.returncode == 2, f"{title}: exit code 2", result)
    check(len(sentences) == 1 and result.stderr.rstrip().endswith(sentences[0]), f"{title}: one sentence at the end of stderr", result)
    for part in parts:
        check(part in "".join(sentences), f"{title}: '{part}' in the sentence", result)
    for noise in ("internal error", "HDF5-DIAG", "terminate called"):
        check(noise not in result.stderr, f"{title}: no '{noise}'", result)


def check_unchanged(before, result, title, *folders):
    """Nothing appeared or changed; but a checkpoint that could be written stays, since the same command continues from it."""
    after = {path: digest for path, digest in contents(*folders).items() if not path.endswith(".checkpoint")}
    check(after == before, f"{title}: changes no file", result)
    for folder in folders:
        for checkpoint in folder.glob("*.checkpoint"):
            checkpoint.unlink()


def commands(output, json):
    """Each way to write a file: (name, program, arguments)."""
    return [
        ("gap-fit -o", "gap-fit", ["fit.toml", "-o", output, "--checkpoint-interval", "0"]),
        ("gap-fit --json", "gap-fit", ["fit.toml", "-o", "model_2.h5", "--json", json]),
        ("gap-fit --dry-run --json", "gap-fit", ["fit.toml", "--dry-run", "--json", json]),
        ("gap-predict -o", "gap-predict", ["model.h5", "test.xyz", "-o", output]),
        ("gap-predict --json", "gap-predict", ["model.h5", "test.xyz", "-o", "out_2.xyz", "--json", json]),
    ]


def each_refused(folder, output, json, title, *parts, watched=(), old=(), **how):
    """Runs every command; files may appear only under the names that are not the ones that fail."""
    for name, program, arguments in commands(output, json):
        before = contents(folder, *watched)
        result = run(program, arguments, folder, **how)
        check_refused(result, f"{title}: {name}", *parts)
        for good in ("model_2.h5", "out_2.xyz"):
            (folder / good).unlink(missing_ok=True)
        check(contents(folder, *watched) == before, f"{title}: {name} changes no file", result)
        for path in old:
            check(path.read_bytes() == OLD, f"{title}: {name} leaves the old {path.name}", result)


def make_workplace(name):
    folder = work / name
    folder.mkdir(parents=True)
    for file in ("fit.toml", "train.xyz", "test.xyz", "model.h5"):
        if (work / file).exists():
            shutil.copy(work / file, folder / file)
    return folder


def prepare_data():
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "fit.toml").write_text(CONFIGURATION)
    lines = (source / "data/silicon/train.xyz").read_text().splitlines(keepends=True)
    frames, at = [], 0
    while at < len(lines):
        size = int(lines[at])
        frames.append("".join(lines[at : at + size + 2]))
        at += size + 2
    small = [f for f in frames[1:] if int(f.split(maxsplit=1)[0]) <= 8]
    (work / "train.xyz").write_text(frames[0] + "".join(small[:20]))
    (work / "test.xyz").write_text("".join(small[20:24]))
    result = run("gap-fit", ["fit.toml", "-o", "model.h5"], work)
    check(result.returncode == 0, "a plain fit", result)
    result = run("gap-predict", ["model.h5", "test.xyz", "-o", "calm.xyz"], work)
    check(result.returncode == 0, "a plain prediction", result)


def test_missing_folder():
    folder = make_workplace("missing")
    each_refused(folder, "nowhere/file", "nowhere/file", "missing folder", "nowhere", "does not exist")
    each_refused(folder, "fit.toml/file", "fit.toml/file", "a file as folder", "fit.toml")


def test_folder_in_the_way():
    folder = make_workplace("in_the_way")
    (folder / "occupied").mkdir()
    (folder / "occupied/precious").write_bytes(OLD)
    (folder / "empty").mkdir()
    for name in ("occupied", "empty"):
        each_refused(folder, name, name, f"folder '{name}' in the way", name, "folder")


def test_no_permission():
    user = NOBODY if is_root else None
    folder = make_workplace("permissions")
    probe = subprocess.run([str(binaries / "gap-fit"), "--version"], cwd="/", capture_output=True, user=user)
    if is_root:
        reachable = subprocess.run(["test", "-r", str(folder / "fit.toml")], user=user, cwd="/").returncode == 0
        if probe.returncode != 0 or not reachable:
            skipped.append("permissions: an ordinary user cannot reach the programs or the work folder")
            return
    os.chmod(folder, 0o777)
    closed = folder / "closed"
    closed.mkdir()
    (closed / "file").write_bytes(OLD)
    os.chmod(closed, 0o555)
    each_refused(folder, "closed/file", "closed/file", "read-only folder", "Permission denied", old=[closed / "file"], user=user)
    each_refused(folder, "closed/new", "closed/new", "new file in a read-only folder", "Permission denied", user=user)
    os.chmod(closed, 0o000)
    each_refused(folder, "closed/file", "closed/file", "unreachable folder", "closed", user=user)
    os.chmod(closed, 0o755)
    (folder / "protected").write_bytes(OLD)
    os.chmod(folder / "protected", 0o444)
    each_refused(folder, "protected", "protected", "write-protected file", "protected", "Permission denied",
                 old=[folder / "protected"], user=user)


def test_size_limit():
    """A limit on the size of files: each write fails midway, as on a full disk."""
    folder = make_workplace("size_limit")
    for name in ("old", "new"):
        if name == "old":
            (folder / name).write_bytes(OLD)
        old = [folder / name] if name == "old" else []
        # --json files are small: 100 bytes stop them; the model and predictions fit in nothing below 1 kB either.
        for program, arguments in (("gap-fit", ["fit.toml", "-o", name, "--checkpoint-interval", "0"]),
                                   ("gap-fit", ["fit.toml", "--dry-run", "--json", name]),
                                   ("gap-predict", ["model.h5", "test.xyz", "-o", name])):
            for limit in (0, 100, 1000):
                title = f"files of at most {limit} bytes: {program} {' '.join(arguments)}"
                before = contents(folder)
                result = run(program, arguments, folder, largest_file=limit)
                if limit == 1000 and "--json" in arguments and result.returncode == 0:
                    continue  # it was shorter
                check_refused(result, title, name, "File too large")
                check(contents(folder) == before, f"{title}: changes no file", result)
                for path in old:
                    check(path.read_bytes() == OLD, f"{title}: leaves the old file", result)
    model_size = (work / "model.h5").stat().st_size
    for limit in (4096, model_size // 2, model_size - 1):
        before = contents(folder)
        result = run("gap-fit", ["fit.toml", "-o", "old", "--checkpoint-interval", "0"], folder, largest_file=limit)
        check_refused(result, f"model file beyond {limit} bytes", "old", "File too large")
        check_unchanged(before, result, f"model file beyond {limit} bytes", folder)
        check(result.stderr.count("goes on without saving") <= 1, "at most one warning about the checkpoint", result)


def test_full_disk():
    if not is_root:
        skipped.append("full disk: needs root to mount a small file system")
        return
    folder = make_workplace("full")
    # Below the system's temporary folder: the work folder may lie where nothing can be mounted.
    mount = Path(tempfile.mkdtemp(prefix="gapkit_full_"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mount)], capture_output=True).returncode != 0:
        mount.rmdir()
        skipped.append("full disk: no file system can be mounted here")
        return
    try:
        old = mount / "old"
        old.write_bytes(OLD)
        with open(mount / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        each_refused(folder, str(old), str(old), "full disk, old file", "No space left on device", watched=[mount], old=[old])
        new = str(mount / "new")
        each_refused(folder, new, new, "full disk, new file", "No space left on device", watched=[mount], old=[old])
        result = run("gap-fit", ["fit.toml", "-o", new, "--checkpoint-interval", "0"], folder)
        check(result.stderr.count("goes on without saving") == 1, "full disk: one warning about the checkpoint", result)
        # The disk fills in the middle of a file
        os.truncate(mount / "filler", (mount / "filler").stat().st_size - 16384)
        before = contents(mount)
        result = run("gap-fit", ["fit.toml", "-o", str(old), "--checkpoint-interval", "0"], folder)
        check_refused(result, "disk fills up: gap-fit -o", "No space left on device")
        check_unchanged(before, result, "disk fills up: gap-fit -o", mount)
        many = (work / "test.xyz").read_text() * 40
        (folder / "many.xyz").write_text(many)
        result = run("gap-predict", ["model.h5", "many.xyz", "-o", str(old)], folder)
        check_refused(result, "disk fills up: gap-predict -o", "No space left on device")
        check(contents(mount) == before, "disk fills up: gap-predict -o changes no file", result)
    finally:
        subprocess.run(["umount", str(mount)], check=True)
        mount.rmdir()


def test_checkpoint():
    """A checkpoint that cannot be written: one warning, and the same model."""
    folder = make_workplace("checkpoint")
    blocked = folder / "model_2.h5.checkpoint"
    blocked.mkdir()
    (blocked / "precious").write_bytes(OLD)
    arguments = ["fit.toml", "-o", "model_2.h5", "--checkpoint-interval", "0"]
    result = run("gap-fit", arguments, folder)
    check(result.returncode == 0, "a folder instead of a checkpoint: the fit continues", result)
    check(result.stderr.count("goes on without saving") == 1, "a folder instead of a checkpoint: one warning", result)
    check((blocked / "precious").read_bytes() == OLD, "a folder instead of a checkpoint: it stays", result)
    result = run("gap-predict", ["model_2.h5", "test.xyz", "-o", "out.xyz"], folder)
    check((folder / "out.xyz").read_bytes() == (work / "calm.xyz").read_bytes(), "a folder instead of a checkpoint: the same model", result)

    # After a signal, the message says that there is no state to continue from.
    (folder / "model_2.h5").unlink()
    (folder / "fit.toml").write_text(CONFIGURATION.replace("train.xyz", str(source / "data/silicon/train.xyz")))
    before = contents(folder)
    process = subprocess.Popen([str(binaries / "gap-fit"), *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    begin, seen = time.monotonic(), ""
    while "goes on without saving" not in seen and process.poll() is None and time.monotonic() - begin < 120:
        seen += process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    seen += process.communicate()[1]
    if process.returncode != 0:  # else the fit was faster
        check(process.returncode == 128 + signal.SIGTERM, f"SIGTERM without checkpoint: exit code {process.returncode}: {seen}")
        check("starts again" in seen and "continues from" not in seen, f"SIGTERM without checkpoint: wrong message: {seen}")
        check(contents(folder) == before, "SIGTERM without checkpoint: changes no file")


def main():
    prepare_data()
    for test in (test_missing_folder, test_folder_in_the_way, test_no_permission, test_size_limit, test_full_disk, test_checkpoint):
        test()
    for title in skipped:
        print(f"skipped: {title}")
    for title in failures:
        print(f"FAILED: {title}")
    print(f"{passed} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
