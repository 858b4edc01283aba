#include "support/reference.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gapkit::test {

Matrix read_table(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::vector<std::vector<double>> rows;
  for (std::string line; std::getline(in, line);) {
    std::istringstream numbers(line);
    std::vector<double> row;
    for (double v; numbers >> v;) row.push_back(v);
    if (!row.empty()) rows.push_back(row);
  }
  Matrix table(static_cast<Eigen::Index>(rows.size()), rows.empty() ? 0 : static_cast<Eigen::Index>(rows[0].size()));
  for (Eigen::Index i = 0; i < table.rows(); ++i)
    for (Eigen::Index j = 0; j < table.cols(); ++j) table(i, j) = rows.at(static_cast<std::size_t>(i)).at(static_cast<std::size_t>(j));
  return table;
}

}  // namespace gapkit::test
