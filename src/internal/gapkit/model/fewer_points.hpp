#pragma once

#include <gapkit/model/model.hpp>

namespace gapkit {

/// The model of the first sparse points of each term, about `points` in all, fitted to the same data with the same σ: the result of
/// a fit with these points only, computed without the data. Its error bars cost `points`/M as much; they are wider, because its span is
/// smaller.
///
/// K_MM = L Lᵀ and A lose their last rows and columns: L of the first points is the first block of L, and so are statistics and A in
/// whitened form. Selections choose the most important points first ("variance" exactly so).
/// Throws InputError if the model has no posterior or points < 1. Cost: points² M flop.
Model with_fewer_points(const Model& model, int points);

}  // namespace gapkit
