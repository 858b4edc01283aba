/// Runs molecular dynamics with a model and compares its forces with the built-in Stillinger-Weber potential on the way.
///
///     verify_md MODEL.h5 START.xyz TEMPERATURE_K TIME_PS [SEED] [TIME_STEP_FS]
///
/// One line per ps: time, temperature, force RMSE against the potential (eV/Å), ZMS of the predicted error bars; then the whole.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/predict/predictor.hpp>

namespace {

struct Sums {
  double error = 0, z = 0, z_epistemic = 0, count = 0;
  double rmse() const { return std::sqrt(error / count); }
};

void print(const char* name, double ps, double kelvin, const Sums& s) {
  std::printf("%-6s %8.2f ps %8.0f K   force RMSE %.4f eV/Å   ZMS %.3f (epistemic alone %.3g)\n", name, ps, kelvin, s.rmse(), s.z / s.count,
              s.z_epistemic / s.count);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gapkit;
  if (argc < 5) {
    std::fprintf(stderr, "usage: verify_md MODEL.h5 START.xyz TEMPERATURE_K TIME_PS [SEED] [TIME_STEP_FS]\n");
    return 2;
  }
  Predictor predictor(std::make_shared<const Model>(load_model(argv[1])));
  const auto potential = make_potential("stillinger_weber");
  MdOptions options;
  options.ensemble = Ensemble::nvt;
  options.temperature = std::atof(argv[3]);
  options.friction_time = 100;
  options.time_step = argc > 6 ? std::atof(argv[6]) : 1.0;
  const double length = std::atof(argv[4]);
  MdState state = initial_state(read_extxyz(argv[2]).at(0), options.temperature, argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 1);
  const auto steps = static_cast<int>(std::lround(1000 / options.time_step));  // of a ps
  Sums all;
  for (int ps = 1; ps <= length; ++ps) {
    Sums some;
    for (int part = 0; part < 4; ++part) {
      advance(state, options, forces_of(predictor), steps / 4);
      const Prediction p = predictor.compute(state.structure, {.force_std = true});
      const Positions truth = evaluate(*potential, state.structure).forces;
      for (Eigen::Index i = 0; i < truth.size(); ++i) {
        const double square = std::pow(p.forces->data()[i] - truth.data()[i], 2);
        for (Sums* s : {&some, &all}) {
          s->error += square;
          s->z += square / std::pow(p.forces_std->data()[i], 2);
          s->z_epistemic += square / std::pow(p.forces_std_epistemic->data()[i], 2);
          s->count += 1;
        }
      }
    }
    print("", ps, temperature(state), some);
  }
  print("all", length, temperature(state), all);
}
