#pragma once

#include <fstream>
#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "support/support.hpp"

namespace gapkit::test {

/// tests/data/long_range/reference.json.
inline const nlohmann::json& long_range_reference() {
  static const nlohmann::json all = [] {
    std::ifstream file(source_folder() / "tests" / "data" / "long_range" / "reference.json");
    return nlohmann::json::parse(file);
  }();
  return all;
}

inline Structure structure_of(const nlohmann::json& entry) {
  return read_extxyz(source_folder() / "tests" / "data" / "long_range" / entry.at("xyz").get<std::string>()).at(0);
}

/// A column of reals of the structure; zeros if it has none.
inline std::vector<double> column_of(const Structure& structure, const std::string& name) {
  const Column* column = structure.find_column(name);
  return column ? std::get<std::vector<double>>(column->values) : std::vector<double>(static_cast<std::size_t>(structure.size()), 0.0);
}

inline Matrix matrix_of(const nlohmann::json& rows) {
  Matrix matrix(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows.at(0).size()));
  for (Eigen::Index i = 0; i < matrix.rows(); ++i)
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) matrix(i, j) = rows.at(static_cast<std::size_t>(i)).at(static_cast<std::size_t>(j));
  return matrix;
}

inline Vector vector_of(const nlohmann::json& numbers) {
  Vector vector(static_cast<Eigen::Index>(numbers.size()));
  for (Eigen::Index i = 0; i < vector.size(); ++i) vector[i] = numbers.at(static_cast<std::size_t>(i));
  return vector;
}

}  // namespace gapkit::test
