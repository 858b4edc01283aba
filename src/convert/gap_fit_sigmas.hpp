#pragma once

#include <array>

#include "convert/gap_fit_data.hpp"
#include "convert/gap_fit_lines.hpp"

namespace gapkit {

/// default_sigma and config_type_sigma: energy, force, virial, Hessian.
class GapFitSigmas {
 public:
  /// Throws InputError for options that are not of gap_fit's form.
  GapFitSigmas(const QuipOption& standard, const std::optional<QuipOption>& types);

  /// Names of the keys of energies, forces and virials (stresses) in the data; σ of 0 matter only where frames have one.
  void look_at(const GapFitData& data, const std::array<std::set<std::string>, 3>& keys);

  /// data.use: the properties with `has` that have a σ.
  void write_use(const std::array<bool, 3>& has, GapFitLines& out) const;
  /// The sections [regularization…].
  void write(const std::optional<bool>& per_atom, GapFitLines& out) const;

 private:
  using Sigma = std::array<double, 4>;
  /// True if frames of this type may have the property.
  bool is_needed(const std::string& type, std::size_t property) const;
  void write_lines(const Sigma& sigma, const std::string& type, GapFitLines& out) const;

  QuipOption option_;
  bool is_replaced_ = false;  ///< by the type 'default'
  Sigma standard_{};
  std::map<std::string, Sigma> types_;
  /// Properties that frames have, by config type; "default" for all that config_type_sigma does not name. Empty: unknown.
  std::map<std::string, std::array<bool, 3>> found_;
};

}  // namespace gapkit
