/// Trains networks of growing width on energies of a few structures and compares them with regression by their tangent kernel
/// (docs/unity.md).
///
///     bench_unity FRAMES.xyz PAGE.html [MODEL.h5] [MOST_WIDTH] [SEEDS]
///
/// 20 structures of the config type diamond_rattle8 are trained on, the next 10 are predicted. The features are those of the last term of
/// MODEL.h5 (symmetry functions of a Behler-Parrinello potential), else of a small SOAP, with mean 0 and variance 1. Every table is
/// printed; PAGE.html has the plots.

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/potentials/pair_sums.hpp>
#include <gapkit/report/html.hpp>

#include "support/neural_kernels.hpp"
#include "support/wide_network.hpp"

namespace {

using namespace gapkit;
using namespace gapkit::test;

constexpr int train_structures = 20, test_structures = 10;
constexpr double sigma = 0.2;  // eV, of an energy

/// Features of structures with mean 0 and variance 1, and their derivatives.
class Inputs {
 public:
  Inputs(std::shared_ptr<const Descriptor> descriptor, std::vector<Structure> structures)
      : descriptor_(std::move(descriptor)), structures_(std::move(structures)) {
    for (int s = 0; s < train_structures; ++s) train_.add(features_of(static_cast<std::size_t>(s)));
    mean_ = train_.x.colwise().mean();
    const Vector deviation = (train_.x.rowwise() - mean_).colwise().squaredNorm().transpose() / static_cast<double>(train_.x.rows());
    inverse_ = deviation.unaryExpr([](double square) { return square > 1e-14 ? 1 / std::sqrt(square) : 0; }).transpose();
    train_.x = scaled(train_.x);
    for (std::size_t s = train_structures; s < structures_.size(); ++s) test_.add(scaled(features_of(s)));
  }

  const NetworkInputs& train() const { return train_; }
  const NetworkInputs& test() const { return test_; }
  Eigen::Index size() const { return inverse_.size(); }

  /// Forces on the atoms of the test structures for gradients of the energy by the scaled features.
  Vector test_forces(const Matrix& gradient) const {
    std::vector<double> all;
    for (std::size_t s = train_structures; s < structures_.size(); ++s) {
      const Structure& structure = structures_[s];
      const std::size_t k = s - train_structures;
      const Matrix own = gradient.middleRows(test_.first[k], test_.first[k + 1] - test_.first[k]) * inverse_.asDiagonal();
      const StructureEnvironments environments(structure, descriptor_->cutoff());
      Features features;
      descriptor_->compute(environments.view(), 0, structure.size(), Derivatives::pullback, features);
      std::vector<Vector3> dE_dr(environments.view().neighbor.size(), Vector3::Zero());
      const std::vector<double> none(static_cast<std::size_t>(features.size()), 0.0);
      descriptor_->pullback(environments.view(), 0, structure.size(), features, {own, none}, dE_dr);
      Positions forces = Positions::Zero(structure.size(), 3);
      add_pair_forces(environments.view(), dE_dr, forces);
      all.insert(all.end(), forces.data(), forces.data() + forces.size());
    }
    return Eigen::Map<const Vector>(all.data(), static_cast<Eigen::Index>(all.size()));
  }

 private:
  Matrix features_of(std::size_t s) const {
    const StructureEnvironments environments(structures_[s], descriptor_->cutoff());
    Features features;
    descriptor_->compute(environments.view(), 0, structures_[s].size(), Derivatives::none, features);
    return features.x.view();
  }
  Matrix scaled(const Matrix& x) const { return (x.rowwise() - mean_) * inverse_.asDiagonal(); }

  std::shared_ptr<const Descriptor> descriptor_;
  std::vector<Structure> structures_;
  NetworkInputs train_, test_;
  Eigen::RowVectorXd mean_, inverse_;
};

/// Energies and forces of the test structures.
struct Means {
  Vector energy, force;
};

/// Regression with a kernel of the program: exact, with all training environments.
Means regression(const Inputs& inputs, const Kernel& kernel, const Vector& y, bool has_forces) {
  const NetworkInputs &train = inputs.train(), &test = inputs.test();
  const auto covariance = [&](const NetworkInputs& a, const NetworkInputs& b) {
    Matrix k(a.x.rows(), b.x.rows());
    kernel.compute(a.x, b.x, k);
    return summed(k, a, b);
  };
  Matrix noisy = covariance(train, train);
  noisy.diagonal().array() += sigma * sigma;
  if (!cholesky(noisy)) throw NumericalError("the covariance of the training energies is not positive definite");
  const Vector of_structures = solve_lower_transposed(noisy, solve_lower(noisy, y));
  Means result{covariance(test, train) * of_structures, {}};
  if (!has_forces) return result;
  const Vector weights = spread(of_structures, train);
  const auto energy = kernel.compile(weights, train.x);
  std::vector<double> local(static_cast<std::size_t>(test.x.rows()));
  Matrix gradient(test.x.rows(), test.x.cols());
  MatrixSlice slice = gradient;
  energy->compute(test.x, local, &slice);
  result.force = inputs.test_forces(gradient);
  return result;
}

struct Line {
  std::string name;
  std::vector<double> width, energy, force, linearised, change;
};

double slope_of(const std::vector<double>& width, const std::vector<double>& deviation) {
  double x = 0, y = 0, xx = 0, xy = 0;
  const double n = static_cast<double>(width.size());
  for (std::size_t i = 0; i < width.size(); ++i) {
    const double a = std::log(width[i]), b = std::log(deviation[i]);
    x += a / n;
    y += b / n;
    xx += a * a / n;
    xy += a * b / n;
  }
  return (xy - x * y) / (xx - x * x);
}

class Study {
 public:
  Study(const Inputs& inputs, Vector y, int most_width, int seeds) : inputs_(inputs), y_(std::move(y)), most_(most_width), seeds_(seeds) {}

