"""Builds the wheel of gapkit with cmake (PEP 517). Standard library only, so that `pip install .` needs no network."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REMEDY = "scripts/install-dependencies --python installs what is needed on Debian"
# Folders of a source distribution where there is no git to ask.
LEFT_OUT = {".git", "build", "demo", "__pycache__", ".cache"}


def project():
    with open(ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]


def version():
    text = (ROOT / "src/internal/gapkit/core/version.hpp").read_text(encoding="utf-8")
    return re.search(r'version = "([0-9.]+)"', text)[1]


def metadata():
    p = project()
    lines = ["Metadata-Version: 2.1", f"Name: {p['name']}", f"Version: {version()}", f"Summary: {p['description']}",
             f"License: {p['license']['text']}", f"Requires-Python: {p['requires-python']}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in p["dependencies"]]
    for extra, requirements in p["optional-dependencies"].items():
        lines += [f"Provides-Extra: {extra}"] + [f'Requires-Dist: {requirement}; extra == "{extra}"' for requirement in requirements]
    readme = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    return "\n".join(lines + ["Description-Content-Type: text/markdown", "", readme])


def tag():
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{python}-{python}-{re.sub('[-.]', '_', sysconfig.get_platform())}"


def files_of_dist_info():
    wheel = f"Wheel-Version: 1.0\nGenerator: gapkit_build\nRoot-Is-Purelib: false\nTag: {tag()}\n"
    return {"METADATA": metadata().encode(), "WHEEL": wheel.encode(), "LICENSE": (ROOT / "LICENSE").read_bytes()}


def dist_info():
    return f"gapkit-{version()}.dist-info"


def run(*command):
    print("gapkit_build:", " ".join(map(str, command)), flush=True)
    try:
        subprocess.run([str(part) for part in command], check=True)
    except FileNotFoundError as error:
        raise SystemExit(f"gapkit_build: error: {command[0]} is missing; {REMEDY}") from error
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"gapkit_build: error: {command[0]} failed (its output is above); {REMEDY}") from error


def build_package(target):
    """The installed package, in `target`."""
    build = ROOT / "build" / f"wheel-{tag()}"  # kept: the next installation compiles what has changed
    settings = {"CMAKE_BUILD_TYPE": "Release", "CMAKE_UNITY_BUILD": "ON", "GAPKIT_PYTHON": "ON", "GAPKIT_BUILD_APPS": "OFF",
                "GAPKIT_BUILD_SHARED": "OFF", "GAPKIT_BUILD_TESTS": "OFF", "GAPKIT_NATIVE": "OFF", "GAPKIT_PYTHON_DIR": ".",
                "PYTHON_EXECUTABLE": sys.executable}
    generator = ["-G", "Ninja"] if shutil.which("ninja") and not (build / "Makefile").exists() else []
    run("cmake", "-S", ROOT, "-B", build, *generator, *(f"-D{key}={value}" for key, value in settings.items()))
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL") or str(len(os.sched_getaffinity(0)))
    run("cmake", "--build", build, "--target", "_gapkit", "--parallel", jobs)
    run("cmake", "--install", build, "--component", "python", "--prefix", target)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = f"gapkit-{version()}-{tag()}.whl"
    with tempfile.TemporaryDirectory() as folder:
        build_package(folder)
        contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    contents |= {f"{dist_info()}/{file}": content for file, content in files_of_dist_info().items()}
    record = ""
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, content in contents.items():
            entry = zipfile.ZipInfo(path)  # of 1980: the same sources give the same wheel
            entry.external_attr = (0o755 if path.endswith(".so") else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(content)}\n"
        wheel.writestr(f"{dist_info()}/RECORD", record + f"{dist_info()}/RECORD,,\n")
    return name


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = Path(metadata_directory) / dist_info()
    folder.mkdir()
    for file, content in files_of_dist_info().items():
        (folder / file).write_bytes(content)
    return folder.name


def source_files():
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
        return sorted(file for file in listed.split("\0") if file and (ROOT / file).is_file())
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*")
                  if path.is_file() and not LEFT_OUT & set(path.relative_to(ROOT).parts))


def without_owner(entry):
    """Archives do not depend on who makes them."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def build_sdist(sdist_directory, config_settings=None):
    base = f"gapkit-{version()}"
    with tarfile.open(Path(sdist_directory) / f"{base}.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for file in source_files():
            archive.add(ROOT / file, f"{base}/{file}", recursive=False, filter=without_owner)
        with tempfile.TemporaryDirectory() as folder:
            info = Path(folder) / "PKG-INFO"
            info.write_text(metadata(), encoding="utf-8")
            archive.add(info, f"{base}/PKG-INFO", filter=without_owner)
    return f"{base}.tar.gz"
