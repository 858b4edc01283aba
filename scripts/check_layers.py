#!/usr/bin/env python3
"""Checks that the includes of gapkit follow the order of its layers.

    check_layers.py SOURCE_DIR      exit code 1 and one line per violation: file:line: include: the error
    check_layers.py --self-test     builds small trees with a violation of each kind and checks that each is found

A layer sees its own files and every layer below; layers on one line do not see each other.
"""

import argparse
import fnmatch
import re
import sys
import tempfile
from pathlib import Path

# From top to bottom.
LAYERS = [
    ["apps"],
    ["active", "c", "serve"],
    ["report"],
    ["config", "convert"],
    ["fit"],
    ["predict"],
    ["model"],
    ["sparsify"],
    ["descriptors", "kernels", "potentials"],
    ["io"],
    ["math"],
    ["core"],
]
HEIGHT = {name: -rank for rank, names in enumerate(LAYERS) for name in names}
# include/gapkit/<layer>: the headers that are installed. They include no others, and stay few enough to be read in an evening.
MOST_PUBLIC_HEADERS = 25
# src/internal/gapkit/<layer>: the headers that layers share; src/<layer>: those of one layer only.
INTERNAL = "src/internal"
# include/gapkit/x.hpp, outside of the layers' folders: may include all headers of the library, for users only.
UMBRELLA = "umbrella"
# The C interface: one header, outside of the folders of layers.
C_HEADER = "gapkit.h"

# Includes that are allowed against the order: (file pattern, included path, reason). An entry that matches nothing is an error.
# Not needed for sparsify → kernels: kernels are a lower layer.
EXCEPTIONS = []

# Foreign headers: (name, pattern of the header, pattern of the files that may include it).
RESTRICTED = [
    ("BLAS and LAPACK belong to src/math", r"(cblas|lapacke?|lapack_\w+|lapacke_\w+|f77blas|openblas_config)\.h", "src/math/*"),
    # with the private header that wraps it
    ("HDF5 belongs to src/io/archive*", r"(hdf5(_hl)?\.h|H5\w*\.h|highfive/.*|(.*/)?archive_hdf5\.hpp)", "src/io/archive*"),
    ("expat belongs to src/io/xml*", r"expat\w*\.h", "src/io/xml*"),
    ("CLI11 belongs to apps", r"(CLI/.*|CLI11\.hpp)", "apps/*"),
    ("NLopt belongs to src/fit", r"nlopt\.(h|hpp)", "src/fit/*"),
    ("toml++ belongs to config", r"(toml\+\+/.*|toml\.hpp)", "src/*config/*"),
    ("random numbers come from gapkit/math/random_stream.hpp, the same on every machine", r"random", "src/descriptors/soap_mixing.cpp"),
    ("the library does not print", r"(iostream|cstdio|stdio\.h|print)", "apps/*"),
]

# Constants and types at the beginning of a line, for check_names(); sources with options of their own are never compiled with others.
NAMED = re.compile(r"^(?:inline |static )*constexpr [^;(){}]+ = [^;]*;|^(?:struct|class) (?P<type>\w+)(?: final)?(?: :[^{;]*)? \{", re.MULTILINE)
OWN_OBJECT = re.compile(r"_(?:portable|avx2|avx512)\.cpp$")

# Calls that library files must not make; names after '.', '->' or another name's '::' are members of something else.
FORBIDDEN = [
    ("the order differs from one standard library to the next: gapkit::shuffle", re.compile(r"\bstd\s*::\s*(?:shuffle|sample)\s*\(")),
    ("the library does not print", re.compile(r"\bstd\s*::\s*(?:cout|cerr|clog)\b")),
    ("the library does not print", re.compile(r"(?<![\w.>])(?:std\s*::\s*|fmt\s*::\s*)?(?<!\w)(?:v?f?printf|fputs|puts|putchar|perror)\s*\(")),
    ("the library does not print", re.compile(r"\bfmt\s*::\s*print(?:ln)?\s*\(")),
    ("the library throws, it does not end the program",
     re.compile(r"(?<![\w.>:])(?:std\s*::\s*)?(?:exit|abort|quick_exit|_Exit|_exit|terminate)\s*\(")),
]

# Lists of targets and choices between targets, outside of the files that define or compute them.
SPELLED_OUT = re.compile(r"Property\s*::\s*energy\b(?:[^;]*?\bProperty\s*::\s*force\b[^;]*?\bProperty\s*::\s*virial\b"
                         r"|\s*\?[^;]*?\bProperty\s*::\s*force\s*\?)")
