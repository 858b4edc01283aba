#!/bin/sh
# All files of this folder: about 20 minutes on one core. PYTHON: a Python with numpy.
set -e
python=${PYTHON:-/usr/bin/python3}
here=$(cd "$(dirname "$0")" && pwd)
$python "$here/make_water.py" monomer_train.xyz monomer 500 1 50
$python "$here/make_water.py" monomer_test.xyz monomer 200 2 50
$python "$here/make_water.py" dimer_train.xyz dimer 500 3 100
$python "$here/make_water.py" dimer_test.xyz dimer 200 4 50
