#include <gapkit/core/errors.hpp>
#include <gapkit/sparsify/selection.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("sparse points are read with and without GAP's last component") {
  const TemporaryFolder folder;
  const std::string plain = folder.write("plain", "1.0 2.0d0\n+3.5D-01\n\n4e0 -5\r\n0.6-102\n").string();
  const Matrix points = read_sparse_points(plain, 3);
  Matrix expected(2, 3);
  expected << 1, 2, 0.35, 4, -5, 0.6e-102;
  CHECK(largest_difference(points, expected) == 0);

  const std::string extended = folder.write("extended", "1 2 3 0\n4 5 6 0.0\n").string();
  expected << 1, 2, 3, 4, 5, 6;
  CHECK(largest_difference(read_sparse_points(extended, 3), expected) == 0);
  CHECK(read_sparse_points(extended, 2).rows() == 4);
  // 3 · 4 and 4 · 3 numbers are both possible: zeros at the last places decide
  CHECK(read_sparse_points(folder.write("a", "1 2 3 0 1 2 3 0 1 2 3 0").string(), 3).rows() == 3);
  CHECK(read_sparse_points(folder.write("b", "1 2 3 1 1 2 3 0 1 2 3 0").string(), 3).rows() == 4);
}

TEST_CASE("sparse points are read with their covariance cutoffs before them, as in gap_fit") {
  const TemporaryFolder folder;
  Vector covariance_cutoff;
  Matrix expected(2, 3);
  expected << 1, 2, 3, 4, 5, 6;
  for (const char* text : {"1.0 1 2 3\n0.25 4 5 6\n", "1.0 1 2 3 0.0\n0.25 4 5 6 0.0\n"}) {
    CAPTURE(text);
    CHECK(largest_difference(read_sparse_points(folder.write("points", text).string(), 3, &covariance_cutoff), expected) == 0);
    CHECK(largest_difference(covariance_cutoff, Vector{{1.0, 0.25}}) == 0);
  }
  for (const char* text : {"1 2 3 4\n0 1 2 3\n", "1 2 3 4\n-0.5 1 2 3\n", "1 2 3 4\n1.5 1 2 3\n"}) {
    CAPTURE(text);
    const std::string path = folder.write("wrong", text).string();
    const std::string message = message_of<InputError>([&] { read_sparse_points(path, 3, &covariance_cutoff); });
    CHECK(message.find(path + ":2: sparse point 2 begins with the covariance cutoff") == 0);
  }
}

TEST_CASE("sparse files that are wrong are refused with file and line") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& text, int size) {
    const std::string path = folder.write("points", text).string();
    const std::string m = message_of<InputError>([&] { read_sparse_points(path, size); });
    CHECK(m.find(path) == 0);
    return m;
  };
  CHECK(message("1 2 3 4 5 6 7", 4).find("7 numbers") != std::string::npos);
  CHECK(message("1 2 3 4 0\n1 2 3 4\n0.001\n", 4).find(":3: component 5 of sparse point 2 is 0.001") != std::string::npos);
  CHECK(message("1 2\nx 3\n", 1).find(":2: 'x'") != std::string::npos);
  CHECK(message("1\n2.0.0\n", 1).find(":2:") != std::string::npos);
  CHECK(message("1\nNaN\n", 1).find(":2: 'NaN'") != std::string::npos);
  CHECK(message("1\n\n1e999\n", 1).find(":3:") != std::string::npos);
  CHECK(message("\n", 1).find("no numbers") != std::string::npos);
  CHECK(message_of<InputError>([&] { read_sparse_points((folder.path() / "absent").string(), 1); }).find("absent: cannot be opened") !=
        std::string::npos);

  const auto indices = read_sparse_indices(folder.write("good", "3 1\n 27\n").string());
  CHECK(indices == std::vector<std::int64_t>{3, 1, 27});
  const auto index_message = [&](const std::string& text) {
    const std::string path = folder.write("indices", text).string();
    return message_of<InputError>([&] { read_sparse_indices(path); });
  };
  CHECK(index_message("1\n0\n").find(":2: '0'") != std::string::npos);
  CHECK(index_message("1 2.5").find(":1: '2.5'") != std::string::npos);
  CHECK(index_message("4 5\n6 4\n").find(":2: environment 4 occurs again, first in line 1") != std::string::npos);
  CHECK(index_message("").find("no numbers") != std::string::npos);
}