TARGET_FILES = ["include/gapkit/core/target.hpp", "src/core/target.cpp", "src/internal/gapkit/model/kernel_rows.hpp",
                "include/gapkit/predict/predictor.hpp", "src/predict/prediction.cpp"]

SUFFIXES = {".hpp", ".cpp", ".h", ".in"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
TOKEN = re.compile(
    r'(?P<comment>//[^\n]*|/\*.*?\*/)'
    r'|(?P<include>^[ \t]*#[ \t]*include[^\n]*)'
    r'|(?P<raw>R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)")'
    r'|(?P<text>"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\')',
    re.DOTALL | re.MULTILINE)


def blank(text):
    """Spaces with the same line breaks."""
    return re.sub(r"[^\n]", " ", text)


def without_comments_and_texts(source):
    def replace(match):
        if match["include"]:
            return re.sub(r"//.*|/\*.*?\*/", lambda m: blank(m[0]), match["include"])
        return blank(match[0])

    return TOKEN.sub(replace, source)


def layer_of(path):
    """Layer of a path relative to the sources, or None."""
    parts = path.parts
    if parts[0] == "apps":
        return "apps"
    if parts[:2] == ("src", "internal"):
        return parts[3] if len(parts) > 4 else None
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else None
    if parts[1:] == (C_HEADER,):
        return "c"
    if len(parts) == 3:
        return UMBRELLA
    return parts[2]


def sees(layer, other):
    if layer == UMBRELLA:
        return other != "apps"
    if other == UMBRELLA:
        return layer == "apps"
    return layer == other or HEIGHT[layer] > HEIGHT[other]


def shared_header(root, file, included):
    """The problem of an include of <gapkit/...>, or None."""
    if (root / "include" / included).is_file():
        return None
    if not (root / INTERNAL / included).is_file():
        return f"there is no such header in include/ or {INTERNAL}/"
    if file.relative_to(root).parts[0] == "include":
        return "headers that are installed include no internal ones"
    return None


def target_layer(root, file, included, quoted):
    """(layer, problem) of an include; (None, None) for headers of other projects."""
    if included == C_HEADER:
        return "c", None
    if included.startswith("gapkit/"):
        parts = Path(included).parts
        if problem := shared_header(root, file, included):
            return None, problem
        return (UMBRELLA if len(parts) == 2 else parts[1]), None
    if not quoted:
        return None, None
    for folder in (file.parent, root / "src", root / "apps"):
        target = (folder / included).resolve()
        if target.is_file():
            break
    else:
        return None, "there is no such file beside it or in src/; headers of other projects take <>"
    target = target.relative_to(root)
    if target.parts[0] == "include" or target.parts[:2] == ("src", "internal"):
        return None, "headers that layers share are included as <gapkit/...>"
    layer = layer_of(target)
    own = layer_of(file.relative_to(root))
    if layer in HEIGHT and layer != own and sees(own, layer):
        return None, f"the header belongs to the inside of '{layer}'; what layers share is in {INTERNAL}/gapkit/"
    return layer, None


def check_includes(root, file, name, layer, code, used_exceptions):
    for match in INCLUDE.finditer(code):
        included = match[2].strip()
        place = f"{name}:{code.count(chr(10), 0, match.start()) + 1}: {included}"
        excepted = [e for e in EXCEPTIONS if fnmatch.fnmatch(name, e[0]) and included == e[1]]
        if excepted:
            used_exceptions.update(excepted)
            continue
        for reason, header, allowed in RESTRICTED:
            if re.fullmatch(header, included) and not fnmatch.fnmatch(name, allowed):
                yield f"{place}: {reason}"
        target, problem = target_layer(root, file, included, match[1] == '"')
        if problem:
            yield f"{place}: {problem}"
        elif target and target != UMBRELLA and target not in HEIGHT:
            yield f"{place}: layer '{target}' is not in the list of layers"
        elif target and not sees(layer, target):
            yield f"{place}: layer '{layer}' must not see '{target}'"


def check_calls(name, code):
    for reason, pattern in FORBIDDEN:
        for match in pattern.finditer(code):
            yield f"{name}:{code.count(chr(10), 0, match.start()) + 1}: {match[0].rstrip('( ')}: {reason}"


def check_targets(name, code):
    if name in TARGET_FILES:
        return
    for match in SPELLED_OUT.finditer(code):
        yield f"{name}:{code.count(chr(10), 0, match.start()) + 1}: targets are listed one by one; targets() of gapkit/core/target.hpp is the list"


def check_names(name, code, taken):
    """Constants and types at the beginning of a line, against those of the layer's other sources: builds that compile a layer as one source
    (scripts/demo) need different names, in anonymous namespaces too. `taken`: {name: file}, which grows."""
    if OWN_OBJECT.search(name):
        return
    for match in NAMED.finditer(code):
        for found in re.findall(r"(\w+)(?: = )", match[0]) if match["type"] is None else [match["type"]]:
            if taken.setdefault(found, name) != name:
                yield f"{name}:{code.count(chr(10), 0, match.start()) + 1}: '{found}' is a name of {taken[found]} too: sources of a layer are compiled together"


def check(root):
    """All violations below `root`, as texts."""
    root = Path(root).resolve()
    violations, used_exceptions, taken = [], set(), {}
    files = sorted(f for folder in ("include", "src", "apps") for f in (root / folder).rglob("*") if f.suffix in SUFFIXES)
    if not files:
        return [f"{root}: no sources found in include/, src/ and apps/"]
    public = [f for f in files if f.relative_to(root).parts[:2] == ("include", "gapkit")]
    if len(public) > MOST_PUBLIC_HEADERS:
        violations.append(f"include/gapkit: {len(public)} headers, at most {MOST_PUBLIC_HEADERS}: move some to {INTERNAL}/gapkit")
    for file in files:
        path = file.relative_to(root)
        name, layer = path.as_posix(), layer_of(path)
        if layer != UMBRELLA and layer not in HEIGHT:
            violations.append(f"{name}:1: '{layer or path.parent}' is not in the list of layers")
            continue
        code = without_comments_and_texts(file.read_text(encoding="utf-8"))
        violations += check_includes(root, file, name, layer, code, used_exceptions)
        violations += check_targets(name, code)
        if path.suffix == ".cpp" and len(path.parts) == 3:
            violations += check_names(name, code, taken.setdefault(path.parent, {}))
        if layer != "apps":
            violations += check_calls(name, code)
    violations += [f"scripts/check_layers.py: exception for {e[0]} and {e[1]} is no longer needed" for e in EXCEPTIONS if e not in used_exceptions]
    return violations


# Self-test: a clean tree, then one line added to one file, and the text that the answer must contain (None: no violation).
CLEAN = {
    "include/gapkit/core/types.hpp": "#pragma once\n#include <vector>\n",
    "include/gapkit/core/structure.hpp": "#pragma once\n#include <gapkit/core/types.hpp>\n",
    "src/internal/gapkit/core/version.hpp": "#pragma once\n#include <gapkit/core/types.hpp>\n",
    "include/gapkit/kernels/kernel.hpp": "#pragma once\n#include <gapkit/core/types.hpp>\n",
    "include/gapkit/descriptors/soap.hpp": "#pragma once\n",
    "include/gapkit/sparsify/select.hpp": "#pragma once\n#include <gapkit/kernels/kernel.hpp>\n",
    "include/gapkit/config/config.hpp": "#pragma once\n",
    "include/gapkit/convert/xml.hpp": "#pragma once\n",
    "include/gapkit/report/table.hpp": "#pragma once\n#include <gapkit/config/config.hpp>\n",
    "include/gapkit/gapkit.hpp": "#pragma once\n#include <gapkit/report/table.hpp>\n",
    "src/core/bins.hpp": "#pragma once\n",
    "src/core/bins.cpp": "constexpr int most = 1;\nstruct Bin {\n};\n",
    "src/core/bins_avx2.cpp": "constexpr int most = 1;\n",
    "src/core/list.cpp": '#include "bins.hpp"\n#include "core/bins.hpp"\n#include <gapkit/core/structure.hpp>\n#include <gapkit/core/version.hpp>\n',
    "src/math/blas.cpp": "#include <cblas.h>\n#include <lapacke.h>\n#include <gapkit/core/types.hpp>\n",
    "src/io/archive_hdf5.hpp": "#pragma once\n#include <hdf5.h>\n",
    "src/io/archive_write.cpp": '#include <hdf5.h>\n#include "archive_hdf5.hpp"\n',
    "src/kernels/private.hpp": "#pragma once\n",
    "include/gapkit.h": "#include <stddef.h>\n",
    "src/c/interface.cpp": "#include <gapkit.h>\n#include <gapkit/convert/xml.hpp>\n",
    "src/descriptors/soap.cpp": "#include <gapkit/descriptors/soap.hpp>\n",
    "src/sparsify/cur.cpp": "#include <gapkit/sparsify/select.hpp>\n",
    "apps/common/console.hpp": "#pragma once\n",
    "apps/gap_fit.cpp": '#include <CLI/CLI.hpp>\n#include <cstdio>\n#include <iostream>\n#include "common/console.hpp"\n#include <gapkit/gapkit.hpp>\n'
                        "int main() { std::cout << 1; std::exit(2); }\n",
}
CASES = [
    ("include/gapkit/core/types.hpp", "#include <gapkit/kernels/kernel.hpp>", "'core' must not see 'kernels'"),
    ("src/core/list.cpp", "constexpr int least = 1, most = 2;", "'most' is a name of src/core/bins.cpp too"),
    ("src/core/list.cpp", "class Bin final : public Base {", "'Bin' is a name of src/core/bins.cpp too"),
    ("src/core/list.cpp", "constexpr int least = 1;", None),
    ("src/math/blas.cpp", "constexpr int most = 2;", None),
    ("src/core/list.cpp", "#include <gapkit/report/table.hpp>", "'core' must not see 'report'"),
    ("src/core/list.cpp", "#include <random>", "random numbers come from"),
    ("apps/common/console.hpp", "#include <random>", "random numbers come from"),
    ("src/core/list.cpp", "void f() { std::shuffle(a, b, c); }", "gapkit::shuffle"),
    ("src/core/list.cpp", "  #  include   <gapkit/report/table.hpp>  // why", "'core' must not see 'report'"),
    ("src/core/list.cpp", '#include "kernels/private.hpp"', "'core' must not see 'kernels'"),
    ("src/core/list.cpp", '#include "../kernels/private.hpp"', "'core' must not see 'kernels'"),
    ("src/core/list.cpp", '#include "gapkit/kernels/kernel.hpp"', "'core' must not see 'kernels'"),
    ("src/descriptors/soap.cpp", "#include <gapkit/kernels/kernel.hpp>", "'descriptors' must not see 'kernels'"),
    ("include/gapkit/config/config.hpp", "#include <gapkit/convert/xml.hpp>", "'config' must not see 'convert'"),
    ("src/sparsify/cur.cpp", "#include <gapkit/report/table.hpp>", "'sparsify' must not see 'report'"),
    ("src/sparsify/cur.cpp", '#include "../../apps/common/console.hpp"', "'sparsify' must not see 'apps'"),
    ("src/sparsify/cur.cpp", "#include <gapkit/gapkit.hpp>", "'sparsify' must not see 'umbrella'"),
    ("src/sparsify/cur.cpp", "#include <gapkit.h>", "'sparsify' must not see 'c'"),
    ("include/gapkit.h", "#include <gapkit/apps/x.hpp>", "no such header"),
    ("include/gapkit/core/types.hpp", "#include <gapkit/core/version.hpp>", "include no internal ones"),
    ("src/sparsify/cur.cpp", '#include "kernels/private.hpp"', "belongs to the inside of 'kernels'"),
    ("apps/common/console.hpp", '#include "core/bins.hpp"', "belongs to the inside of 'core'"),
    ("src/core/list.cpp", '#include "internal/gapkit/core/version.hpp"', "are included as <gapkit/...>"),
    ("src/core/list.cpp", "#include <nlopt.h>", "NLopt"),
    ("src/core/list.cpp", "#include <toml++/toml.h>", "toml++"),
    ("src/internal/gapkit/core/version.hpp", "#include <gapkit/kernels/kernel.hpp>", "'core' must not see 'kernels'"),
    ("include/gapkit.h", "#include <stdio.h>", "does not print"),
    ("src/sparsify/cur.cpp", "#include <gapkit/core/typos.hpp>", "no such header"),
    ("src/sparsify/cur.cpp", '#include "typos.hpp"', "no such file"),
    ("src/core/list.cpp", '#include "../../include/gapkit/core/types.hpp"', "are included as <gapkit/...>"),
    ("src/core/list.cpp", "#include <cblas.h>", "BLAS and LAPACK"),
    ("src/io/archive_write.cpp", "#include <lapacke.h>", "BLAS and LAPACK"),
    ("include/gapkit/core/types.hpp", "#include <hdf5.h>", "HDF5"),
    ("src/sparsify/cur.cpp", "#include <H5Cpp.h>", "HDF5"),
    ("src/io/other.cpp", '#include "archive_hdf5.hpp"', "HDF5"),
    ("src/core/list.cpp", "#include <expat.h>", "expat"),
    ("src/core/list.cpp", "#include <CLI/CLI.hpp>", "CLI11"),
    ("src/core/list.cpp", "#include <iostream>", "does not print"),
    ("src/core/list.cpp", "#include <cstdio>", "does not print"),
    ("src/core/list.cpp", "void f() { std::cout << 1; }", "std::cout: the library does not print"),
    ("src/core/list.cpp", "void f() { std::cerr << 1; }", "std::cerr: the library does not print"),
    ("src/core/list.cpp", 'void f() { printf("x"); }', "printf: the library does not print"),
    ("src/core/list.cpp", 'void f() { std::fprintf(stderr, "x"); }', "fprintf: the library does not print"),
    ("src/core/list.cpp", 'void f() { fmt::print("x"); }', "fmt::print: the library does not print"),
    ("src/core/list.cpp", "void f() { exit(1); }", "exit: the library throws"),
    ("include/gapkit/core/types.hpp", "inline void f() { std::abort(); }", "std::abort: the library throws"),
    ("src/core/list.cpp", "char c = '\"'; void f() { std::exit(1); } char d = '\"';", "std::exit: the library throws"),
    ("src/core/list.cpp", "int n = 1'000; void f() { std::exit(1); } int m = 1'000;", "std::exit: the library throws"),
    ("src/core/list.cpp", "auto all = {Property::energy, Property::force, Property::virial};", "targets are listed one by one"),
    ("apps/gap_fit.cpp", "auto n = p == Property::energy ? 1 : p == Property::force ? 3 : 6;", "targets are listed one by one"),
    ("src/core/list.cpp", "auto e = Property::energy; auto f = Property::force; auto w = Property::virial;", None),
    ("src/core/list.cpp", "auto n = p == Property::energy ? Property::force : Property::energy;", None),
    ("src/core/target.cpp", "auto all = {Property::energy, Property::force, Property::virial};", None),
    ("src/extra/new.cpp", "", "not in the list of layers"),
    ("include/gapkit/extra/new.hpp", "", "not in the list of layers"),
    ("src/stray.cpp", "", "not in the list of layers"),
    ("src/core/list.cpp", "// #include <gapkit/report/table.hpp>, std::cout, exit(1)", None),
    ("src/core/list.cpp", "/*\n#include <gapkit/report/table.hpp>\nexit(1)\n*/", None),
    ("src/core/list.cpp", 'auto s = "std::cout exit(1)"; auto r = R"(\n#include <iostream>\nabort())";', None),
    ("src/core/list.cpp", "void f() { snprintf(0, 0, 0); loop.exit(1); on_exit(2); my::abort(); p->exit(0); }", None),
    ("src/sparsify/cur.cpp", "#include <gapkit/kernels/kernel.hpp>", None),
    ("apps/gap_fit.cpp", "#include <gapkit/core/types.hpp>", None),
]


def self_test():
    failures = []

    def run(files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            return check(folder)

    for name, line, expected in [("", "", None)] + CASES:
        files = dict(CLEAN)
        if name:
            files[name] = files.get(name, "") + line + "\n"
        found = run(files)
        if expected is None:
            good = not found
        else:
            place = f"{name}:{files[name].count(chr(10)) if line else 1}: "
            good = len(found) == 1 and found[0].startswith(place) and expected in found[0]
        if not good:
            failures.append(f"{name}: {line!r}: expected {expected!r}, found {found}")
    if not run({}):
        failures.append("an empty folder passed")
    many = {f"include/gapkit/core/x{i}.hpp": "#pragma once\n" for i in range(MOST_PUBLIC_HEADERS)}
    if len(run({**CLEAN, **many})) != 1:
        failures.append("too many public headers passed")

    EXCEPTIONS.append(("src/core/list.cpp", "gapkit/kernels/kernel.hpp", "self-test"))
    files = dict(CLEAN)
    if len(run(files)) != 1 or "no longer needed" not in run(files)[0]:
        failures.append("an exception that nothing needs passed")
    files["src/core/list.cpp"] += "#include <gapkit/kernels/kernel.hpp>\n"
    if run(files):
        failures.append(f"an exception did not help: {run(files)}")
    EXCEPTIONS.pop()
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", help="folder that holds include/, src/ and apps/")
    parser.add_argument("--self-test", action="store_true", help="test this script")
    arguments = parser.parse_args()
    if arguments.self_test == bool(arguments.source):
        parser.error("expected either a source folder or --self-test")
    violations = self_test() if arguments.self_test else check(arguments.source)
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
