#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <memory>

namespace gapkit {

/// Environments of several structures in one list, so that matrix products have many rows. Atoms are numbered consecutively.
class EnvironmentsOfMany {
 public:
  EnvironmentsOfMany(std::span<const Structure> structures, double cutoff) {
    begin_.push_back(0);
    for (const Structure& structure : structures) {
      const StructureEnvironments& own = *parts_.emplace_back(std::make_unique<StructureEnvironments>(structure, cutoff));
      const Environments& view = own.view();
      const int first = static_cast<int>(atomic_number_.size());
      first_atom_.push_back(first);
      first_pair_.push_back(neighbor_.size());
      for (std::size_t c = 0; c + 1 < view.begin.size(); ++c) {
        centre_.push_back(first + view.centre[c]);
        begin_.push_back(first_pair_.back() + view.begin[c + 1]);
      }
      for (const int j : view.neighbor) neighbor_.push_back(first + j);
      atomic_number_.insert(atomic_number_.end(), view.atomic_number.begin(), view.atomic_number.end());
      vector_.insert(vector_.end(), view.vector.begin(), view.vector.end());
      distance_.insert(distance_.end(), view.distance.begin(), view.distance.end());
    }
    view_ = {centre_, atomic_number_, begin_, neighbor_, vector_, distance_, cutoff};
  }

  const Environments& view() const { return view_; }
  const Environments& part(std::size_t k) const { return parts_[k]->view(); }
  int first_atom(std::size_t k) const { return first_atom_[k]; }
  std::size_t first_pair(std::size_t k) const { return first_pair_[k]; }

 private:
  std::vector<std::unique_ptr<StructureEnvironments>> parts_;
  std::vector<int> first_atom_;
  std::vector<std::size_t> first_pair_;
  std::vector<int> centre_, atomic_number_, neighbor_;
  std::vector<std::size_t> begin_;
  std::vector<Vector3> vector_;
  std::vector<double> distance_;
  Environments view_;
};

}  // namespace gapkit
