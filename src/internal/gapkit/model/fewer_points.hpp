#pragma once

#include <gapkit/model/model.hpp>

namespace gapkit {

/// The model of the first sparse points of each term, about `points` in all, fitted to the same data with the same σ: what a fit with
/// these points alone would have given, without the data. Error bars of it cost `points`/M as much; they are wider, as its span is smaller.
///
/// K_MM = L Lᵀ and A lose their last rows and columns: L of the first points is the first block of L, and so are statistics and A in
/// whitened form. Selections choose points in the order of their worth ("variance" exactly so), so that the first ones are the best.
/// Throws InputError if the model has no posterior or points < 1. Cost: points² M flop.
Model with_fewer_points(const Model& model, int points);

}  // namespace gapkit
