#include <Eigen/LU>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/structure.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("structure: volume is positive for either handedness and zero without a cell") {
  Structure s;
  CHECK(s.volume() == 0);
  s.cell = Matrix3{{2, 0, 0}, {1, 3, 0}, {5, 7, 4}};
  check_close(s.volume(), 24, 1e-12);
  s.cell->row(0) *= -1;
  check_close(s.volume(), 24, 1e-12);
}

TEST_CASE("structure: a field is added once and then replaced, and no longer shows the text of the file") {
  Structure s;
  s.fields.push_back({"energy", -1.5, "-1.50"});
  CHECK(s.find_field("Energy") == nullptr);
  s.set_field("energy", -2.0);
  s.set_field("note", std::string("new"));
  REQUIRE(s.fields.size() == 2);
  REQUIRE(s.find_field("energy") != nullptr);
  CHECK(std::get<double>(s.find_field("energy")->value) == -2.0);
  CHECK(s.find_field("energy")->text == "");
  CHECK(std::get<std::string>(s.find_field("note")->value) == "new");
}

TEST_CASE("structure: a column is added once and then replaced; a wrong number of values is refused") {
  Structure s;
  s.atomic_numbers = {1, 8};
  s.set_column("charge", 1, {0.5, -0.5});
  s.set_column("charge", 2, {1, 2, 3, 4});
  REQUIRE(s.columns.size() == 1);
  const Column* column = s.find_column("charge");
  REQUIRE(column != nullptr);
  CHECK(column->count == 2);
  CHECK(std::get<std::vector<double>>(column->values) == std::vector<double>{1, 2, 3, 4});
  CHECK(message_of<InputError>([&] {
          s.set_column("forces", 3, {1, 2, 3, 4, 5});
        }) == "column 'forces' with 3 values per atom has 5 values for 2 atoms, expected 6");
  CHECK_THROWS_AS(s.set_column("nothing", 0, {}), InputError);
  CHECK_THROWS_AS(s.set_column("nothing", -1, {}), InputError);
}

TEST_CASE("test support: random structures have the documented properties") {
  for (const int n : {1, 2, 7, 40})
    for (unsigned seed = 1; seed <= 5; ++seed) {
      CAPTURE(n);
      CAPTURE(seed);
      const Structure s = random_triclinic(n, seed, {14, 6});
      REQUIRE(s.cell.has_value());
      CHECK(s.cell->determinant() > 0);
      check_close(s.volume(), 15.0 * n, 1e-9);
      CHECK(s.size() == n);
      CHECK(s.positions.rows() == n);
      double shortest = 1e9;
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j)
          for (int x = -3; x <= 3; ++x)
            for (int y = -3; y <= 3; ++y)
              for (int z = -3; z <= 3; ++z)
                if (i != j || x != 0 || y != 0 || z != 0)
                  shortest = std::min(shortest, (s.positions.row(j) - s.positions.row(i) + Eigen::RowVector3d(x, y, z) * *s.cell).norm());
      CHECK(shortest >= 1.6 - 1e-12);
      CHECK(random_triclinic(n, seed, {14, 6}).positions == s.positions);
      CHECK(random_triclinic(n, seed + 100, {14, 6}).positions != s.positions);
      if (n >= 2) {
        CHECK(std::count(s.atomic_numbers.begin(), s.atomic_numbers.end(), 14) > 0);
        CHECK(std::count(s.atomic_numbers.begin(), s.atomic_numbers.end(), 6) > 0);
      }
    }
}

TEST_CASE("test support: rotation keeps distances, handedness and the work of the forces; a supercell repeats") {
  Structure s = random_triclinic(5, 3);
  s.forces = Positions::Random(5, 3);
  s.virial = Matrix3(s.positions.transpose() * *s.forces);
  const Structure r = rotated(s, 11);
  CHECK(largest_difference(r.positions * r.positions.transpose(), s.positions * s.positions.transpose()) <= 1e-11);
  CHECK((r.positions - s.positions).norm() > 0.1);
  check_close(r.cell->determinant(), s.cell->determinant(), 1e-10);
  CHECK(largest_difference(*r.virial, r.positions.transpose() * *r.forces) <= 1e-12);

  const Structure big = supercell(s, 2, 1, 3);
  REQUIRE(big.size() == 30);
  check_close(big.volume(), 6 * s.volume(), 1e-9);
  CHECK(largest_difference(big.positions.bottomRows(5), s.positions.rowwise() + Eigen::RowVector3d(1, 0, 2) * *s.cell) <= 1e-12);
  CHECK(largest_difference(big.forces->middleRows(10, 5), *s.forces) == 0);
}

TEST_CASE("test support: comparisons fail for NaN") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(is_close(nan, 1, 1e300));
  CHECK_FALSE(is_close(1, nan, 1e300));
  Matrix a = Matrix::Zero(2, 2), b = a;
  CHECK(largest_difference(a, b) == 0);
  b(0, 1) = nan;
  CHECK_FALSE(largest_difference(a, b) <= 1e300);
  CHECK_FALSE(largest_difference(a, Matrix(Matrix::Zero(2, 3))) <= 1e300);
}

TEST_CASE("test support: folders") {
  CHECK(std::filesystem::exists(source_folder() / "include" / "gapkit" / "core" / "structure.hpp"));
  std::filesystem::path left;
  {
    const TemporaryFolder folder;
    left = folder.path();
    CHECK(std::filesystem::file_size(folder.write("a.txt", "hello\n")) == 6);
  }
  CHECK_FALSE(std::filesystem::exists(left));
}
