#!/usr/bin/env bash
# Run by conda-build, which sets the variables.
set -euo pipefail
# CMAKE_ARGS of conda-forge's compilers has the prefix. The folder of Python packages is given below it.
# shellcheck disable=SC2086  # CMAKE_ARGS is a list
cmake -S . -B build/conda -G Ninja ${CMAKE_ARGS:-} -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$PREFIX" -DCMAKE_PREFIX_PATH="$PREFIX" \
  -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_UNITY_BUILD=ON -DGAPKIT_BUILD_TESTS=OFF -DGAPKIT_PYTHON=ON -DPYTHON_EXECUTABLE="$PYTHON" \
  -DGAPKIT_PYTHON_DIR="${SP_DIR#"$PREFIX"/}"
cmake --build build/conda --parallel "${CPU_COUNT:-2}"
cmake --install build/conda
