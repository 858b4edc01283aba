#include "convert/gap_fit_sigmas.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gapkit {
namespace {

constexpr std::array shown = {"energy", "forces", "virial"};  // in data.use
constexpr std::array keys_of_toml = {"energy", "force", "virial"};

}  // namespace

GapFitSigmas::GapFitSigmas(const QuipOption& standard, const std::optional<QuipOption>& types) : option_(standard) {
  const std::vector<std::string> numbers = quip_list(standard.value.value_or(""));
  std::size_t good = 0;
  for (const std::string& word : numbers)
    if (const auto number = quip_number(word); number && good < 4) standard_[good++] = *number;
  if (good != numbers.size() || good < 3)
    throw InputError(fmt::format("gap_fit command line: {}: expected 4 numbers (energy, force, virial, Hessian)", option_text(standard)));
  if (!types) return;
  const std::vector<std::string> words = gap_fit_list(types->value.value_or(""));
  if (words.size() % 5 != 0)
    throw InputError(fmt::format(
        "gap_fit command line: config_type_sigma has {} parts, expected groups of 5 (type:energy:force:virial:Hessian)", words.size()));
  for (std::size_t i = 0; i < words.size(); i += 5) {
    Sigma sigma{};
    for (std::size_t k = 0; k < 4; ++k) {
      const auto number = quip_number(words[i + k + 1]);
      if (!number) throw InputError(fmt::format("gap_fit command line: config_type_sigma: '{}' is not a number", words[i + k + 1]));
      sigma[k] = *number;
    }
    if (!types_.emplace(words[i], sigma).second)
      throw InputError(fmt::format("gap_fit command line: config_type_sigma names '{}' twice", words[i]));
  }
  if (const auto other = types_.find("default"); other != types_.end()) {
    is_replaced_ = true;
    standard_ = other->second;
    types_.erase(other);
  }
}

void GapFitSigmas::look_at(const GapFitData& data, const std::array<std::set<std::string>, 3>& keys) {
  found_["default"] = {};
  for (const auto& [type, there] : data.keys_of_type)
    for (std::size_t p = 0; p < keys.size(); ++p)
      for (const std::string& key : keys[p]) {
        bool& found = found_[types_.count(type) > 0 ? type : "default"][p];
        found = found || there.count(key) > 0;
      }
}

bool GapFitSigmas::is_needed(const std::string& type, std::size_t property) const {
  if (found_.empty()) return true;
  const auto found = found_.find(type);
  return found != found_.end() && found->second[property];
}

void GapFitSigmas::write_use(const std::array<bool, 3>& has, GapFitLines& out) const {
  if (is_replaced_) out.note(option_, "config_type_sigma names 'default', which replaces it");
  std::string use;
  for (std::size_t p = 0; p < shown.size(); ++p) {
    if (!has[p]) continue;
    if (standard_[p] > 0 || !is_needed("default", p))
      use += fmt::format("{}\"{}\"", use.empty() ? "" : ", ", shown[p]);
    else
      out.refuse(option_, fmt::format("a sigma of {} for {}: gapkit's are above 0, and gap_fit stops where the data have {}", standard_[p],
                                      shown[p], shown[p]));
  }
  if (use.empty()) throw InputError(fmt::format("gap_fit command line: {}: all sigma are 0", option_text(option_)));
  out.line("use", "[" + use + "]");
}

void GapFitSigmas::write_lines(const Sigma& sigma, const std::string& type, GapFitLines& out) const {
  for (std::size_t p = 0; p < keys_of_toml.size(); ++p) {
    if (sigma[p] > 0)
      out.line(keys_of_toml[p], toml_real(sigma[p]));
    else if (type != "default" && is_needed(type, p))
      out.refuse({"config_type_sigma " + type, fmt::format("{}", fmt::join(sigma, ":"))},
                 fmt::format("a sigma of {}: gapkit's are above 0, and gap_fit stops where the data have {}", sigma[p], shown[p]));
  }
}

void GapFitSigmas::write(const std::optional<bool>& per_atom, GapFitLines& out) const {
  out.header("[regularization]");
  write_lines(standard_, "default", out);
  if (standard_[3] > 0) out.note(option_, "the fourth number is for Hessians, which gapkit does not fit");
  if (per_atom) out.line("scale_with_atoms", *per_atom ? "true" : "false");
  for (const auto& [type, sigma] : types_) {
    out.header(fmt::format("[regularization.config_type.{}]", toml_name(type)));
    write_lines(sigma, type, out);
  }
}

}  // namespace gapkit
