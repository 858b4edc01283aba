#include "c/ghost_environments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "c/failure.hpp"

namespace gapkit::c {
namespace {

constexpr double rounding = 1e-12;  // relative, for the comparison of distances with the cutoff

Vector3 position_of(const gapkit_environments& given, int atom) {
  return Eigen::Map<const Vector3>(given.positions + 3 * static_cast<std::size_t>(atom));
}

// Mixes the bits of a pair of atoms (finaliser of SplitMix64), so that sums over different sets of pairs differ.
std::uint64_t mixed(int smaller, int larger) {
  std::uint64_t x = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(smaller)) << 32) | static_cast<std::uint32_t>(larger);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

}  // namespace

void GhostEnvironments::read(const gapkit_environments& given, double cutoff) {
  if (!(given.list_cutoff >= cutoff * (1 - rounding)))
    throw Failure(GAPKIT_ERROR_NEIGHBORS,
                  fmt::format("the neighbour list reaches {} Å (list_cutoff), expected at least the model's cutoff of {} Å",
                              given.list_cutoff, cutoff));
  take_centres(given);
  take_pairs(given, cutoff);
  require_full_list();
  view_ = {centre_, std::span(given.atomic_numbers, static_cast<std::size_t>(given.n_atoms)), begin_, neighbor_, vector_, distance_,
           cutoff};
}

void GhostEnvironments::take_centres(const gapkit_environments& given) {
  if (given.n_centres > given.n_atoms)
    throw Failure(GAPKIT_ERROR_INPUT, fmt::format("n_centres is {}, more than n_atoms = {}", given.n_centres, given.n_atoms));
  centre_.resize(static_cast<std::size_t>(given.n_centres));
  if (given.centres == nullptr)
    std::iota(centre_.begin(), centre_.end(), 0);
  else
    std::copy_n(given.centres, given.n_centres, centre_.begin());
  place_.assign(static_cast<std::size_t>(given.n_atoms), -1);
  for (std::size_t c = 0; c < centre_.size(); ++c) {
    if (centre_[c] < 0 || centre_[c] >= given.n_atoms)
      throw Failure(GAPKIT_ERROR_INPUT, fmt::format("centres[{}] is {}, expected 0 … {}", c, centre_[c], given.n_atoms - 1));
    int& place = place_[static_cast<std::size_t>(centre_[c])];
    if (place >= 0) throw Failure(GAPKIT_ERROR_INPUT, fmt::format("centres[{}] and centres[{}] are both atom {}", place, c, centre_[c]));
    place = static_cast<int>(c);
  }
}

void GhostEnvironments::take_pairs(const gapkit_environments& given, double cutoff) {
  const double limit = cutoff * cutoff * (1 + rounding);
  neighbor_.clear();
  vector_.clear();
  distance_.clear();
  begin_.assign(1, 0);
  for (std::size_t c = 0; c < centre_.size(); ++c) {
    if (given.first[c + 1] < given.first[c])
      throw Failure(GAPKIT_ERROR_INPUT,
                    fmt::format("first[{}] is {}, smaller than first[{}] = {}", c + 1, given.first[c + 1], c, given.first[c]));
    const Vector3 from = position_of(given, centre_[c]);
    for (std::size_t p = given.first[c]; p < given.first[c + 1]; ++p) {
      const int j = given.neighbors[p];
      if (j < 0 || j >= given.n_atoms)
        throw Failure(GAPKIT_ERROR_INPUT, fmt::format("neighbors[{}] (of centre {}) is {}, expected 0 … {}", p, c, j, given.n_atoms - 1));
      if (j == centre_[c]) throw Failure(GAPKIT_ERROR_NEIGHBORS, fmt::format("neighbors[{}] is {}, the centre itself: leave it out", p, j));
      const Vector3 vector = position_of(given, j) - from;
      const double square = vector.squaredNorm();
      if (!(square <= limit)) continue;
      const double distance = std::sqrt(square);
      if (!(distance < cutoff)) continue;
      neighbor_.push_back(j);
      vector_.push_back(vector);
      distance_.push_back(distance);
    }
    begin_.push_back(neighbor_.size());
  }
}

