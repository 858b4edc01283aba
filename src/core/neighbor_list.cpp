#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <gapkit/core/cell_frame.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>
#include <numeric>

namespace gapkit {
namespace {

using Shift = std::array<int, 3>;

/// Limits the bins per direction so that a bin index fits 64 bits; only occupied bins are stored.
constexpr double most_bins = 1 << 20;
/// Å. Beyond this, distances in double precision are not accurate enough.
constexpr double farthest_position = 1e12;
/// Images of the cell in the search; with more, the list would not fit into memory.
constexpr double most_images = 1e7;
constexpr double farthest_wrap = 1e9;
/// With fewer atoms one thread is faster.
constexpr int parallel_size = 256;

void check_input(const Structure& structure, double cutoff) {
  if (!(cutoff > 0) || !std::isfinite(cutoff))
    throw InputError(fmt::format("{}the cutoff of a neighbour list is {} Å, expected a finite number above 0", structure.place(), cutoff));
  if (structure.positions.rows() != structure.size())
    throw InputError(fmt::format("{}{} positions for {} atoms", structure.place(), structure.positions.rows(), structure.size()));
  for (int i = 0; i < structure.size(); ++i) {
    const auto r = structure.positions.row(i);
    if (!(r.cwiseAbs().sum() < farthest_position))
      throw InputError(
          fmt::format("{}the position of atom {} (of {}, counted from 1) is ({}, {}, {}), expected finite numbers below {:g} Å",
                      structure.place(), i + 1, structure.size(), r[0], r[1], r[2], farthest_position));
  }
}

/// The pair's vector from the unwrapped positions. Swapping the atoms and negating S negates it exactly, so a pair is
/// in the list from both ends or from none, and the result does not depend on how the atoms were wrapped.
Vector3 pair_vector(const Vector3& from, const Vector3& to, const Matrix3& cell, const Shift& shift) {
  return (to - from) + cell.transpose() * Vector3(shift[0], shift[1], shift[2]);
}

/// Atoms of the cell sorted into bins that are at least as wide as the cutoff, or as wide as the cell where that is smaller.
class Bins {
 public:
  Bins(const Structure& structure, double cutoff) : frame_(make_cell_frame(structure)), size_(structure.size()) {
    // Zero in directions that are not periodic: no shift occurs there.
    for (int d = 0; d < 3; ++d)
      if (frame_.periodic[static_cast<std::size_t>(d)]) cell_.row(d) = frame_.basis.row(d);
    original_.resize(static_cast<std::size_t>(size_));
    for (int i = 0; i < size_; ++i) original_[static_cast<std::size_t>(i)] = structure.positions.row(i).transpose();
    wrap(structure);
    // Wrapped positions only give candidates; a slightly larger range covers their rounding errors.
    const double largest = std::max(structure.positions.cwiseAbs().maxCoeff(), cell_.cwiseAbs().maxCoeff());
    reach_ = cutoff * (1 + 1e-6) + 1e-10 * largest;
    divide(structure, cutoff);
    sort_atoms();
  }

  int bin_count() const { return static_cast<int>(keys_.size()); }
  std::span<const int> atoms_of(int bin) const {
    const auto b = static_cast<std::size_t>(bin);
    return std::span<const int>(order_).subspan(first_[b], first_[b + 1] - first_[b]);
  }

  /// Images of the cell around a bin: a box of shifts, numbered so that larger shifts (in the order of x, then y, then z) have larger
  /// numbers.
  struct Images {
    Shift first = {0, 0, 0}, count = {0, 0, 0};
    std::vector<Shift> shifts;     // by number
    std::vector<Vector3> offsets;  // Å
    const Shift& shift(std::uint64_t key) const { return shifts[static_cast<std::uint32_t>(key)]; }
    const Vector3& offset(std::uint64_t key) const { return offsets[static_cast<std::uint32_t>(key)]; }
  };
  void find_images(int bin, Images& images) const;

