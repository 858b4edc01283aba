"""Manual pages, completion and recipes of packages: test_packaging.py BUILD_FOLDER SOURCE_FOLDER."""

import gzip
import json
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

BUILD, SOURCE = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
PROGRAMS = sorted(path.stem for path in (SOURCE / "apps").glob("gap[-_]*.cpp"))
VERSION = re.search(r'version = "(.*)"', (SOURCE / "src/internal/gapkit/core/version.hpp").read_text())[1]
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"]


def help_of(program):
    return subprocess.run([BUILD / "bin" / program, "--help"], capture_output=True, text=True, check=True).stdout


def options_of(program):
    return re.findall(r"(?m)^  (?:-[a-z],)?(--[a-z-]+)", help_of(program))


class ManualPages(unittest.TestCase):
    def page(self, program):
        return BUILD / f"share/man/man1/{program}.1.gz"

    def test_sections(self):
        for program in PROGRAMS:
            with self.subTest(program):
                text = gzip.decompress(self.page(program).read_bytes()).decode()
                found = re.findall(r"(?m)^\.SH (.*)", text)
                self.assertEqual([name for name in found if name != "EXAMPLES"], SECTIONS)
                self.assertRegex(text, rf"\.TH {program.upper()} 1 .*gapkit {VERSION}")
                for section in re.split(r"(?m)^\.SH .*\n", text)[1:]:
                    self.assertTrue(section.strip())
                others = text.partition(".SH SEE ALSO")[2].replace("\\-", "-")
                self.assertEqual(re.findall(r"gap[-_][a-z]+", others), [name for name in PROGRAMS if name != program])

    def test_all_options_and_arguments(self):
        for program in PROGRAMS:
            text = gzip.decompress(self.page(program).read_bytes()).decode().replace("\\-", "-")
            self.assertGreater(len(options_of(program)), 2)
            for option in options_of(program):
                with self.subTest(f"{program} {option}"):
                    self.assertRegex(text, rf"(?m)^\.TP\n(\\fB-[a-z]\\fR, )?\\fB{option}\\fR.*\n\S")
            for name in re.findall(r"\[?([A-Z]{2,})", re.search(r"(?m)^Usage: .*", help_of(program))[0].replace("[OPTIONS]", "")):
                self.assertRegex(text, rf"(?m)^\.TP\n\\fI{name}")
            # Every backslash begins a request of roff, and nothing is left of CLI11's remarks.
            self.assertNotRegex(text, r"\\e[%f]")
            self.assertNotRegex(text, r"REQUIRED|Excludes:|Needs:|:NONNEGATIVE|:POSITIVE|\.\.\. \.\.\.")

    @unittest.skipUnless(shutil.which("groff"), "groff is missing")
    def test_groff_has_no_warnings(self):
        for program in PROGRAMS:
            done = subprocess.run(["groff", "-k", "-man", "-ww", "-z", "-Tutf8"], input=gzip.decompress(self.page(program).read_bytes()),
                                  capture_output=True)
            self.assertEqual((done.returncode, done.stderr.decode()), (0, ""), program)


class Completion(unittest.TestCase):
    script = BUILD / "share/bash-completion/completions/gapkit"

    def completed(self, program, word, previous):
        command = 'source "$1"; shift; _gapkit_complete "$@"; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", command, "bash", self.script, BUILD / "bin" / program, word, previous], capture_output=True, text=True,
                              cwd=SOURCE)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_options_of_every_program(self):
        for program in PROGRAMS:
            self.assertTrue((self.script.parent / program).samefile(self.script))
            self.assertEqual(sorted(self.completed(program, "--", program)), sorted(options_of(program)))

    def test_values(self):
        self.assertEqual(self.completed("gap-predict", "st", "--std"), ["stress"])
        self.assertEqual(self.completed("gap-predict", "energy,f", "--std"), ["energy,force"])
        self.assertEqual(self.completed("gap-fit", "ev", "--optimize"), ["evidence"])
        self.assertEqual(self.completed("gap-fit", "RE", "-o"), ["README.md"])
        self.assertEqual(self.completed("gap-fit", "RE", "--output"), ["README.md"])
        self.assertEqual(self.completed("gap-info", "RE", "--json"), ["README.md"])      # a flag there
        self.assertEqual(self.completed("gap-active", "conf", "-o"), ["configs"])
        for option in ("--seed", "--threads", "--memory", "--time", "--energy-key"):
            self.assertEqual(self.completed("gap-fit", "", option), [], option)


