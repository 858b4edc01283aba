#include <fmt/format.h>

#include <gapkit/serve/driver.hpp>

namespace gapkit::serve {
namespace {

/// The state of one conversation.
class Conversation {
 public:
  Conversation(IpiConnection& connection, Committee& committee, KnownAtoms atoms, const DriverOptions& options)
      : connection_(connection), committee_(committee), atoms_(std::move(atoms)), options_(options) {}

  DriverResult run() {
    for (bool has_asked = false;; has_asked = true) {
      switch (connection_.next()) {
        case Request::status:
          connection_.send_state(!is_initialized_   ? DriverState::needs_init
                                 : results_.empty() ? DriverState::ready
                                                    : DriverState::has_data);
          break;
        case Request::init:
          connection_.receive_init();
          is_initialized_ = true;
          break;
        case Request::positions:
          compute();
          break;
        case Request::forces:
          send_results();
          break;
        case Request::exit:
          result_.was_dismissed = true;
          return result_;
        case Request::closed:
          check_closed(has_asked);
          return result_;
      }
    }
  }

 private:
  void compute() {
    const std::string source = fmt::format("structure {} from {}", result_.structures + 1, connection_.peer());
    Matrix3 cell;
    const int count = connection_.receive_cell(cell);
    atoms_.check_count(count, source);
    connection_.receive_positions(count, positions_);
    const Structure& structure = atoms_.structure(cell, positions_, source);
    PhaseClock clock;
    results_ = committee_.compute(structure, options_.request);
    result_.time += clock.lap();
    ++result_.structures;
    if (options_.look_at) options_.look_at(structure, results_);
  }

  void send_results() {
    if (results_.empty())
      throw InputError(fmt::format("{} asked for forces before it had sent positions: is it an i-PI server?", connection_.peer()));
    const Mean mean = mean_of(results_);
    connection_.send_forces(mean.energy, mean.forces, mean.virial, extra_text(results_, options_.extra));
    results_ = {};
  }

  void check_closed(bool has_asked) const {
    if (!has_asked) throw ConnectionLost(fmt::format("{} closed the connection at once: is it an i-PI server?", connection_.peer()));
    if (!results_.empty())
      throw ConnectionLost(
          fmt::format("{} closed the connection before it took the results of structure {}", connection_.peer(), result_.structures));
  }

  IpiConnection& connection_;
  Committee& committee_;
  KnownAtoms atoms_;
  const DriverOptions& options_;
  bool is_initialized_ = false;
  Positions positions_;
  std::span<const Prediction> results_;  // not yet collected
  DriverResult result_;
};

}  // namespace

KnownAtoms::KnownAtoms(Structure frame)
    : structure_(std::move(frame)), frame_(structure_.source), has_periodicity_(structure_.cell.has_value()) {}

KnownAtoms::KnownAtoms(int element) : element_(element) {}

void KnownAtoms::check_count(int atoms, const std::string& source) const {
  if (element_ == 0 && atoms != structure_.size())
    throw InputError(
        fmt::format("{} has {} atoms, the template has {} ({}): the template must hold the atoms of the simulation in the same "
                    "order",
                    source, atoms, structure_.size(), frame_));
}

const Structure& KnownAtoms::structure(const Matrix3& cell, const Positions& positions, const std::string& source) {
  structure_.source = source;
  structure_.positions = positions;
  if (element_ != 0) structure_.atomic_numbers.assign(static_cast<std::size_t>(positions.rows()), element_);
  if (!has_periodicity_)
    for (int d = 0; d < 3; ++d) structure_.pbc[static_cast<std::size_t>(d)] = !cell.row(d).isZero(0);
  const bool is_periodic = structure_.pbc[0] || structure_.pbc[1] || structure_.pbc[2];
  structure_.cell.reset();
  if (is_periodic || !cell.isZero(0)) structure_.cell = cell;  // zeros are the cell of a molecule
  return structure_;
}

DriverResult drive(IpiConnection& connection, Committee& committee, KnownAtoms atoms, const DriverOptions& options) {
  return Conversation(connection, committee, std::move(atoms), options).run();
}

}  // namespace gapkit::serve
