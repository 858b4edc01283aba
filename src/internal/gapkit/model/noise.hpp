#pragma once

#include <gapkit/core/structure.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// The σ_n that a row of the structure brings with it: eV, eV/Å, eV; absent if it has that of its class. `row` counts from 0 within the
/// property.
std::optional<double> own_sigma(const Structure& structure, Property property, int row = 0);

/// The key or column that own_sigma() comes from, for messages: "force_atom_sigma".
std::string own_sigma_key(const Structure& structure, Property property);

/// Root mean square of σ_n/h_n over the rows of a property that brought a σ of their own; 0 if there are none.
double own_noise(const std::vector<NoiseRecord>& records, Property property);

/// The noise of rows without a σ of their own, and where it comes from (methods.md, section 5).
struct NoiseLevel {
  enum class Origin {
    none,        ///< no row of the property was fitted (or the model was made before these were counted): σ = 0
    class_rows,  ///< σ_g of the class, which at least half of the rows were fitted with
    given_rows   ///< root mean square of σ_n/h_n over the training rows: of the config type, else of all of the property
  };
  Origin origin = Origin::none;
  double sigma = 0;  ///< σ_n/h_n: eV, eV/Å, eV
};
NoiseLevel noise_level(const Model& model, Property property, const std::string& config_type);

/// σ_n of the rows of a property of a structure, [TargetInfo::row_count()]: its own σ if the structure brings one, else noise_level() times
/// h.
std::vector<double> row_noise(const Model& model, Property property, const Structure& structure);

}  // namespace gapkit