  /// Images of atoms that may be neighbours of an atom of a bin, sorted by (atom, shift of the wrapped positions).
  struct Candidates {
    std::vector<std::uint64_t> keys;  // atom · 2³² + number of the image
    std::vector<double> x, y, z;      // Å
    std::vector<double> square;       // Å², of the distance from one atom
    std::vector<std::uint64_t> unsorted, place;
  };
  void find_candidates(int bin, const Images& images, Candidates& candidates) const;

  /// Appends the keys of the neighbours of `i` among the candidates of its bin, in their order. `images`: of that bin.
  void find_neighbors(int i, double cutoff, const Images& images, Candidates& candidates, std::vector<std::uint64_t>& keys) const;

  /// The pair of `i` and a neighbour by its key: S and r_ij; returns |r_ij|.
  /// Not inlined, so that every call rounds identically.
  [[gnu::noinline]] double measure(int i, std::uint64_t key, const Images& images, Shift& shift, Vector3& vector) const;
  static int atom_of(std::uint64_t key) { return static_cast<int>(key >> 32); }

 private:
  void wrap(const Structure& structure);
  void divide(const Structure& structure, double cutoff);
  void sort_atoms();
  void sort_candidates(Candidates& candidates) const;
  Shift place_of(int bin) const {
    const std::int64_t own = keys_[static_cast<std::size_t>(bin)];
    return {static_cast<int>(own / bins_[2] / bins_[1]), static_cast<int>(own / bins_[2] % bins_[1]), static_cast<int>(own % bins_[2])};
  }
  int bin_at(const Shift& place) const;  // among the occupied ones, or −1
  std::int64_t key(const Shift& bin) const { return (std::int64_t{bin[0]} * bins_[1] + bin[1]) * bins_[2] + bin[2]; }

