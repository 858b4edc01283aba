#pragma once

#include <algorithm>
#include <gapkit/io/extxyz.hpp>

#include "apps/run_program.hpp"
#include "support/support.hpp"

namespace gapkit::test {

inline constexpr const char* small_configuration = R"(
[data]
train = ["train.xyz"]
validation = ["test.xyz"]

[[term]]
descriptor = "two_body"
cutoff = 5.0
kernel = "squared_exponential"
length_scale = 1.0
delta = 2.0
n_sparse = 10
selection = "uniform"

[[term]]
descriptor = "soap"
cutoff = 4.5
n_max = 4
l_max = 3
kernel = "dot_product"
zeta = 2
delta = 0.5
n_sparse = 30

[regularization]
energy = 0.002
force = 0.1
virial = 0.1
)";

/// The isolated atom and `count` frames of at most eight atoms, from number `first` on.
inline void write_frames(const std::filesystem::path& path, std::size_t first, std::size_t count, bool with_isolated_atom) {
  static const std::vector<Structure> all = read_extxyz(source_folder() / "data" / "silicon" / "train.xyz");
  ExtxyzWriter writer(path);
  if (with_isolated_atom) writer.write(all.front());
  std::size_t seen = 0;
  for (std::size_t i = 1; i < all.size() && seen < first + count; ++i)
    if (all[i].size() <= 8 && seen++ >= first) writer.write(all[i]);
  REQUIRE(seen == first + count);
  writer.commit();
}

/// A folder with train.xyz, test.xyz and fit.toml.
struct Workplace {
  TemporaryFolder folder;

  explicit Workplace(const std::string& configuration = small_configuration) {
    write_frames(folder.path() / "train.xyz", 0, 24, true);
    write_frames(folder.path() / "test.xyz", 24, 5, false);
    folder.write("fit.toml", configuration);
  }
  std::filesystem::path operator/(const char* name) const { return folder.path() / name; }
  ProgramResult run(const std::string& program, const std::vector<std::string>& arguments) const {
    return run_program(program, arguments, folder.path());
  }
};

/// One workplace with a fitted model.h5, shared by the tests of predictions.
inline const Workplace& fitted() {
  static const Workplace workplace;
  static const ProgramResult result = workplace.run("gap-fit", {"fit.toml", "-o", "model.h5", "--json", "fit.json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return workplace;
}

/// Exit code 2, one line "program: error: …" on stderr that holds all `parts`, and nothing on stdout.
inline void check_mistake(const ProgramResult& result, const std::vector<std::string>& parts) {
  CAPTURE(result.err);
  CHECK(result.exit_code == 2);
  CHECK(result.out == "");
  CHECK(contains(result.err, ": error: "));
  CHECK(!contains(result.err, "internal error"));
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(contains(result.err, part));
  }
}

inline std::vector<double> numbers(const Structure& frame, const std::string& key) {
  CAPTURE(key);
  const Field* field = frame.find_field(key);
  REQUIRE(field != nullptr);
  if (const double* number = std::get_if<double>(&field->value)) return {*number};
  if (const auto* list = std::get_if<std::vector<double>>(&field->value)) return *list;
  const auto* matrix = std::get_if<Matrix>(&field->value);
  REQUIRE(matrix != nullptr);
  return {matrix->data(), matrix->data() + matrix->size()};
}

inline std::vector<double> column(const Structure& frame, const std::string& name) {
  CAPTURE(name);
  const Column* found = frame.find_column(name);
  REQUIRE(found != nullptr);
  return std::get<std::vector<double>>(found->values);
}

}  // namespace gapkit::test
