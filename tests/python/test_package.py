"""The installed package, and the parts of the build backend that need no compiler."""

import base64
import email.parser
import hashlib
import importlib
import subprocess
import sys
import tarfile
import tempfile
import unittest
import unittest.mock
import zipfile
from pathlib import Path

import gapkit
from support import BUILD, SOURCE, model_file


class Installed(unittest.TestCase):
    def test_component_is_complete(self):
        """What cmake installs, and the wheel holds, runs without the build folder."""
        with tempfile.TemporaryDirectory() as prefix:
            subprocess.run(["cmake", "--install", BUILD, "--component", "python", "--prefix", prefix], check=True, capture_output=True)
            packages = [path.parent for path in Path(prefix).rglob("__init__.py")]
            self.assertEqual(len(packages), 1)
            installed = {path.name for path in packages[0].iterdir()}
            sources = {path.name for path in (SOURCE / "python/gapkit").iterdir() if path.suffix in (".py", ".pyi", ".typed")}
            self.assertLessEqual(sources | {"py.typed"}, installed)
            self.assertTrue(any(name.startswith("_gapkit.") and name.endswith(".so") for name in installed))
            script = (f"import sys; sys.path.insert(0, {str(packages[0].parent)!r}); import gapkit; "
                      f"assert gapkit.__file__.startswith({prefix!r}), gapkit.__file__; "
                      f"print(gapkit.__version__, gapkit.Model.load({str(model_file())!r}).cutoff)")
            done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=prefix, env={"PATH": "/usr/bin:/bin"})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.split(), [gapkit.__version__, "5.0"])

    def test_only_the_module_is_exported(self):
        module = next((BUILD / "python/gapkit").glob("_gapkit*.so"))
        listed = subprocess.run(["nm", "-D", "--defined-only", module], capture_output=True, text=True, check=True).stdout
        names = {line.split()[-1] for line in listed.splitlines() if line.split()[-2] == "T"}
        self.assertIn("PyInit__gapkit", names)
        self.assertEqual({name for name in names if "gapkit" in name} - {"PyInit__gapkit"}, set())


class Backend(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sys.path.insert(0, str(SOURCE / "python/backend"))
        cls.backend = importlib.import_module("gapkit_build")

    @classmethod
    def tearDownClass(cls):
        sys.path.remove(str(SOURCE / "python/backend"))

    def check_metadata(self, text):
        fields = email.parser.Parser().parsestr(text)
        self.assertEqual(fields.defects, [])
        cache = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
        self.assertIn(f"CMAKE_PROJECT_VERSION:STATIC={fields['Version']}\n", cache)
        self.assertEqual((fields["Name"], fields["Version"]), ("gapkit", gapkit.__version__))
        self.assertTrue(all(fields[name] for name in ("Metadata-Version", "Summary", "License", "Requires-Python")))
        self.assertIn("numpy>=1.24", fields.get_all("Requires-Dist"))
        self.assertIn('ase>=3.22; extra == "ase"', fields.get_all("Requires-Dist"))
        self.assertIn("# The Python package", fields.get_payload())

    def test_metadata(self):
        with tempfile.TemporaryDirectory() as folder:
            name = self.backend.prepare_metadata_for_build_wheel(folder)
            self.check_metadata((Path(folder) / name / "METADATA").read_text(encoding="utf-8"))

    def test_source_distribution(self):
        """It has every file that git knows of the folders that a build reads, and nothing of a build."""
        with tempfile.TemporaryDirectory() as folder:
            name = self.backend.build_sdist(folder)
            with tarfile.open(Path(folder) / name) as archive:
                members = archive.getmembers()
                self.check_metadata(archive.extractfile(f"gapkit-{gapkit.__version__}/PKG-INFO").read().decode())
        self.assertEqual(name, f"gapkit-{gapkit.__version__}.tar.gz")
        self.assertEqual({member.name.partition("/")[0] for member in members}, {f"gapkit-{gapkit.__version__}"})
        self.assertEqual({(member.uid, member.uname) for member in members}, {(0, "")})
        files = {member.name.partition("/")[2] for member in members}
        self.assertFalse([file for file in files if file.startswith(("build/", ".git/"))])
        self.assertLessEqual({"pyproject.toml", "CMakeLists.txt", "python/backend/gapkit_build.py", "src/CMakeLists.txt", "include/gapkit.h"}, files)
        if (SOURCE / ".git").exists():
            needed = ["CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "include", "src", "apps",
                      "python", "packaging", "scripts", "share", "docs", "configs", "data", "tests"]
            listed = subprocess.run(["git", "ls-files", "-z", *needed], cwd=SOURCE, capture_output=True, check=True).stdout.decode()
            tracked = {file for file in listed.split("\0") if file and (SOURCE / file).is_file()}
            self.assertGreater(len(tracked), 500)
            self.assertEqual(tracked - files, set())

    def test_wheel(self):
        """The wheel of the module in the build folder: pip installs it, and its record is right."""
        def installed(target):
            subprocess.run(["cmake", "--install", BUILD, "--component", "python", "--prefix", target], check=True, capture_output=True)
            package = next(Path(target).rglob("__init__.py")).parent
            package.rename(Path(target) / "gapkit")  # backend: GAPKIT_PYTHON_DIR is "." there
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch.object(self.backend, "build_package", installed):
            wheel = Path(folder) / self.backend.build_wheel(folder)
            with zipfile.ZipFile(wheel) as archive:
                self.assertIsNone(archive.testzip())
                info = f"gapkit-{gapkit.__version__}.dist-info"
                rows = [row.split(",") for row in archive.read(f"{info}/RECORD").decode().splitlines()]
                self.assertEqual(sorted(row[0] for row in rows), sorted(archive.namelist()))
                for path, digest, size in rows:
                    if not path.endswith("RECORD"):
                        content = archive.read(path)
                        expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
                        self.assertEqual((digest, int(size)), (f"sha256={expected}", len(content)), path)
                self.check_metadata(archive.read(f"{info}/METADATA").decode())
                self.assertIn(f"Tag: {self.backend.tag()}\n", archive.read(f"{info}/WHEEL").decode())
            target = Path(folder) / "site"
            done = subprocess.run([sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", target, wheel],
                                  capture_output=True, text=True)
            if "No module named pip" in done.stderr:
                self.skipTest("pip is missing")
            self.assertEqual(done.returncode, 0, done.stderr)
            script = f"import sys; sys.path.insert(0, {str(target)!r}); import gapkit; print(gapkit.__file__)"
            done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=folder, env={"PATH": "/usr/bin:/bin"})
            self.assertEqual(done.stdout.strip(), str(target / "gapkit/__init__.py"), done.stderr)


if __name__ == "__main__":
    unittest.main()