  CellFrame frame_;
  Matrix3 cell_ = Matrix3::Zero();
  int size_ = 0;
  double reach_ = 0;
  std::vector<Vector3> original_;
  std::vector<Vector3> wrapped_;
  std::vector<Shift> wraps_;         // original = wrapped + wraps · cell
  std::vector<Vector3> fractional_;  // of the wrapped positions; 0 … 1 in periodic directions
  Vector3 lowest_, extent_;          // range of the bins in fractional coordinates
  Shift bins_ = {1, 1, 1};           // number of bins in each direction
  Shift range_ = {0, 0, 0};          // bins to search on either side
  std::vector<std::int64_t> keys_;   // of the occupied bins, ascending
  std::vector<std::size_t> first_;   // of the atoms of each occupied bin in order_
  std::vector<int> order_;           // atoms by bin
  std::vector<int> occupied_;        // bin_at() by key, unless there are many more bins than atoms
};

void Bins::wrap(const Structure& structure) {
  const auto n = static_cast<std::size_t>(size_);
  wrapped_ = original_;
  wraps_.assign(n, Shift{0, 0, 0});
  fractional_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    Vector3 s = frame_.fractional(original_[i]);
    for (int d = 0; d < 3; ++d) {
      const auto direction = static_cast<std::size_t>(d);
      if (!frame_.periodic[direction]) continue;
      const double cells = std::floor(s[d]);
      if (!(std::abs(cells) < farthest_wrap))
        throw InputError(
            fmt::format("{}atom {} (of {}, counted from 1) is {:.3g} cells away from the cell along vector {}; wrap the positions",
                        structure.place(), i + 1, n, cells, d + 1));
      wraps_[i][direction] = static_cast<int>(cells);
      s[d] -= cells;
    }
    fractional_[i] = s;
    wrapped_[i] -= cell_.transpose() * Vector3(wraps_[i][0], wraps_[i][1], wraps_[i][2]);
  }
}

void Bins::divide(const Structure& structure, double cutoff) {
  lowest_ = Vector3::Zero();
  extent_ = Vector3::Ones();
  double images = 1;
  for (int d = 0; d < 3; ++d) {
    const auto direction = static_cast<std::size_t>(d);
    if (!frame_.periodic[direction]) {
      const auto less = [d](const Vector3& a, const Vector3& b) { return a[d] < b[d]; };
      const auto [low, high] = std::minmax_element(fractional_.begin(), fractional_.end(), less);
      lowest_[d] = (*low)[d];
      extent_[d] = (*high)[d] - (*low)[d];
    }
    const double width = extent_[d] * frame_.height[d];
    bins_[direction] = static_cast<int>(std::clamp(std::floor(width / reach_), 1.0, most_bins));
    const bool one_bin = bins_[direction] == 1;
    const double range = frame_.periodic[direction] ? std::ceil(reach_ / (width / bins_[direction])) : (one_bin ? 0.0 : 1.0);
    images *= 2 * range + 1;
    if (!(images <= most_images))
      throw InputError(
          fmt::format("{}the cell is only {:.3g} Å thick along vector {}, too little for neighbours up to {} Å; correct the "
                      "cell or set pbc to false there",
                      structure.place(), frame_.height[d], d + 1, cutoff));
    range_[direction] = static_cast<int>(range);
  }
}

void Bins::sort_atoms() {
  const auto n = static_cast<std::size_t>(size_);
  std::vector<std::int64_t> atom_key(n);
  for (std::size_t i = 0; i < n; ++i) {
    Shift bin = {0, 0, 0};
    for (int d = 0; d < 3; ++d) {
      const auto direction = static_cast<std::size_t>(d);
      if (bins_[direction] == 1) continue;
      const double place = (fractional_[i][d] - lowest_[d]) / extent_[d] * bins_[direction];
      bin[direction] = std::clamp(static_cast<int>(place), 0, bins_[direction] - 1);
    }
    atom_key[i] = key(bin);
  }
  order_.resize(n);
  std::iota(order_.begin(), order_.end(), 0);
  const auto key_of = [&](int i) { return atom_key[static_cast<std::size_t>(i)]; };
  std::sort(order_.begin(), order_.end(), [&](int a, int b) { return std::pair(key_of(a), a) < std::pair(key_of(b), b); });
  for (std::size_t place = 0; place < n; ++place) {
    if (place > 0 && key_of(order_[place]) == keys_.back()) continue;
    keys_.push_back(key_of(order_[place]));
    first_.push_back(place);
  }
  first_.push_back(n);
  const double all = static_cast<double>(bins_[0]) * bins_[1] * bins_[2];
  if (all > 8 * static_cast<double>(n) + 64) return;
  occupied_.assign(static_cast<std::size_t>(all), -1);
  for (int bin = 0; bin < bin_count(); ++bin) occupied_[static_cast<std::size_t>(keys_[static_cast<std::size_t>(bin)])] = bin;
}

int Bins::bin_at(const Shift& place) const {
  const std::int64_t wanted = key(place);
  if (!occupied_.empty()) return occupied_[static_cast<std::size_t>(wanted)];
  const auto found = std::lower_bound(keys_.begin(), keys_.end(), wanted);
  return found != keys_.end() && *found == wanted ? static_cast<int>(found - keys_.begin()) : -1;
}

void Bins::find_images(int bin, Images& result) const {
  const Shift home = place_of(bin), first_before = result.first, count_before = result.count;
  for (std::size_t d = 0; d < 3; ++d) {
    const auto image = [&](int place) { return (place - (place % bins_[d] + bins_[d]) % bins_[d]) / bins_[d]; };
    result.first[d] = frame_.periodic[d] ? image(home[d] - range_[d]) : 0;
    result.count[d] = frame_.periodic[d] ? image(home[d] + range_[d]) - result.first[d] + 1 : 1;
  }
  if (!result.shifts.empty() && result.first == first_before && result.count == count_before) return;
  result.shifts.clear();
  result.offsets.clear();
  for (int x = 0; x < result.count[0]; ++x)
    for (int y = 0; y < result.count[1]; ++y)
      for (int z = 0; z < result.count[2]; ++z) {
        const Shift shift = {result.first[0] + x, result.first[1] + y, result.first[2] + z};
        result.shifts.push_back(shift);
        result.offsets.emplace_back(cell_.transpose() * Vector3(shift[0], shift[1], shift[2]));
      }
}

// For one atom the order of these shifts is the order of the final ones: they differ by a constant. The images of an atom are already in
// order, so that counting the candidates of each atom suffices; for cells of many more atoms it would take longer.
void Bins::sort_candidates(Candidates& candidates) const {
  auto& keys = candidates.keys;
  if (static_cast<std::size_t>(size_) > 4 * keys.size()) return std::sort(keys.begin(), keys.end());
  candidates.unsorted = keys;
  candidates.place.assign(static_cast<std::size_t>(size_) + 1, 0);
  for (const std::uint64_t k : keys) ++candidates.place[static_cast<std::size_t>(atom_of(k)) + 1];
  for (std::size_t i = 1; i < candidates.place.size(); ++i) candidates.place[i] += candidates.place[i - 1];
  for (const std::uint64_t k : candidates.unsorted) keys[candidates.place[static_cast<std::size_t>(atom_of(k))]++] = k;
}

void Bins::find_candidates(int bin, const Images& images, Candidates& candidates) const {
  const std::span<const int> members = atoms_of(bin);
  const auto wrapped = [&](int i) -> const Vector3& { return wrapped_[static_cast<std::size_t>(i)]; };
  // A sphere around the bin's atoms excludes most images of small and skewed cells before the sort.
  Vector3 centre = Vector3::Zero();
  for (const int i : members) centre += wrapped(i) / static_cast<double>(members.size());
  double radius = 0;
  for (const int i : members) radius = std::max(radius, (wrapped(i) - centre).norm());
  const double limit = (reach_ + radius) * (reach_ + radius);

  const Shift home = place_of(bin);
  Shift neighbor, image;
  // Whether a bin exists at `offset` in a direction; its index and its image.
  const auto step = [&](std::size_t d, int offset) {
    const int place = home[d] + offset;
    const int remainder = (place % bins_[d] + bins_[d]) % bins_[d];
    neighbor[d] = remainder;
    image[d] = (place - remainder) / bins_[d];
    return frame_.periodic[d] || image[d] == 0;
  };
  auto& keys = candidates.keys;
  keys.clear();
  for (int x = -range_[0]; x <= range_[0]; ++x) {
    if (!step(0, x)) continue;
    for (int y = -range_[1]; y <= range_[1]; ++y) {
      if (!step(1, y)) continue;
      for (int z = -range_[2]; z <= range_[2]; ++z) {
        if (!step(2, z)) continue;
        const int found = bin_at(neighbor);
        if (found < 0) continue;
        const int number =
            ((image[0] - images.first[0]) * images.count[1] + image[1] - images.first[1]) * images.count[2] + image[2] - images.first[2];
        const Vector3 from = centre - images.offsets[static_cast<std::size_t>(number)];
        for (const int j : atoms_of(found))
          if ((wrapped(j) - from).squaredNorm() <= limit)
            keys.push_back(static_cast<std::uint64_t>(j) << 32 | static_cast<std::uint32_t>(number));
      }
    }
  }
  sort_candidates(candidates);
  for (auto* v : {&candidates.x, &candidates.y, &candidates.z}) v->resize(keys.size());
  for (std::size_t c = 0; c < keys.size(); ++c) {
    const Vector3 position = wrapped(atom_of(keys[c])) + images.offset(keys[c]);
    candidates.x[c] = position.x();
    candidates.y[c] = position.y();
    candidates.z[c] = position.z();
  }
}

void Bins::find_neighbors(int i, double cutoff, const Images& images, Candidates& candidates, std::vector<std::uint64_t>& keys) const {
  const Vector3 centre = wrapped_[static_cast<std::size_t>(i)];
  const double limit = reach_ * reach_, inner = std::max(2 * cutoff - reach_, 0.0), certain = inner * inner;
  const std::size_t count = candidates.keys.size();
  candidates.square.resize(count);
  double* square = candidates.square.data();
  const double *px = candidates.x.data(), *py = candidates.y.data(), *pz = candidates.z.data();
  for (std::size_t c = 0; c < count; ++c) {
    const double x = px[c] - centre.x(), y = py[c] - centre.y(), z = pz[c] - centre.z();
    square[c] = x * x + y * y + z * z;
  }
  auto& near = candidates.unsorted;
  near.resize(count);
  std::size_t found = 0;
  for (std::size_t c = 0; c < count; ++c) {  // without branches: half of them would be predicted wrongly
    near[found] = candidates.keys[c];
    square[found] = square[c];
    found += square[c] <= limit ? 1 : 0;
  }
  Shift shift;
  Vector3 vector;
  for (std::size_t c = 0; c < found; ++c) {
    const bool is_certain = square[c] < certain && atom_of(near[c]) != i;  // else rounding decides, or it is the atom itself
    if (!is_certain && !(measure(i, near[c], images, shift, vector) < cutoff)) continue;
    if (!is_certain && atom_of(near[c]) == i && shift == Shift{0, 0, 0}) continue;
    keys.push_back(near[c]);
  }
}

double Bins::measure(int i, std::uint64_t key, const Images& images, Shift& shift, Vector3& vector) const {
  const auto self = static_cast<std::size_t>(i), other = static_cast<std::size_t>(atom_of(key));
  shift = images.shift(key);
  for (std::size_t d = 0; d < 3; ++d) shift[d] += wraps_[self][d] - wraps_[other][d];
  vector = pair_vector(original_[self], original_[other], cell_, shift);
  return vector.norm();
}

/// Calls use(bin, images, candidates) for every occupied bin, in threads if there are many atoms.
template <class Use>
void for_each_bin(const Bins& bins, int size, const Use& use) {
  std::exception_ptr failure;
#pragma omp parallel if (size >= parallel_size)
  {
    Bins::Images images;
    Bins::Candidates candidates;
#pragma omp for schedule(dynamic, 16)
    for (int bin = 0; bin < bins.bin_count(); ++bin) {
      try {
        bins.find_images(bin, images);
        use(bin, images, candidates);
      } catch (...) {  // out of memory: must not leave the parallel region
#pragma omp critical(gapkit_neighbor_list_failure)
        failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

// First the neighbours of each atom, as keys; then their places in the list and the pairs themselves. The list does not depend on the
// number of threads.
NeighborList::NeighborList(const Structure& structure, double cutoff) : cutoff_(cutoff) {
  check_input(structure, cutoff);
  const int n = structure.size();
  begin_.assign(static_cast<std::size_t>(n) + 1, 0);
  if (n == 0) return;
  const Bins bins(structure, cutoff);

  std::vector<std::vector<std::uint64_t>> found(static_cast<std::size_t>(bins.bin_count()));
  for_each_bin(bins, n, [&](int bin, const Bins::Images& images, Bins::Candidates& candidates) {
    auto& keys = found[static_cast<std::size_t>(bin)];
    bins.find_candidates(bin, images, candidates);
    for (const int i : bins.atoms_of(bin)) {
      const std::size_t before = keys.size();
      bins.find_neighbors(i, cutoff, images, candidates, keys);
      begin_[static_cast<std::size_t>(i) + 1] = keys.size() - before;
    }
  });
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) begin_[i + 1] += begin_[i];

  const std::size_t pairs = begin_.back();
  index_.resize(pairs);
  shift_.resize(pairs);
  vector_.resize(pairs);
  distance_.resize(pairs);
  for_each_bin(bins, n, [&](int bin, const Bins::Images& images, Bins::Candidates&) {
    auto key = found[static_cast<std::size_t>(bin)].begin();
    for (const int i : bins.atoms_of(bin))
      for (std::size_t pair = begin_[static_cast<std::size_t>(i)]; pair < begin_[static_cast<std::size_t>(i) + 1]; ++pair, ++key) {
        index_[pair] = Bins::atom_of(*key);
        distance_[pair] = bins.measure(i, *key, images, shift_[pair], vector_[pair]);
      }
  });
}

StructureEnvironments::StructureEnvironments(const Structure& structure, double cutoff)
    : StructureEnvironments(structure, NeighborList(structure, cutoff)) {}

StructureEnvironments::StructureEnvironments(const Structure& structure, NeighborList list)
    : list_(std::move(list)), centre_(structure.atomic_numbers.size()), atomic_number_(structure.atomic_numbers) {
  std::iota(centre_.begin(), centre_.end(), 0);
  view_ = {centre_, atomic_number_, list_.begin(), list_.index(), list_.vector(), list_.distance(), list_.cutoff()};
}

}  // namespace gapkit
