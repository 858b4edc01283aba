#!/usr/bin/env bash
# Installs gapkit into a scratch folder, builds docs/example against it (C++, C, Fortran), and runs it on a model fitted here.
# usage: consumer.sh BUILD_FOLDER SOURCE_FOLDER WORK_FOLDER
set -euo pipefail
build=$(realpath "$1") source=$(realpath "$2") work=$3
rm -rf "$work"
mkdir -p "$work"
work=$(realpath "$work")
cmake --install "$build" --prefix "$work/prefix" > "$work/install.log"
cmake -S "$source/docs/example" -B "$work/example" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release > "$work/configure.log"
cmake --build "$work/example" > "$work/build.log"
cat > "$work/tiny.toml" <<END
data.train = ["$source/data/silicon/train.xyz"]
[[term]]
descriptor = "soap"
cutoff = 4.0
n_max = 3
l_max = 2
kernel = "dot_product"
n_sparse = 20
END
"$work/prefix/bin/gap-fit" "$work/tiny.toml" -o "$work/tiny.h5" > "$work/fit.log" 2>&1
"$work/example/predict_dimer" "$work/tiny.h5" Si 2.2 2.4 | tee "$work/out.txt"
[[ $(wc -l < "$work/out.txt") == 3 ]] && ! grep -qi nan "$work/out.txt"
if "$work/example/predict_dimer" "$work/tiny.h5" Sx 2.2 2> "$work/err.txt"; then exit 1; fi
grep -q "Sx" "$work/err.txt"
# Fits, saves and reports through the installed headers alone, with the numbers of gap-fit.
"$work/example/fit_and_report" "$work/tiny.toml" "$source/data/silicon/test.xyz" "$work/own.h5" "$work/report.html" | tee "$work/table.txt"
"$work/example/predict_dimer" "$work/own.h5" Si 2.2 2.4 | diff - "$work/out.txt"
grep -q "^all " "$work/table.txt" && grep -qi "</html>" "$work/report.html"
if "$work/example/fit_and_report" "$work/nowhere.toml" x.xyz "$work/no.h5" "$work/no.html" 2> "$work/err.txt"; then exit 1; fi
grep -q "nowhere.toml" "$work/err.txt"
# Installed headers need nothing that is not installed, in whatever order they come.
(cd "$work/prefix/include" && find gapkit -name '*.hpp' | sort -r | sed 's/.*/#include <&>/') > "$work/headers.cpp"
[[ $(wc -l < "$work/headers.cpp") -le 25 ]]
c++ -std=c++20 -fsyntax-only "-I$work/prefix/include" "-isystem$(pkg-config --variable=prefix eigen3)/include/eigen3" "$work/headers.cpp"

# The C interface: programs in C and Fortran, built with CMake and with pkg-config. gap-predict gives the numbers to compare with.
"$work/example/dynamics" "$work/tiny.h5" 100 | tee "$work/dynamics.txt"
python3 - "$work" <<'END'
import pathlib, re, sys
work = pathlib.Path(sys.argv[1])
rows = [line.split() for line in (work / "dynamics.txt").read_text().splitlines()[2:5]]
assert [row[0] for row in rows] == ["0", "50", "100"], rows
totals = [float(row[2]) for row in rows]
assert max(totals) - min(totals) < 5e-3, totals                       # conserved
assert abs(float(rows[0][1]) - float(rows[1][1])) > 0.02, rows        # and the atoms have moved
assert all(0 < float(row[3]) < 10 for row in rows[1:]), rows
with_ghosts = re.search(r"difference is (\S+) eV", (work / "dynamics.txt").read_text())
assert float(with_ghosts[1]) < 5e-9, with_ghosts[0]
END
if "$work/example/dynamics" "$work/tiny.toml" 2> "$work/err.txt"; then exit 1; fi
grep -q "tiny.toml" "$work/err.txt"
# Instruction sets are chosen at run time in the shared library too.
GAPKIT_ISA=portable "$work/example/dynamics" "$work/tiny.h5" 0 > "$work/portable.txt"
diff <(sed -n 3p "$work/portable.txt") <(sed -n 3p "$work/dynamics.txt")
if GAPKIT_ISA=sse9 "$work/example/dynamics" "$work/tiny.h5" 0 2> "$work/err.txt"; then exit 1; fi
grep -q "GAPKIT_ISA is 'sse9', expected" "$work/err.txt"
if [[ -x $work/example/equation_of_state ]]; then
  "$work/example/equation_of_state" "$work/tiny.h5" | tee "$work/equation_of_state.txt"
  grep -q "atomic_numbers\[2\] is 79 (Au), which the model does not know" "$work/equation_of_state.txt"
  python3 - "$work" "$work/prefix/bin/gap-predict" <<'END'