// Half lists are common in molecular dynamics and would give half of the energy. Pairs of centres are summed up, with a sign for the end
// that lists them.
void GhostEnvironments::require_full_list() const {
  std::uint64_t sum = 0;
  for (std::size_t c = 0; c < centre_.size(); ++c)
    for (std::size_t p = begin_[c]; p < begin_[c + 1]; ++p) {
      const int i = centre_[c], j = neighbor_[p];
      if (place_[static_cast<std::size_t>(j)] < 0) continue;
      if (i < j)
        sum += mixed(i, j);
      else
        sum -= mixed(j, i);
    }
  if (sum == 0) return;
  const auto times_listed = [&](int i, int j) {
    const auto c = static_cast<std::size_t>(place_[static_cast<std::size_t>(i)]);
    return std::count(neighbor_.begin() + static_cast<std::ptrdiff_t>(begin_[c]),
                      neighbor_.begin() + static_cast<std::ptrdiff_t>(begin_[c + 1]), j);
  };
  for (std::size_t c = 0; c < centre_.size(); ++c)
    for (std::size_t p = begin_[c]; p < begin_[c + 1]; ++p) {
      const int i = centre_[c], j = neighbor_[p];
      if (place_[static_cast<std::size_t>(j)] >= 0 && times_listed(i, j) != times_listed(j, i))
        throw Failure(
            GAPKIT_ERROR_NEIGHBORS,
            fmt::format("the neighbour list is not full: atom {} is a neighbour of centre {}, but not the other way round; the model "
                        "needs each pair of centres from both ends",
                        j, i));
    }
}

// Replaces images by the centres that own them. False if an owner is unknown.
bool GhostEnvironments::fold(const gapkit_environments& given) {
  if (given.owners == nullptr) return false;
  const auto centre_of = [&](int atom) {
    const int owner = given.owners[atom];
    if (owner < -1 || owner >= given.n_atoms)
      throw Failure(GAPKIT_ERROR_INPUT, fmt::format("owners[{}] is {}, expected −1 … {}", atom, owner, given.n_atoms - 1));
    if (owner < 0) return -1;
    const int place = place_[static_cast<std::size_t>(owner)];
    if (place < 0) throw Failure(GAPKIT_ERROR_INPUT, fmt::format("owners[{}] is {}, which is not a centre", atom, owner));
    if (place_[static_cast<std::size_t>(atom)] >= 0 && owner != atom)
      throw Failure(GAPKIT_ERROR_INPUT, fmt::format("owners[{}] is {}, but atom {} is a centre and owns itself", atom, owner, atom));
    if (given.atomic_numbers[atom] != given.atomic_numbers[owner])
      throw Failure(GAPKIT_ERROR_INPUT, fmt::format("owners[{}] is {}, but their atomic numbers are {} and {}", atom, owner,
                                                    given.atomic_numbers[atom], given.atomic_numbers[owner]));
    return place;
  };
  for (int i = 0; i < given.n_atoms; ++i)
    if (centre_of(i) < 0) return false;
  folded_centre_.resize(centre_.size());
  std::iota(folded_centre_.begin(), folded_centre_.end(), 0);
  folded_number_.clear();
  for (const int i : centre_) folded_number_.push_back(given.atomic_numbers[i]);
  folded_neighbor_.clear();
  for (const int j : neighbor_) folded_neighbor_.push_back(place_[static_cast<std::size_t>(given.owners[j])]);
  folded_ = {folded_centre_, folded_number_, begin_, folded_neighbor_, vector_, distance_, view_.cutoff};
  return true;
}

const Environments& GhostEnvironments::around_centres(const gapkit_environments& given, double cutoff) {
  if (fold(given)) return folded_;
  if (!(given.halo >= 2 * cutoff * (1 - rounding)))
    throw Failure(
        GAPKIT_ERROR_NEIGHBORS,
        fmt::format("error bars of forces need the atoms up to twice the model's cutoff around each centre: a halo of {} Å, found {} Å; or "
                    "an owner among the centres for every atom (owners)",
                    2 * cutoff, given.halo));
  Structure all;
  all.atomic_numbers.assign(given.atomic_numbers, given.atomic_numbers + given.n_atoms);
  all.positions = Eigen::Map<const Positions>(given.positions, given.n_atoms, 3);
  const StructureEnvironments environments(all, cutoff);
  std::vector<int> position(all.atomic_numbers.size());
  std::iota(position.begin(), position.end(), 0);
  halo_ = std::make_unique<SubEnvironments>(environments.view(), position, centre_);
  return halo_->view();
}

}  // namespace gapkit::c
