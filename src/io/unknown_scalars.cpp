#include "io/unknown_scalars.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/io/name_words.hpp>
#include <string_view>

namespace gapkit {
namespace {

constexpr std::size_t most_keys = 200;
constexpr double smallest_size = 1e-3, largest_size = 1e7;  // of an energy per atom, eV

constexpr std::string_view other_words[] = {"time",
                                            "timestep",
                                            "step",
                                            "temperature",
                                            "temp",
                                            "pressure",
                                            "press",
                                            "volume",
                                            "vol",
                                            "density",
                                            "charge",
                                            "spin",
                                            "magmom",
                                            "magnetic",
                                            "magnetization",
                                            "multiplicity",
                                            "id",
                                            "index",
                                            "idx",
                                            "count",
                                            "sigma",
                                            "std",
                                            "weight",
                                            "weights",
                                            "tol",
                                            "tolerance",
                                            "threshold",
                                            "cutoff",
                                            "encut",
                                            "ecut",
                                            "ecutwfc",
                                            "bandgap",
                                            "natoms",
                                            "mass",
                                            "dipole",
                                            "distance",
                                            "dist",
                                            "strain",
                                            "scale",
                                            "seed",
                                            "frame",
                                            "epoch",
                                            "iteration",
                                            "kspacing",
                                            "smearing",
                                            "degauss",
                                            "homo",
                                            "lumo",
                                            "fermi",
                                            "kinetic",
                                            "ekin",
                                            "angle",
                                            "uncertainty",
                                            "error",
                                            "rmse",
                                            "mae",
                                            "fmax",
                                            "alpha",
                                            "mu",
                                            "cv",
                                            "zpve",
                                            "zpe",
                                            "occupation",
                                            "entropy",
                                            "lambda",
                                            "fraction",
                                            "concentration",
                                            "probability",
                                            "score",
                                            "rmsd",
                                            "x",
                                            "y",
                                            "z",
                                            "a",
                                            "b",
                                            "c",
                                            "lattice",
                                            "tau",
                                            "polarizability"};

bool is_something_else(std::string_view name) {
  const std::vector<std::string> words = words_of(name);
  if (words == std::vector<std::string>{"gap"}) return true;
  return words.empty() || std::any_of(words.begin(), words.end(), [](const std::string& word) {
           return std::find(std::begin(other_words), std::end(other_words), word) != std::end(other_words);
         });
}

}  // namespace

void UnknownScalars::add(const Structure& frame, const BaseKeys& base) {
  ++frames_;
  const int atoms = std::max(1, frame.size());
  for (const Field& field : frame.fields) {
    if (base.reads(field.key)) continue;
    const auto* real = std::get_if<double>(&field.value);
    const auto* integer = std::get_if<std::int64_t>(&field.value);
    if (!real && !integer) continue;
    const double value = real ? *real : static_cast<double>(*integer);
    if (!std::isfinite(value)) continue;
    auto found = keys_.find(field.key);
    if (found == keys_.end()) {
      if (keys_.size() >= most_keys || is_something_else(field.key)) continue;
      found = keys_.emplace(field.key, Key{0, value, value, 0, false, atoms, atoms}).first;
    }
    Key& key = found->second;
    ++key.frames;
    key.smallest = std::min(key.smallest, value);
    key.largest = std::max(key.largest, value);
    key.largest_per_atom = std::max(key.largest_per_atom, std::abs(value) / atoms);
    key.has_fraction = key.has_fraction || value != std::floor(value);
    key.fewest_atoms = std::min(key.fewest_atoms, atoms);
    key.most_atoms = std::max(key.most_atoms, atoms);
  }
}

std::vector<std::string> UnknownScalars::in_every_frame() const {
  std::vector<std::pair<double, std::string>> found;
  for (const auto& [name, key] : keys_) {
    const bool is_constant = key.smallest == key.largest && key.fewest_atoms < key.most_atoms;
    const bool has_size = key.largest_per_atom >= smallest_size && key.largest_per_atom <= largest_size;
    if (key.frames == frames_ && key.has_fraction && has_size && !is_constant) found.emplace_back(key.largest_per_atom, name);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> names;
  for (const auto& [size, name] : found) names.push_back(name);
  return names;
}

}  // namespace gapkit
