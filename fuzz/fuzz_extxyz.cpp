// Any bytes as an extended-XYZ file: only InputError may be thrown; frames that are read, written and read again must be equal, with
// their targets.

#include <bit>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>

#include "fuzz.hpp"

using namespace gapkit;
using namespace gapkit::fuzz;

namespace {

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}
template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}
bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) { return same(x, y); });
}
template <int Rows, int Cols>
bool same(const Eigen::Matrix<double, Rows, Cols, Eigen::RowMajor>& a, const Eigen::Matrix<double, Rows, Cols, Eigen::RowMajor>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::equal(a.data(), a.data() + a.size(), b.data(), [](double x, double y) { return same(x, y); });
}
template <class T>
bool same(const std::optional<T>& a, const std::optional<T>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}

void check(bool condition, const char* part) {
  if (!condition) broken(std::string("a frame that is written and read back differs in ") + part);
}

template <class Variant>
bool same_variant(const Variant& a, const Variant& b) {
  if (a.index() != b.index()) return false;
  return std::visit([&](const auto& value) { return same(value, std::get<std::decay_t<decltype(value)>>(b)); }, a);
}

void check_same(const Structure& a, const Structure& b) {
  check(same(a.cell, b.cell), "cell");
  check(a.pbc == b.pbc, "pbc");
  check(a.atomic_numbers == b.atomic_numbers, "species");
  check(same(a.positions, b.positions), "positions");
  check(a.columns.size() == b.columns.size(), "the number of columns");
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    check(a.columns[i].name == b.columns[i].name && a.columns[i].count == b.columns[i].count, "the name or width of a column");
    check(same_variant(a.columns[i].values, b.columns[i].values), "the values of a column");
  }
  check(a.fields.size() == b.fields.size(), "the number of fields");
  for (std::size_t i = 0; i < a.fields.size(); ++i) {
    check(a.fields[i].key == b.fields[i].key, "the key of a field");
    check(same_variant(a.fields[i].value, b.fields[i].value), "the value of a field");
  }
}

void check_same_targets(const Structure& a, const Structure& b) {
  check(same(a.energy, b.energy), "energy");
  check(same(a.forces, b.forces), "forces");
  check(same(a.virial, b.virial), "virial");
  check(same(a.energy_sigma, b.energy_sigma) && same(a.force_sigma, b.force_sigma) && same(a.virial_sigma, b.virial_sigma), "sigma");
  check(same(a.force_atom_sigma, b.force_atom_sigma), "force_atom_sigma");
  check(a.force_mask == b.force_mask, "force_mask");
  check(a.config_type == b.config_type, "config_type");
}

std::vector<Structure> read_good_frames(const std::filesystem::path& path) {
  std::vector<Structure> frames;
  try {
    ExtxyzReader reader(path);
    while (auto frame = reader.next()) frames.push_back(std::move(*frame));
  } catch (const InputError&) {
  }
  return frames;
}

/// Assigns targets; false if they are refused.
bool assign(Structure& structure) {
  try {
    assign_targets(structure, TargetKeys());
  } catch (const InputError&) {
    return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFolder folder;
  std::vector<Structure> frames = read_good_frames(folder.write("in.xyz", as_text(data, size)));
  if (frames.empty()) return 0;

  const auto path = folder.path() / "out.xyz";
  std::vector<Structure> again;
  try {
    ExtxyzWriter writer(path);
    for (const Structure& frame : frames) writer.write(frame);
    writer.commit();
    again = read_extxyz(path);
  } catch (const Error& error) {
    broken(std::string("a frame that was read cannot be written and read back: ") + error.what());
  }
  check(again.size() == frames.size(), "being there at all");
  for (std::size_t i = 0; i < frames.size(); ++i) {
    check_same(frames[i], again[i]);
    const bool assigned = assign(frames[i]);
    check(assigned == assign(again[i]), "whether its targets are accepted");
    if (assigned) check_same_targets(frames[i], again[i]);
  }
  return 0;
}
