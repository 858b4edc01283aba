#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/io/checksum.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/bound_fields.hpp>
#include <gapkit/model/field_values.hpp>
#include <mutex>

namespace gapkit {
namespace {

std::string fingerprint_of(const FittedProperty& property) {
  const Model& field = *property.field;
  Checksum sum;
  if (property.equilibration)
    for (const auto* values : {&property.equilibration->widths, &property.equilibration->hardness})
      for (const auto& [z, value] : *values) sum.add(value);
  for (const auto& [z, mean] : field.reference_energies) {
    sum.add(static_cast<std::int64_t>(z));
    sum.add(mean);
  }
  for (const Term& term : field.terms) {
    sum.add(term.label() + parameters_to_json(term.descriptor->parameters()) + parameters_to_json(term.kernel->parameters()));
    sum.add(term.delta);
    for (Eigen::Index i = 0; i < term.sparse.x.size(); ++i) sum.add(term.sparse.x.data()[i]);
  }
  for (const double weight : field.weights) sum.add(weight);
  return std::to_string(sum.value());
}

/// Objects that compute a property, one for each call at a time: they own scratch memory.
class Workers {
 public:
  explicit Workers(FittedProperty property) : property_(std::move(property)) {}

  const FittedProperty& property() const { return property_; }

  /// Goes back when the last pointer goes. `self` keeps the pool alive.
  static std::shared_ptr<FieldValues> take(const std::shared_ptr<Workers>& self) {
    std::unique_ptr<FieldValues> free;
    {
      const std::lock_guard lock(self->mutex_);
      if (!self->free_.empty()) {
        free = std::move(self->free_.back());
        self->free_.pop_back();
      }
    }
    if (!free) free = std::make_unique<FieldValues>(self->property_);
    return {free.release(), [self](FieldValues* used) {
              std::unique_ptr<FieldValues> owned(used);
              const std::lock_guard lock(self->mutex_);
              self->free_.push_back(std::move(owned));
            }};
  }

 private:
  FittedProperty property_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<FieldValues>> free_;
};

class FittedField final : public AtomField {
 public:
  explicit FittedField(const FittedProperty& property)
      : workers_(std::make_shared<Workers>(property)), fingerprint_(fingerprint_of(property)) {}

  AtomValues compute(const Structure& structure, bool derivatives) const override {
    const std::shared_ptr<FieldValues> worker = Workers::take(workers_);
    const auto environments = std::make_shared<const StructureEnvironments>(structure, worker->cutoff());
    AtomValues result;
    result.values = worker->compute(environments->view(), structure.size(), derivatives, structure.place());
    if (derivatives)
      result.pull_back = [worker, environments](std::span<const double> slopes, Positions& forces, Matrix3& virial) {
        worker->add_pullback(environments->view(), slopes, forces, virial);
      };
    return result;
  }

  const std::string& total_key() const override {
    static const std::string usual = "total_charge";
    const std::string& given = workers_->property().keys.total;
    return given.empty() ? usual : given;
  }
  std::string fingerprint() const override { return fingerprint_; }
  const Equilibration* equilibration() const override {
    const std::optional<Equilibration>& given = workers_->property().equilibration;
    return given ? &*given : nullptr;
  }

 private:
  std::shared_ptr<Workers> workers_;
  std::string fingerprint_;
};

}  // namespace

AtomFieldPointer field_of(const FittedProperty& property) {
  return std::make_shared<FittedField>(property);
}

void bind_fields(std::vector<PotentialPointer>& potentials, std::span<const FittedProperty> properties, const std::string& where) {
  for (PotentialPointer& potential : potentials) {
    const std::string name = missing_property(*potential);
    if (name.empty()) continue;
    const auto found = std::find_if(properties.begin(), properties.end(), [&](const FittedProperty& p) { return p.keys.name == name; });
    if (found == properties.end())
      throw InputError(
          fmt::format("{}the part '{}' takes the property '{}', which the model does not have", where, potential->name(), name));
    potential = field_dependence(*potential)->with_field(field_of(*found));
  }
}

}  // namespace gapkit
