#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Frames with charges or dipoles as targets of electronegativities χ: the charges q = −Āχ + aQ are linear in them (methods.md, section 9).
/// Each frame has −Ā (LocalTargets::response), and targets less aQ and less the part of the elements' mean electronegativities, which are
/// those that fit the targets best. The data set must outlive it.
class EquilibratedDataset : public Dataset {
 public:
  /// `frames`: only such with a target. One pass over them. Throws InputError where equilibration has no solution.
  EquilibratedDataset(const Dataset& frames, const PropertyOptions& property, Equilibration equilibration);
  ~EquilibratedDataset() override;

  /// eV/e, by element.
  const std::map<int, double>& electronegativities() const { return means_; }
  const std::vector<std::string>& parts() const override { return frames_.parts(); }
  DatasetSummary summary() const override { return frames_.summary(); }

 private:
  /// q = response · χ + offset
  struct Linear {
    Matrix response;
    Vector offset;
  };
  class LeastSquares;

  std::int64_t visit_frames(const Visitor& visitor, const VisitRequest& request) const override;
  std::shared_ptr<const Linear> linear_of(const Structure& given, std::int64_t number) const;
  LocalTargets targets_of(const Structure& given, const Linear& linear) const;

  const Dataset& frames_;
  const PropertyOptions& property_;
  Equilibration equilibration_;
  std::map<int, double> means_;
  mutable std::map<std::int64_t, std::shared_ptr<const Linear>> kept_;  // by the number of the frame, as far as they fit
  mutable double kept_bytes_ = 0;
};

}  // namespace gapkit
