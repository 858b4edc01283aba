#pragma once

#include <filesystem>
#include <gapkit/config/config.hpp>

#include "support/support.hpp"

namespace gapkit::test {

/// A folder with the files that the configurations of these tests name.
struct Files {
  TemporaryFolder folder;
  Files() {
    for (const auto* name : {"train.xyz", "b1.xyz", "b2.xyz", "b10.xyz", "[odd].xyz", "points.txt", "numbers.txt"}) folder.write(name, "");
    std::filesystem::create_directory(folder.path() / "sub.xyz");
    std::filesystem::create_directory(folder.path() / "more");
    folder.write("more/c.xyz", "");
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  FitConfiguration parse(const std::string& toml) const { return parse_fit_options(toml, "t.toml", folder.path()); }
  std::string message(const std::string& toml) const {
    return message_of<InputError>([&] { parse(toml); });
  }
};

inline const std::string data = "[data]\ntrain = 'train.xyz'\n";  // lines 1, 2
inline const std::string term =                                   // lines 3 … 9
    "[[term]]\n"
    "descriptor = 'soap'\n"
    "cutoff = 5\n"
    "kernel = 'dot_product'\n"
    "zeta = 4\n"
    "n_sparse = 100\n"
    "delta = 0.5\n";
inline const std::string good = data + term;
inline const std::string pair =
    data + "[[term]]\ndescriptor = 'two_body'\ncutoff = 5\nkernel = 'squared_exponential'\nlength_scale = 1\nn_sparse = 20\n";

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace gapkit::test