  Line widths(const std::string& activation, int depth) const {
    Line line{fmt::format("{}, {} layer{}", activation, depth, depth > 1 ? "s" : ""), {}, {}, {}, {}, {}};
    const double scale = 1 / static_cast<double>(inputs_.size());
    const bool has_forces = activation != "relu";  // whose kernel has a cusp
    const Means limit =
        regression(inputs_, *neural_kernel({.activation = activation, .depth = depth, .input_scale = scale}), y_, has_forces);
    fmt::print("\n{}\n  width  networks  energy   force    own linearisation  |w-w0|/|w0|\n", line.name);
    for (int width = 64; width <= most_; width *= 2) {
      const int networks = std::max(2, std::min(seeds_, seeds_ * 512 / (width * depth)));
      double energy = 0, force = 0, linearised = 0, change = 0;
      for (int seed = 1; seed <= networks; ++seed) {
        const NetworkShape shape{activation, depth, width, 1.5, 0.1, scale};
        NetworkFit fit(WideNetwork(shape, inputs_.size(), static_cast<std::uint64_t>(10000 * width + seed)), inputs_.train(), y_, sigma);
        fit.gauss_newton(20);
        const Vector predicted = fit.predict(inputs_.test());
        energy += std::pow(relative_deviation(predicted, limit.energy), 2) / networks;
        if (has_forces)
          force += std::pow(relative_deviation(inputs_.test_forces(fit.input_gradient(inputs_.test().x)), limit.force), 2) / networks;
        linearised += std::pow(relative_deviation(predicted, fit.predict_linearised(inputs_.test())), 2) / networks;
        change += std::pow(fit.relative_change(), 2) / networks;
      }
      line.width.push_back(width);
      line.energy.push_back(std::sqrt(energy));
      if (has_forces) line.force.push_back(std::sqrt(force));
      line.linearised.push_back(std::sqrt(linearised));
      line.change.push_back(std::sqrt(change));
      fmt::print("{:7d}  {:8d}  {:.4f}  {:>6}   {:.5f}            {:.4f}\n", width, networks, line.energy.back(),
                 has_forces ? fmt::format("{:.4f}", line.force.back()) : "-", line.linearised.back(), line.change.back());
      std::fflush(stdout);
    }
    fmt::print("  slope            {:6.2f}  {:>6}   {:6.2f}             {:6.2f}\n", slope_of(line.width, line.energy),
               has_forces ? fmt::format("{:.2f}", slope_of(line.width, line.force)) : "-", slope_of(line.width, line.linearised),
               slope_of(line.width, line.change));
    return line;
  }

  /// The end of full-batch gradient descent against that of Gauss-Newton.
  void descent() const {
    fmt::print("\nfull-batch gradient descent against Gauss-Newton (gelu, 1 layer): relative difference of the predictions\n");
    for (const int width : {64, 128}) {
      const NetworkShape shape{"gelu", 1, width, 1.5, 0.1, 1 / static_cast<double>(inputs_.size())};
      NetworkFit newton(WideNetwork(shape, inputs_.size(), 7), inputs_.train(), y_, sigma);
      NetworkFit plain = newton;
      newton.gauss_newton(30);
      const Vector expected = newton.predict(inputs_.test());
      fmt::print("  width {:4d}:", width);
      for (const int steps : {300, 700, 2000}) {
        plain.gradient_descent(steps);
        fmt::print("  +{} steps {:.1e}", steps, relative_deviation(plain.predict(inputs_.test()), expected));
      }
      fmt::print("\n");
      std::fflush(stdout);
    }
  }

