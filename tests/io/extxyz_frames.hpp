#pragma once

#include <bit>
#include <cstdint>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>

#include "support/support.hpp"

namespace gapkit::test {

inline bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

inline bool same_bits(const double* a, const double* b, Eigen::Index n) {
  for (Eigen::Index i = 0; i < n; ++i)
    if (!same_bits(a[i], b[i])) return false;
  return true;
}

inline bool same_bits(const FieldValue& a, const FieldValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* real = std::get_if<double>(&a)) return same_bits(*real, std::get<double>(b));
  if (const auto* reals = std::get_if<std::vector<double>>(&a)) {
    const auto& other = std::get<std::vector<double>>(b);
    return reals->size() == other.size() && same_bits(reals->data(), other.data(), static_cast<Eigen::Index>(other.size()));
  }
  if (const auto* matrix = std::get_if<Matrix>(&a)) {
    const auto& other = std::get<Matrix>(b);
    return matrix->rows() == other.rows() && matrix->cols() == other.cols() && same_bits(matrix->data(), other.data(), other.size());
  }
  return a == b;
}

/// The first difference of two structures; "" if they are the same to the last bit.
inline std::string difference(const Structure& a, const Structure& b) {
  if (a.cell.has_value() != b.cell.has_value() || (a.cell && !same_bits(a.cell->data(), b.cell->data(), 9))) return "cell";
  if (a.pbc != b.pbc) return "pbc";
  if (a.atomic_numbers != b.atomic_numbers) return "atomic numbers";
  if (a.positions.rows() != b.positions.rows() || !same_bits(a.positions.data(), b.positions.data(), a.positions.size()))
    return "positions";
  if (a.fields.size() != b.fields.size()) return "number of fields";
  for (std::size_t i = 0; i < a.fields.size(); ++i)
    if (a.fields[i].key != b.fields[i].key || !same_bits(a.fields[i].value, b.fields[i].value)) return "field " + a.fields[i].key;
  if (a.columns.size() != b.columns.size()) return "number of columns";
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    const Column &x = a.columns[i], &y = b.columns[i];
    if (x.name != y.name || x.count != y.count || x.values.index() != y.values.index()) return "column " + x.name;
    if (const auto* reals = std::get_if<std::vector<double>>(&x.values)) {
      const auto& other = std::get<std::vector<double>>(y.values);
      if (reals->size() != other.size() || !same_bits(reals->data(), other.data(), static_cast<Eigen::Index>(other.size())))
        return "column " + x.name;
    } else if (x.values != y.values) {
      return "column " + x.name;
    }
  }
  return "";
}

inline Structure parsed(const std::string& text) {
  const TemporaryFolder folder;
  const auto frames = read_extxyz(folder.write("in.xyz", text));
  REQUIRE(frames.size() == 1);
  return frames.front();
}

inline std::string error_of(const std::string& text) {
  const TemporaryFolder folder;
  const auto path = folder.write("in.xyz", text);
  const std::string message = message_of<InputError>([&] { read_extxyz(path); });
  const std::string prefix = folder.path().string() + "/";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

inline void write_all(const std::filesystem::path& path, const std::vector<Structure>& frames) {
  ExtxyzWriter writer(path);
  for (const auto& frame : frames) writer.write(frame);
  writer.commit();
}

inline const std::string one_atom = "1\nLattice=\"4 0 0 0 5 0 0 0 6\" Properties=species:S:1:pos:R:3 ";
inline const std::string its_row = "\nSi 0 0 0\n";

}  // namespace gapkit::test
