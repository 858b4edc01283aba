#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <gapkit/core/structure.hpp>
#include <limits>
#include <random>
#include <string>

namespace gapkit::test {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// How often `part` stands in `text`
inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

/// |actual − expected| ≤ atol + rtol · |expected|; false for NaN.
inline bool is_close(double actual, double expected, double atol, double rtol = 0) {
  return std::abs(actual - expected) <= atol + rtol * std::abs(expected);
}

inline void check_close(double actual, double expected, double atol, double rtol = 0) {
  INFO("actual ", actual, " expected ", expected, " difference ", actual - expected);
  CHECK(is_close(actual, expected, atol, rtol));
}

/// Largest |a − b| over all entries; NaN if any entry is NaN; infinity if the shapes differ.
template <class A, class B>
double largest_difference(const A& a, const B& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (Eigen::Index i = 0; i < a.rows(); ++i)
    for (Eigen::Index j = 0; j < a.cols(); ++j) {
      const double d = std::abs(a(i, j) - b(i, j));
      if (std::isnan(d)) return d;
      if (d > worst) worst = d;
    }
  return worst;
}

/// Largest |a| over all entries; NaN if any entry is NaN (Eigen's maxCoeff may pass over it).
template <class A>
double largest_entry(const A& a) {
  const Matrix m = a;
  return largest_difference(m, Matrix::Zero(m.rows(), m.cols()));
}

/// The larger of two deviations; NaN if either is NaN (std::max would lose it).
inline double worse(double worst, double value) {
  return std::isnan(worst) || value <= worst ? worst : value;
}

/// A folder that is removed with its contents at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  /// Writes text to path()/name and returns that path.
  std::filesystem::path write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// Random atoms in a random triclinic, right-handed, periodic cell of about 15 Å³ per atom; atoms keep a distance of 1.6 Å.
/// `elements` are drawn at random, each occurring at least once if there are enough atoms.
Structure random_triclinic(int atoms, unsigned seed, const std::vector<int>& elements = {14});

/// Contents of a file; "" if it cannot be read.
std::string read_text(const std::filesystem::path& path);

/// r → r · F, cell → cell · F for a deformation F (rows are vectors).
Structure deformed(const Structure& structure, const Matrix3& deformation);
Structure rotated(const Structure& structure, unsigned seed);
Structure supercell(const Structure& structure, int n1, int n2, int n3);

/// Message of the exception that `f` throws; "" if it throws none.
template <class Exception, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Exception& e) {
    return e.what();
  }
  return "";
}

/// Suite of the tests with data beside the checkout; ctest runs it separately, to report when it is skipped.
inline constexpr const char* beside_checkout = "data beside the checkout";
/// For TEST_CASE(name * doctest::skip(is_missing(reference_folder(), "reference data"))): whether the folder does not exist. Then
/// missing_data() includes it, and the program names it at its end.
bool is_missing(const std::filesystem::path& folder, const std::string& what);
const std::vector<std::string>& missing_data();

/// Folder of the project's sources, and of public reference data where it is present beside the checkout (empty otherwise).
std::filesystem::path source_folder();
std::filesystem::path reference_folder();
std::filesystem::path public_data_folder();

}  // namespace gapkit::test
