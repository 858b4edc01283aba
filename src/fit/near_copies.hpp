#pragma once

#include <gapkit/fit/dataset.hpp>
#include <gapkit/model/relative_novelty.hpp>

#include "fit/extrapolation.hpp"

namespace gapkit {

/// Novelty of left-out atoms when the sparse points of more frames than their own are projected out: of the frames around theirs, which in
/// a trajectory are nearly copies of it, and for comparison of as many frames drawn at random. Both are of the same config type.
/// Memory: as the factor of the sparse points. Re-entrant.
class NearCopies {
 public:
  /// The model must outlive the object.
  NearCopies(const Model& model, const DatasetSummary& summary, std::uint64_t seed);

  /// Fills relative_around, relative_random, full_around and full_random. `rows`: φ S of the atoms [atoms, M], `prior` as in
  /// LocalEnergies::Rows.
  void add(std::int64_t frame, const Matrix& rows, const Matrix& prior, std::vector<LeftOutAtom>& atoms) const;

  /// Numbers of the frames, ascending, that go with a frame, which is among them: at most ten before and after it, and a tenth of those of
  /// its config type.
  std::vector<std::int64_t> around(std::int64_t frame) const;
  /// The frame and as many others as in around(), drawn with the seed.
  std::vector<std::int64_t> random(std::int64_t frame) const;

 private:
  /// |φ_t|² without the points of these frames, [atoms, terms].
  Matrix spanned_without(const std::vector<std::int64_t>& frames, const Matrix& rows) const;

  const Model& model_;
  RelativeNovelty novelty_;
  std::uint64_t seed_;
  std::vector<Matrix> directions_;                                // of each term: L⁻¹ e_m as rows
  std::map<std::int64_t, std::vector<std::vector<int>>> points_;  // of each frame, by term
  std::map<std::int64_t, int> type_;                              // config type of each frame
  std::map<int, std::vector<std::int64_t>> frames_;               // of each config type, ascending
};

}  // namespace gapkit