import pathlib, re, subprocess, sys
work, predict = pathlib.Path(sys.argv[1]), sys.argv[2]
quarters = [(0, 0, 0), (0, 2, 2), (2, 0, 2), (2, 2, 0), (1, 1, 1), (1, 3, 3), (3, 1, 3), (3, 3, 1)]
rows = [[float(x) for x in line.split()] for line in (work / "equation_of_state.txt").read_text().splitlines()[1:6]]
with open(work / "crystals.xyz", "w") as file:
    for row in rows:
        a = 5.43 * (1 + 0.01 * round((row[0] / 5.43 - 1) / 0.01))
        file.write(f'8\nLattice="{a} 0 0 0 {a} 0 0 0 {a}" Properties=species:S:1:pos:R:3\n')
        file.writelines("Si " + " ".join(repr(x * a / 4) for x in atom) + "\n" for atom in quarters)
subprocess.run([predict, work / "tiny.h5", work / "crystals.xyz", "-o", work / "crystals_out.xyz", "--std", "energy", "--no-reference"], check=True,
               capture_output=True)
text = (work / "crystals_out.xyz").read_text()
energies = [float(x) for x in re.findall(r"gap_energy=(\S+)", text)]
bars = [float(x) for x in re.findall(r"gap_energy_std_epistemic=(\S+)", text)]
stresses = re.findall(r'gap_stress="([^"]*)"', text)
assert len(energies) == len(bars) == len(stresses) == len(rows) == 5
for row, energy, bar, stress in zip(rows, energies, bars, stresses):
    xx, yy, zz = [float(x) for x in stress.split()[:3]]
    assert abs(row[1] - energy / 8) < 2e-9, (row, energy)
    assert abs(row[2] - bar / 8) < 2e-9, (row, bar)
    assert abs(row[3] + (xx + yy + zz) / 3 * 160.21766208) < 1e-3, (row, stress)
END
elif command -v gfortran > /dev/null; then
  echo "the Fortran example was not built" >&2
  exit 1
fi
if command -v pkg-config > /dev/null; then
  library=$(dirname "$(find "$work/prefix" -name gapkit.pc)")/..
  flags=$(PKG_CONFIG_PATH=$library/pkgconfig pkg-config --cflags --libs gapkit)
  read -r -a flags <<< "$flags"
  cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$source/docs/example/dynamics.c" "${flags[@]}" -lm "-Wl,-rpath,$library" -o "$work/dynamics"
  "$work/dynamics" "$work/tiny.h5" 0 > /dev/null
fi
# The program that the documentation shows
sed -n '/^```c$/,/^```$/p' "$source/docs/c-interface.md" | grep -v '^```' > "$work/shown.c"
cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$work/shown.c" "-I$work/prefix/include" "$(find "$work/prefix" -name libgapkit.so)" \
  "-Wl,-rpath,$(dirname "$(find "$work/prefix" -name libgapkit.so)")" -o "$work/shown"
cp "$work/tiny.h5" "$work/silicon.h5"
(cd "$work" && ./shown) | grep -Eq '^energy -[0-9]+\.[0-9]+ ± 0\.[0-9]+ eV$'
# Outside of the library nothing is seen but the functions of gapkit.h.
nm -D --defined-only "$(find "$work/prefix" -name libgapkit.so)" | awk '{print $3}' | sort > "$work/exported.txt"
grep '^GAPKIT_EXPORT' "$source/include/gapkit.h" | sed 's/(.*//; s/.*[ *]//' | sort > "$work/declared.txt"
diff "$work/declared.txt" "$work/exported.txt"