def options_of_cmake():
    text = "".join((SOURCE / file).read_text() for file in ("CMakeLists.txt", "python/CMakeLists.txt"))
    return set(re.findall(r"\b(?:option|set)\((GAPKIT_\w+)", text))


def minimum_versions():
    text = "".join((SOURCE / file).read_text() for file in ("CMakeLists.txt", "apps/CMakeLists.txt", "python/CMakeLists.txt"))
    return dict(re.findall(r"find_package\((\w+) ([0-9.]+)", text))


class Recipes(unittest.TestCase):
    def test_conda(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is missing")
        text = (SOURCE / "packaging/conda/meta.yaml").read_text()
        recipe = yaml.safe_load(re.sub(r'{{ compiler\("(\w+)"\) }}', r"compiler-\1", text))
        self.assertEqual((recipe["package"]["name"], recipe["package"]["version"]), ("gapkit", VERSION))
        self.assertTrue((SOURCE / "packaging/conda" / recipe["source"]["path"] / "CMakeLists.txt").is_file())
        self.assertTrue((SOURCE / recipe["about"]["license_file"]).is_file())
        commands = recipe["test"]["commands"]
        self.assertLessEqual({command.split()[0] for command in commands if command.startswith("gap-")}, set(PROGRAMS))
        host = dict(line.split(" >=") for line in recipe["requirements"]["host"] if ">=" in line)
        names = {"Eigen3": "eigen", "EXPAT": "expat"}
        self.assertGreater(len(minimum_versions()), 6)
        for package, version in minimum_versions().items():
            if package == "MPI":  # optional, and not in these packages
                continue
            self.assertEqual(host[names.get(package, package.lower())], version, package)

    def test_scripts_of_recipes(self):
        """The shell accepts them, and cmake knows their options."""
        build = SOURCE / "packaging/conda/build.sh"
        for script in [build, SOURCE / "scripts/test-package", *(SOURCE / "packaging/debian").glob("p*")]:
            subprocess.run(["bash", "-n", script], check=True)
            self.assertTrue(script.stat().st_mode & 0o100, script)
        used = set(re.findall(r"-D(GAPKIT_\w+)", build.read_text() + (SOURCE / "packaging/container/Containerfile").read_text()))
        self.assertGreater(len(used), 2)
        self.assertEqual(used - options_of_cmake(), set())

    def test_container(self):
        text = (SOURCE / "packaging/container/Containerfile").read_text()
        self.assertEqual(set(re.findall(r"(?m)^FROM (\S+)", text)), {"debian:12"})
        self.assertIn("RUN scripts/install-dependencies --python\n", text)
        presets = {preset["name"] for preset in json.loads((SOURCE / "CMakePresets.json").read_text())["configurePresets"]}
        self.assertLessEqual(set(re.findall(r"--preset (\w+)", text)), presets)
        for copied in re.findall(r"(?m)^COPY (\S+)", text):
            self.assertTrue((SOURCE / copied).exists(), copied)

    def test_documents_name_files_that_exist(self):
        for document in ("docs/installation.md", "packaging/README.md"):
            text = (SOURCE / document).read_text()
            for file in re.findall(r"(?<![\w/])((?:scripts|packaging|apps|python)/[\w./-]*\w)(?=[`\s):;,])", text):
                self.assertTrue((SOURCE / file).exists(), f"{document}: {file}")
            self.assertIn(f"gapkit_{VERSION}_amd64.deb", text)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