 private:
  const Inputs& inputs_;
  Vector y_;
  int most_, seeds_;
};

void print_shares() {
  fmt::print("\nshares of ζ = 0, 1, 2, ... on unit vectors, in %\n");
  for (const auto& [activation, weight, bias] : {std::tuple("erf", 2.0, 0.0), std::tuple("gelu", 2.0, 0.1), std::tuple("gelu", 1.5, 0.1)})
    for (const std::string name : {"ntk", "nngp"})
      for (const int depth : {1, 2, 3}) {
        const auto kernel = neural_kernel({name, activation, depth, weight, bias, 1});
        fmt::print("{:5} {:5} w_v {:.1f} b_v {:.1f} L {} ", name, activation, weight, bias, depth);
        double rest = 1;
        for (const double share : zeta_shares(*kernel, 8)) {
          fmt::print(" {:5.1f}", std::abs(100 * share));
          rest -= share;
        }
        fmt::print("  rest {:.1f}\n", 100 * rest);
      }
}

Plot plot_of(const std::string& title, const std::vector<Line>& lines, std::vector<double> Line::*deviation, double slope) {
  Plot plot(title, "Relative root mean square deviation of predictions against the width of the network, logarithmic axes.");
  plot.x = {.label = "width n", .logarithmic = true};
  plot.y = {.label = "relative deviation", .logarithmic = true};
  int colour = 0;
  for (const Line& line : lines) {
    const int own_colour = colour++;
    if (!(line.*deviation).empty()) plot.line(line.name, line.width, line.*deviation, {.colour = own_colour}, true);
  }
  const std::vector<double>& width = lines[0].width;
  std::vector<double> theory;
  for (const double n : width) theory.push_back((lines[0].*deviation)[0] * std::pow(n / width[0], slope));
  plot.line(fmt::format("n^{}", slope), width, theory, {.colour = -1, .dashed = true});
  return plot;
}

std::vector<Structure> structures_of(const std::string& path) {
  std::vector<Structure> result;
  for (Structure& structure : read_extxyz(path)) {
    assign_targets(structure, {});
    if (structure.config_type == "diamond_rattle8" && static_cast<int>(result.size()) < train_structures + test_structures)
      result.push_back(std::move(structure));
  }
  if (static_cast<int>(result.size()) < train_structures + test_structures)
    throw InputError(fmt::format("{}: {} structures of config type diamond_rattle8, expected {}", path, result.size(),
                                 train_structures + test_structures));
  return result;
}

std::shared_ptr<const Descriptor> descriptor_of(const char* model_path) {
  if (model_path != nullptr) return load_model(model_path).terms.back().descriptor;
  const DescriptorKind& kind = descriptor_kind("soap");
  const Parameters parameters = complete_parameters(
      {{"cutoff", 5.0}, {"cutoff_width", 0.5}, {"n_max", std::int64_t{4}}, {"l_max", std::int64_t{3}}, {"atom_sigma", 0.5}},
      kind.parameters, "bench_unity");
  return kind.make(parameters, {14}, {14});
}

void run(int argc, char** argv) {
  const auto structures = structures_of(argv[1]);
  const bool has_model = argc > 3 && std::string(argv[3]) != "-";
  const Inputs inputs(descriptor_of(has_model ? argv[3] : nullptr), structures);
  Vector y(train_structures);
  for (int s = 0; s < train_structures; ++s) y[s] = structures[static_cast<std::size_t>(s)].energy.value();
  y.array() -= y.mean();
  fmt::print("{} features, {} training structures of {} atoms, {} test structures, σ {} eV\n", inputs.size(), train_structures,
             structures[0].size(), inputs.test().structures(), sigma);
  print_shares();
  const Study study(inputs, y, argc > 4 ? std::atoi(argv[4]) : 4096, argc > 5 ? std::atoi(argv[5]) : 32);
  study.descent();
  std::vector<Line> lines;
  for (const auto& [activation, depth] :
       {std::pair("gelu", 1), std::pair("erf", 1), std::pair("relu", 1), std::pair("gelu", 2), std::pair("erf", 2)})
    lines.push_back(study.widths(activation, depth));
  Page page("Networks and kernels", fmt::format("{} features, {} training structures", inputs.size(), train_structures));
  page.section("Width", "Trained networks against regression with the neural tangent kernel.");
  page.figure(plot_of("Energies, from the limit", lines, &Line::energy, -0.5), "Deviation of energies from regression with the kernel.");
  page.figure(plot_of("Forces, from the limit", lines, &Line::force, -0.5), "The same of forces, trained on energies only.");
  page.figure(plot_of("Energies, from the own linearisation", lines, &Line::linearised, -1),
              "Deviation from regression with the tangent kernel of the network's own initial weights.");
  std::ofstream(argv[2]) << page.html();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: bench_unity FRAMES.xyz PAGE.html [MODEL.h5 or -] [MOST_WIDTH] [SEEDS]\n");
    return 2;
  }
  try {
    run(argc, argv);
  } catch (const Error& error) {
    fmt::print(stderr, "bench_unity: {}\n", error.what());
    return 2;
  }
  return 0;
}
