#!/usr/bin/env bash
# Installs gapkit into a scratch folder, builds docs/example against it, and runs it on a model fitted here.
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
