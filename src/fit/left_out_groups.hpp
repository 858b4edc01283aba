#pragma once

#include <functional>
#include <gapkit/fit/dataset.hpp>
#include <gapkit/math/symmetric_accumulator.hpp>
#include <map>

#include "fit/kept_rows.hpp"
#include "fit/leave_one_out.hpp"

namespace gapkit {

inline constexpr int most_left_out_groups = 24;

/// Whole groups of structures that are left out of a fit for a cautious calibration: config types, or clusters where there is only one.
struct GroupRule {
  int count = 0;
  std::function<int(const KeptRows& structure)> group_of;
};

/// The config types, those beyond the 24 largest together; with a single type clusters by k-means of the whitened energy rows per atom of
/// `known` structures, or parts of the file without these.
GroupRule group_rule(const DatasetSummary& summary, const std::vector<KeptRows>& known, std::uint64_t seed);

/// A row predicted without the group of its structure, in the unit of the target.
struct GroupRow {
  std::size_t row = 0;   ///< of KeptRows::rows
  double error = 0;      ///< prediction − reference
  double spanned = 0;    ///< prior variance in the span of the sparse points of other groups
  double data = 0;       ///< data part of the variance
  double jackknife = 0;  ///< J, by the structures of other groups
};

/// Leaves groups of structures with their sparse points out of a model (methods.md, section 5). The precision without a group is summed
/// from the others, not subtracted: rows in single precision suffice. Memory: M²/2 numbers for each group, M for each structure and chosen
/// row.
class LeftOutGroups {
 public:
  /// The posterior must outlive the object.
  LeftOutGroups(const Posterior& posterior, GroupRule rule);

  /// `rows`: all of the structure, in units of their σ; `shift`: Δ. `chosen`: rows that are predicted, with their σ.
  void add(const KeptRows& structure, const WeightedRows& rows, const Vector& shift, const std::vector<std::size_t>& chosen,
           const std::vector<double>& sigma);

  /// The chosen rows by frame, predicted with the sparse points `columns` (ascending) of a model with this factor. `has_jackknife`: sets J,
  /// for all points only.
  std::map<std::int64_t, std::vector<GroupRow>> predict(const SparseFactor& factor, const std::vector<Eigen::Index>& columns,
                                                        bool has_jackknife) const;
  /// Structures with chosen rows in the group of a frame.
  int chosen_with(std::int64_t frame) const;

 private:
  struct Chosen {
    std::int64_t number;
    std::vector<std::size_t> rows;
    std::vector<double> sigma;
    Matrix x;  // [rows, M]
    Vector target;
  };
  struct Group {
    SymmetricAccumulator gram;
    Vector moment;
    std::vector<Vector> shifts;
    std::vector<Eigen::Index> own_points;
    std::vector<Chosen> chosen;
  };

  const Posterior& posterior_;
  GroupRule rule_;
  std::vector<Group> groups_;
  std::map<std::int64_t, int> group_of_;
};

}  // namespace gapkit
