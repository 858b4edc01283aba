#pragma once

#include <map>

#include "apps/workplace.hpp"

/// Runs of the program gap_fit.
namespace gapkit::test {

inline constexpr const char* pairs =
    "distance_2b cutoff=4.0 covariance_type=ard_se delta=2.0 theta_uniform=1.0 sparse_method=uniform n_sparse=8";
inline constexpr const char* soap =
    "soap l_max=2 n_max=3 atom_sigma=0.5 zeta=2 cutoff=4.0 delta=0.5 n_sparse=12 covariance_type=dot_product sparse_method=cur_points";
inline constexpr const char* sigma = "default_sigma={0.002 0.1 0.1 0.0}";

using Words = std::vector<std::string>;

inline Words usual(const std::string& gap, const Words& more = {}) {
  Words words = {"at_file=train.xyz", "gap={" + gap + "}", sigma, "force_parameter_name=forces"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Every file of a folder with its content.
inline std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> all;
  for (const std::string& name : files_in(folder)) all[name] = read_text(folder / name);
  return all;
}

/// A successful run; returns what it printed.
inline std::string run_good(const Workplace& w, const Words& words) {
  const ProgramResult result = w.run("gap_fit", words);
  INFO(result.out);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.err == "");
  return result.out;
}

/// Largest difference between the predictions of the two files for test.xyz, relative to 1 eV/atom, eV/Å and eV.
inline double largest_difference(const Workplace& w, const std::string& first, const std::string& second) {
  std::vector<std::vector<Structure>> frames;
  for (const std::string& model : {first, second}) {
    const ProgramResult result = w.run("gap-predict", {model, "test.xyz", "-o", "predicted.xyz", "--no-reference"});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    frames.push_back(read_extxyz(w / "predicted.xyz"));
  }
  REQUIRE(frames[0].size() == 5);
  REQUIRE(frames[1].size() == 5);
  double largest = 0, size = 0;
  const auto compare = [&](const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(std::abs(a[i] - b[i]) <= 1e-9);  // false for NaN
      largest = std::max(largest, std::abs(a[i] - b[i]));
      size = std::max(size, std::abs(a[i]));
    }
  };
  for (std::size_t f = 0; f < 5; ++f) {
    for (const char* key : {"gap_energy", "gap_virial"}) compare(numbers(frames[0][f], key), numbers(frames[1][f], key));
    compare(column(frames[0][f], "gap_forces"), column(frames[1][f], "gap_forces"));
  }
  CHECK(size > 1);
  return largest;
}

}  // namespace gapkit::test
