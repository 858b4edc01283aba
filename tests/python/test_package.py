"""The installed package, and the parts of the build backend that need no compiler."""

import importlib
import subprocess
import sys
import tarfile
import tempfile
import unittest
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

    def test_metadata(self):
        with tempfile.TemporaryDirectory() as folder:
            name = self.backend.prepare_metadata_for_build_wheel(folder)
            text = (Path(folder) / name / "METADATA").read_text(encoding="utf-8")
        self.assertIn(f"Version: {gapkit.__version__}\n", text)
        self.assertIn("Requires-Dist: numpy", text)
        self.assertIn('Requires-Dist: ase>=3.22; extra == "ase"', text)

    def test_source_distribution(self):
        with tempfile.TemporaryDirectory() as folder:
            name = self.backend.build_sdist(folder)
            with tarfile.open(Path(folder) / name) as archive:
                files = {member.name.partition("/")[2] for member in archive}
        self.assertLessEqual({"pyproject.toml", "CMakeLists.txt", "python/backend/gapkit_build.py", "python/src/module.cpp", "PKG-INFO",
                              "python/gapkit/__init__.py", "src/CMakeLists.txt", "include/gapkit.h"}, files)
        self.assertFalse([file for file in files if file.startswith(("build/", ".git/"))])


if __name__ == "__main__":
    unittest.main()
