#include "energy_differences.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "closeness_warning.hpp"
#include "text_file.hpp"

namespace gapkit::apps {

void print_energy_differences(const DifferenceArguments& arguments, Predictor& predictor, ProgressDisplay& display) {
  ClosenessWarning closeness;
  ExtxyzReader first(arguments.first), second(arguments.second);
  auto json = nlohmann::ordered_json::array();
  std::string table = fmt::format("{:>6}  {:>14}  {:>10}  {:>14}\n", "frame", "E(B) - E(A) eV", "std eV", "epistemic eV");
  while (true) {
    std::optional<Structure> a = first.next(), b = second.next();
    if (!a && !b) break;
    if (!a || !b)
      throw InputError(fmt::format("--difference: {} has {} frames, {} has more; they are compared frame by frame",
                                   a ? arguments.second : arguments.first, (a ? second : first).frame_count(),
                                   a ? arguments.first : arguments.second));
    for (Structure* frame : {&*a, &*b}) assign_base(*frame, predictor.model().base);
    const EnergyDifference d = predictor.difference(*a, *b, arguments.calibrated, true);
    closeness.look_at(a->source, d.closeness_a, d.is_finite_a);
    closeness.look_at(b->source, d.closeness_b, d.is_finite_b);
    if (d.is_finite()) {
      table += fmt::format("{:6}  {:14.6f}  {:10.6f}  {:14.6f}\n", first.frame_count(), d.energy, d.std, d.std_epistemic);
      json.push_back({{"frame", first.frame_count()}, {"energy", d.energy}, {"std", d.std}, {"std_epistemic", d.std_epistemic}});
    } else {
      table += fmt::format("{:6}  {:>14}  {:>10}  {:>14}\n", first.frame_count(), "not finite", "-", "-");
      json.push_back({{"frame", first.frame_count()}, {"energy", nullptr}, {"std", nullptr}, {"std_epistemic", nullptr}});
    }
  }
  if (json.empty()) throw InputError(fmt::format("{}: the file holds no frames", arguments.first));
  if (arguments.json) write_text_file(*arguments.json, json.dump(2) + "\n");
  if (closeness.is_needed()) display.warning(closeness.text());
  std::cout << table << std::flush;
  closeness.finish(display, "their differences are left out");
}

}  // namespace gapkit::apps
