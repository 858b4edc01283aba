#pragma once

#include <functional>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/core/types.hpp>
#include <gapkit/kernels/kernel.hpp>

namespace gapkit {

/// Environments that sparse points may be chosen from.
struct Candidates {
  Matrix x;                               ///< [N, D]
  Vector cutoff;                          ///< [N] covariance cutoffs
  std::vector<int> config_type;           ///< [N] index of the config type
  std::vector<EnvironmentOrigin> origin;  ///< [N]
  std::vector<std::int64_t> serial;       ///< [N] number of the environment in the order of the training data, from 0
};

struct SelectionRequest {
  int count = 0;  ///< M; fewer may be returned
  /// `variance` only: so many candidates, the first ones, count as chosen before; `count` is of further ones, and only those are returned.
  int chosen_before = 0;
  std::uint64_t seed = 0;
  const Kernel* kernel = nullptr;  ///< for methods that use the covariance
  double tolerance = 1e-12;        ///< `variance` stops when the largest relative variance falls below it
};

struct SelectionKind {
  std::string name;
  std::string description;
  bool is_nested = false;  ///< the first k of M chosen points are the choice for k
  /// Indices of the chosen candidates, all different, in the order of their choice: at most min(count, candidates). Depends on the
  /// candidates and the request only, not on the number of threads. Pass candidates through remove_duplicates first: a near-copy is
  /// a candidate like any other here. Throws InputError for no candidates, count < 1, arrays of wrong length or non-finite numbers.
  std::function<std::vector<int>(const Candidates&, const SelectionRequest&)> choose;
};

/// The table: cur, cur_deterministic, fps, variance, random, uniform. A new method is one .cpp file and one line here. (`file` and
/// `indices` need no choice: see read_sparse_points, read_sparse_indices; nor does `all`, every distinct environment.)
const std::vector<SelectionKind>& selection_kinds();
/// Throws InputError with the nearest name if there is no such method.
const SelectionKind& selection_kind(std::string_view name);

/// Indices (ascending) of the candidates that remain when near-copies are dropped: in the order of the candidates, one is dropped if
/// no component differs by more than `tolerance` from one that was kept. Cost: about N·D, memory 3N numbers.
/// Throws InputError for NaN or infinity.
std::vector<int> remove_duplicates(const Candidates& candidates, double tolerance = 1e-10);

/// Numbers separated by white space, point by point; `size` or, for files of GAP's SOAP, size+1 numbers each (the last is its
/// covariance_sigma0 component and must be 0). Exponents may be written with d, as Fortran does. Returns [M, size].
/// With `cutoff` each point begins with its covariance cutoff (above 0, at most 1), as in gap_fit's sparse_method=file: [M].
/// Throws InputError with file and line.
Matrix read_sparse_points(const std::string& path, int size, Vector* cutoff = nullptr);
/// Integers separated by white space: numbers of environments in the order of the training data, counted from 1 as gap_fit prints
/// them, and returned as they stand (so index − 1 = Candidates::serial). Throws InputError with file and line, also for a repetition.
std::vector<std::int64_t> read_sparse_indices(const std::string& path);

}  // namespace gapkit
