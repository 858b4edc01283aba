#pragma once

#include <gapkit/fit/fit.hpp>
#include <set>

namespace gapkit {

/// Facts on the targets of a local property, from one pass over the frames.
struct PropertyFacts {
  std::vector<std::int64_t> frames;  ///< with a target, ascending
  DatasetSummary summary;            ///< of these
  std::int64_t all_frames = 0, values = 0, totals = 0, dipoles = 0, periodic_dipoles = 0;
  std::int64_t given_totals = 0;                        ///< frames that have the key
  std::map<int, std::pair<double, std::int64_t>> sums;  ///< of the values, and their number, by element
  std::map<int, std::string> elements;                  ///< of all frames, with the first frame
  std::set<std::string> keys, columns;                  ///< of all frames
  std::int64_t unequal_totals = 0;                      ///< frames whose values do not add up to the total
  std::string first_unequal;                            ///< the first of them, for a message
  /// Of frames with values and a dipole, sums of products of the dipole and that of the values: the factor between their units.
  struct DipoleProducts {
    std::int64_t frames = 0;
    double given_values = 0, values_values = 0, given_given = 0;
  } dipole_products;
};

/// A frame without targets, fields and columns: atoms, cell, config type and place.
Structure bare_frame(const Structure& given);

/// The frames of a data set with a target of a local property, which is their only target: the dipole about the centroid, without the
/// charge there. The data set must outlive it.
class PropertyDataset : public Dataset {
 public:
  /// One pass over the frames.
  PropertyDataset(const Dataset& data, const PropertyOptions& options);

  const PropertyFacts& facts() const { return facts_; }
  const std::vector<std::string>& parts() const override { return data_.parts(); }
  DatasetSummary summary() const override { return facts_.summary; }

 private:
  std::int64_t visit_frames(const Visitor& visitor, const VisitRequest& request) const override;
  Structure frame_of(const Structure& given) const;
  void examine(const Structure& given, std::int64_t number);
  void add_dipole(const Structure& s, const LocalTargets& targets);

  const Dataset& data_;
  const PropertyOptions& options_;
  PropertyFacts facts_;
};

}  // namespace gapkit
