#pragma once

#include <gapkit/fit/calibrate.hpp>
#include <gapkit/math/symmetric_accumulator.hpp>
#include <set>

#include "fit/extrapolation.hpp"
#include "fit/kept_rows.hpp"
#include "fit/leave_one_out.hpp"
#include "fit/left_out_groups.hpp"
#include "fit/near_copies.hpp"

namespace gapkit {

/// A row that was predicted without its structure.
struct LeftOutRow {
  Property property;
  int row = 0;                                     ///< within the property of its structure
  int element = 0;                                 ///< of its atom; 0 for rows of whole structures
  double error = 0;                                ///< prediction − reference, in the unit of the target
  double reference = 0;                            ///< without base, baselines and reference energies
  double noise = 0;                                ///< σ_n as row_noise() has it
  double spanned = 0;                              ///< prior variance in the span of the sparse points of other structures
  double data = 0;                                 ///< data part of the variance
  double data_of_fewer = 0, spanned_of_fewer = 0;  ///< the same with the first points of each term only
  double jackknife = 0;                            ///< J, without what the structure itself contributes
  bool has_jackknife = false;
};

struct LeftOutStructure {
  std::int64_t number = 0;
  std::string config_type;
  int atoms = 0;
  std::vector<LeftOutRow> rows;
  std::vector<LeftOutAtom> local_energies;
};

/// Leaves structures out of a model one by one (methods.md, section 5). Memory: 2 M² numbers, the rows of a batch of structures, and of
/// each structure in the sample a few numbers per row and M for each row of the whole structure.
class LeftOutStructures {
 public:
  /// `fewer_points`: of error bars from fewer points, which get variances of their own. All must outlive the object.
  LeftOutStructures(const Model& model, const RowRules& rules, const std::vector<std::int64_t>& sample, int fewer_points);
  ~LeftOutStructures();

  /// For a cautious calibration: groups of structures are left out too, and forces on up to `atoms` atoms of each structure of the sample
  /// get a J. Before add().
  void leave_out_groups(GroupRule rule, int atoms);
  /// The novelty of atoms without more frames than their own is computed too. Before add(); must outlive the object.
  void leave_out_around(const NearCopies& near_copies) { near_copies_ = &near_copies; }
  const LeftOutGroups& groups() const { return *groups_; }
  /// Whether the forces on an atom of a structure get a J: evenly spread ones.
  bool is_chosen(int atom, std::size_t atoms_of_structure) const;
  /// The model of the first points and their columns among all; null without it.
  const Model* fewer() const { return fewer_.get(); }
  const std::vector<Eigen::Index>& first_points() const { return first_points_; }
  int fewer_points() const { return fewer_points_; }  ///< as given; 0 without a model of fewer

  /// Threads inside; results do not depend on their number.
  void add(std::vector<KeptRows> structures);
  /// Structures for which rounding of the rows mattered, so that they were not added: they need exact rows.
  const std::vector<std::int64_t>& imprecise() const { return imprecise_; }

  /// The structures of the sample, in the order in which they were added; sets their J.
  const std::vector<LeftOutStructure>& finish();
  /// F with J = |F φ|², [r, M]; after finish().
  Matrix jackknife_factor() const;

 private:
  struct Result;
  WeightedRows weighted(const KeptRows& kept) const;
  Result leave_out(const KeptRows& kept) const;
  void fill(const KeptRows& kept, const WeightedRows& weighted, const LeftOutRows& found, Result& result) const;
  void add_to_group(const KeptRows& kept, const Vector& shift);
  double sigma_of(int group) const { return sigma_[static_cast<std::size_t>(group)]; }

  const Model& model_;
  const RowRules& rules_;
  const std::vector<std::int64_t>& sample_;
  LeaveOneOut left_out_;
  LocalEnergies local_energies_;
  bool has_local_energies_;                                // not in the fit of a local property, which has no grades
  Vector scale_;                                           // s_t of each point
  std::vector<double> sigma_;                              // σ_g of each group of the rules
  std::map<std::int64_t, std::vector<Eigen::Index>> own_;  // points of each structure
  std::unique_ptr<const Model> fewer_;                     // of the first points
  std::optional<LeaveOneOut> left_out_of_fewer_;
  std::vector<Eigen::Index> first_points_;  // columns of `fewer_`
  int fewer_points_ = 0;
  SymmetricAccumulator moved_;  // Σ Δ Δᵀ
  std::vector<LeftOutStructure> structures_;
  std::vector<Matrix> weights_;    // of each structure of the sample
  std::vector<Vector> own_moves_;  // of its rows, by itself
  std::vector<std::int64_t> imprecise_;
  std::unique_ptr<LeftOutGroups> groups_;
  int chosen_atoms_ = 0;  // of each structure
  const NearCopies* near_copies_ = nullptr;
};

}  // namespace gapkit
