// Energy and force of two atoms at several distances under a fitted model, with the energy's error bar.
//
//     predict_dimer silicon.h5 Si 2.0 2.4 2.8

#include <cstdlib>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/predict/predictor.hpp>
#include <iostream>

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: predict_dimer MODEL.h5 ELEMENT DISTANCE...\n";
    return 2;
  }
  try {
    gapkit::Predictor predictor(std::make_shared<const gapkit::Model>(gapkit::load_model(argv[1])));
    gapkit::Structure dimer;  // no cell: a molecule
    dimer.atomic_numbers.assign(2, gapkit::atomic_number(argv[2]));
    dimer.positions = gapkit::Positions::Zero(2, 3);
    std::cout << "distance (Å)   energy (eV)   epistemic std (eV)   force on the second atom (eV/Å)\n";
    for (int i = 3; i < argc; ++i) {
      dimer.positions(1, 0) = std::atof(argv[i]);
      const gapkit::Prediction p = predictor.compute(dimer, {.energy_std = true});
      std::cout << argv[i] << "   " << p.energy << "   " << *p.energy_std_epistemic << "   " << (*p.forces)(1, 0) << '\n';
    }
  } catch (const gapkit::InputError& e) {
    std::cerr << "predict_dimer: " << e.what() << '\n';
    return 2;
  }
}
