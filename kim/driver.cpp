// Routines of the KIM API: gapkit's models in all programs that read KIM models (docs/kim.md).
#include <KIM_ComputeArgumentName.hpp>
#include <KIM_LogVerbosity.hpp>
#include <KIM_ModelDriverHeaders.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "model.hpp"

namespace {

using gapkit_kim::Failure;
using gapkit_kim::Model;

/// Calls `action`; an exception becomes an entry of the log of the KIM API and a line on stderr: many programs show only that a model
/// failed. True after an error, as in all routines of the KIM API.
template <class Logger, class Action>
int guarded(const Logger& logger, Action&& action) noexcept {
  try {
    action();
    return false;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gapkit: error: %s\n", e.what());
    logger.LogEntry(KIM::LOG_VERBOSITY::error, e.what(), __LINE__, __FILE__);
  } catch (...) {
    std::fputs("gapkit: error: an exception of unknown type\n", stderr);
  }
  return true;
}

/// Units of the simulator in eV or Å.
double unit(const KIM::LengthUnit& length, const KIM::EnergyUnit& energy, double length_power, double energy_power) {
  double factor = 0;
  if (KIM::ModelDriverCreate::ConvertUnit(KIM::LENGTH_UNIT::A, KIM::ENERGY_UNIT::eV, KIM::CHARGE_UNIT::e, KIM::TEMPERATURE_UNIT::K,
                                          KIM::TIME_UNIT::ps, length, energy, KIM::CHARGE_UNIT::e, KIM::TEMPERATURE_UNIT::K,
                                          KIM::TIME_UNIT::ps, length_power, energy_power, 0, 0, 0, &factor))
    throw Failure("lengths in " + length.ToString() + " and energies in " + energy.ToString() + " cannot be converted from Å and eV");
  return factor;
}

int create_arguments(const KIM::ModelCompute* model, KIM::ModelComputeArgumentsCreate* arguments) {
  return guarded(*model, [&] {
    namespace Name = KIM::COMPUTE_ARGUMENT_NAME;
    for (const KIM::ComputeArgumentName& name :
         {Name::partialEnergy, Name::partialParticleEnergy, Name::partialForces, Name::partialVirial, Name::partialParticleVirial})
      if (arguments->SetArgumentSupportStatus(name, KIM::SUPPORT_STATUS::optional)) throw Failure("the KIM API refuses " + name.ToString());
  });
}

int destroy_arguments(const KIM::ModelCompute*, KIM::ModelComputeArgumentsDestroy*) {
  return false;
}

int compute(const KIM::ModelCompute* model, const KIM::ModelComputeArguments* arguments) {
  return guarded(*model, [&] {
    Model* content = nullptr;
    model->GetModelBufferPointer(reinterpret_cast<void**>(&content));
    content->compute(*arguments);
  });
}

int destroy(KIM::ModelDestroy* model) {
  Model* content = nullptr;
  model->GetModelBufferPointer(reinterpret_cast<void**>(&content));
  delete content;
  return false;
}

void set_routines(KIM::ModelDriverCreate& model) {
  namespace Name = KIM::MODEL_ROUTINE_NAME;
  const auto set = [&](const KIM::ModelRoutineName& name, auto* routine) {
    if (model.SetRoutinePointer(name, KIM::LANGUAGE_NAME::cpp, true, reinterpret_cast<KIM::Function*>(routine)))
      throw Failure("the KIM API refuses the routine " + name.ToString());
  };
  set(Name::ComputeArgumentsCreate, &create_arguments);
  set(Name::ComputeArgumentsDestroy, &destroy_arguments);
  set(Name::Compute, &compute);
  set(Name::Destroy, &destroy);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int gapkit_kim_create(KIM::ModelDriverCreate* model, KIM::LengthUnit length,
                                                                        KIM::EnergyUnit energy, KIM::ChargeUnit, KIM::TemperatureUnit,
                                                                        KIM::TimeUnit) {
  return guarded(*model, [&] {
    if (length == KIM::LENGTH_UNIT::unused) length = KIM::LENGTH_UNIT::A;
    if (energy == KIM::ENERGY_UNIT::unused) energy = KIM::ENERGY_UNIT::eV;
    int count = 0;
    const std::string *folder = nullptr, *name = nullptr;
    model->GetNumberOfParameterFiles(&count);
    model->GetParameterFileDirectoryName(&folder);
    if (count != 1 || model->GetParameterFileBasename(0, &name))
      throw Failure("a portable model of gapkit has one parameter file, this one has " + std::to_string(count));
    const gapkit_kim::ModelFiles files = gapkit_kim::read_model_files(*folder + "/" + *name);
    auto content = std::make_unique<Model>(files, unit(length, energy, 1, 0), unit(length, energy, 0, 1));

    if (model->SetUnits(length, energy, KIM::CHARGE_UNIT::unused, KIM::TEMPERATURE_UNIT::unused, KIM::TIME_UNIT::unused) ||
        model->SetModelNumbering(KIM::NUMBERING::zeroBased))
      throw Failure("the KIM API refuses the units or the numbering of atoms");
    for (const auto& [symbol, number] : files.elements)
      if (model->SetSpeciesCode(KIM::SpeciesName(symbol), number)) throw Failure("the KIM API does not know the element " + symbol);
    set_routines(*model);
    static const int no_neighbors_of_ghosts = 1;
    model->SetInfluenceDistancePointer(content->influence_distance());
    model->SetNeighborListPointers(1, content->cutoff(), &no_neighbors_of_ghosts);
    model->SetModelBufferPointer(content.release());
  });
}
