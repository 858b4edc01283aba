#pragma once

#include <cstdint>
#include <functional>
#include <gapkit/core/structure.hpp>

#include "fit/row_targets.hpp"

namespace gapkit {

/// The whitened rows of one structure, φ/h as they enter the statistics, with their targets. Rows of atoms are kept in single precision,
/// unless they are exact; the few rows of the whole structure always in double.
struct KeptRows {
  struct Row {
    Property property;
    int row = 0;             ///< within the property
    int group = 0;           ///< of Regularization::groups()
    double target = 0;       ///< y/h
    double noise_scale = 1;  ///< h
    Eigen::Index place = 0;  ///< in `exact` or `rounded`
  };

  std::int64_t number = 0;  ///< of the frame in the data set
  std::string config_type;
  Structure geometry;     ///< cell, species and positions
  std::vector<Row> rows;  ///< without excluded ones
  Matrix exact;
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rounded;
  bool is_exact = false;

  /// Rows of a structure whose numbers follow by set_row(). `groups`: folds are not told apart.
  static KeptRows of(const Structure& structure, std::int64_t number, const RowTargets& targets, int groups, bool is_exact);
  /// Takes memory for the rows.
  void resize(Eigen::Index columns);
  void set_row(std::size_t row, const Eigen::Ref<const Eigen::RowVectorXd>& values);
  Eigen::RowVectorXd row(std::size_t row) const;

 private:
  bool is_rounded(const Row& row) const { return !is_exact && target_info(row.property).is_per_atom; }
};

/// What a pass over the data does with the rows of single structures.
struct RowSink {
  std::function<bool(std::int64_t number)> wants = {};              ///< whether a frame's rows are to be passed on; none: of no frame
  std::function<void(std::vector<KeptRows> structures)> take = {};  ///< gets them batch by batch, in the order of the frames
  bool is_exact = false;                                            ///< all rows in double precision
  bool is_only = false;                                             ///< without sums
};

}  // namespace gapkit
