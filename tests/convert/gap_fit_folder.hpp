#pragma once

#include <algorithm>
#include <gapkit/config/config.hpp>
#include <gapkit/convert/gap_fit_command.hpp>

#include "support/support.hpp"

namespace gapkit::test {

inline constexpr const char* soap =
    "soap l_max=4 n_max=6 atom_sigma=0.5 zeta=4 cutoff=5.0 delta=0.3 n_sparse=60 covariance_type=dot_product "
    "sparse_method=cur_points";

/// A folder with training data of Si and C.
struct GapFitFolder {
  TemporaryFolder folder;
  GapFitFolder() {
    folder.write(
        "train.xyz",
        "2\nProperties=species:S:1:pos:R:3:force:R:3:dft_forces:R:3 energy=-1 dft_energy=-1 virial=\"1 0 0 0 1 0 0 0 1\" dft_virial=\"1 0 "
        "0 0 1 0 0 0 1\" pbc=\"F F F\"\nSi 0 0 0 0 0 0 0 0 0\nC 0 0 1.8 0 0 0 0 0 0\n1\nProperties=species:S:1:pos:R:3 "
        "energy=-1\nSi 0 0 0\n");
  }
  GapFitTranslation translate(const std::string& more, const std::string& gap = soap) const {
    return translate_gap_fit("gap_fit at_file=train.xyz gap={" + gap + "} default_sigma={0.002 0.05 0.1 0} " + more, folder.path());
  }
  FitConfiguration read(const GapFitTranslation& t) const {
    INFO(t.toml);
    return parse_fit_options(t.toml, "translated.toml", folder.path());
  }
  FitConfiguration options(const std::string& more, const std::string& gap = soap) const { return read(translate(more, gap)); }
};

inline bool any_holds(const std::vector<std::string>& lines, const std::string& text) {
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

}  // namespace gapkit::test
