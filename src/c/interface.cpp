#include <gapkit.h>

#include <algorithm>
#include <array>
#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/fewer_points.hpp>
#include <new>

#include "c/evaluator.hpp"

struct gapkit_model {
  gapkit::c::Evaluator evaluator;
};

namespace {

using gapkit::c::Failure;
using gapkit::c::read_argument;
using gapkit::c::require_pointer;

// Without allocation, so that it can report lack of memory.
thread_local std::array<char, 4096> last_message = {};

int fail(int code, std::string_view message) {
  std::size_t length = std::min(message.size(), last_message.size() - 1);
  while (length < message.size() && length > 0 && (static_cast<unsigned char>(message[length]) & 0xC0) == 0x80)
    --length;  // whole characters
  std::copy_n(message.begin(), length, last_message.begin());
  last_message[length] = '\0';
  return code;
}

// Calls `action`; exceptions become error codes.
template <class Action>
int guarded(int code_of_input_errors, Action&& action) noexcept {
  try {
    action();
    return GAPKIT_OK;
  } catch (const Failure& e) {
    return fail(e.code(), e.what());
  } catch (const gapkit::InputError& e) {
    return fail(code_of_input_errors, e.what());
  } catch (const gapkit::NumericalError& e) {
    return fail(GAPKIT_ERROR_NUMERICAL, e.what());
  } catch (const std::bad_alloc&) {
    return fail(GAPKIT_ERROR_MEMORY, "not enough memory");
  } catch (const std::exception& e) {
    return fail(GAPKIT_ERROR_INTERNAL, e.what());
  } catch (...) {
    return fail(GAPKIT_ERROR_INTERNAL, "an exception of unknown type");
  }
}

template <class Action>
int guarded(Action&& action) noexcept {
  return guarded(GAPKIT_ERROR_INPUT, std::forward<Action>(action));
}

}  // namespace

const char* gapkit_version(void) {
  return gapkit::version;
}

int gapkit_interface(void) {
  return GAPKIT_INTERFACE;
}

const char* gapkit_error_message(void) {
  return last_message.data();
}

int gapkit_load(const char* path, int interface_version, gapkit_model** model) {
  return guarded(GAPKIT_ERROR_FILE, [&] {
    require_pointer(model, "model");
    *model = nullptr;
    require_pointer(path, "path");
    if (interface_version != GAPKIT_INTERFACE)
      throw Failure(GAPKIT_ERROR_VERSION, "the program was compiled for version " + std::to_string(interface_version) +
                                              " of the interface, this library (gapkit " + gapkit::version + ") has version " +
                                              std::to_string(GAPKIT_INTERFACE) + ": compile the program with its gapkit.h");
    auto loaded = std::make_shared<const gapkit::Model>(gapkit::load_any_model(path));
    *model = new gapkit_model{gapkit::c::Evaluator(std::move(loaded))};
  });
}

int gapkit_share(const gapkit_model* model, gapkit_model** another) {
  return guarded([&] {
    require_pointer(another, "another");
    *another = nullptr;
    require_pointer(model, "model");
    *another = new gapkit_model{gapkit::c::Evaluator(model->evaluator)};
  });
}

void gapkit_free(gapkit_model* model) {
  delete model;
}

double gapkit_cutoff(const gapkit_model* model) {
  return model != nullptr ? model->evaluator.model().cutoff() : 0;
}

int gapkit_elements(const gapkit_model* model, int* atomic_numbers, int capacity) {
  if (model == nullptr) return 0;
  int count = 0;
  for (const auto& [element, e0] : model->evaluator.model().reference_energies) {
    if (atomic_numbers != nullptr && count < capacity) atomic_numbers[count] = element;
    ++count;
  }
  return count;
}

int gapkit_has_error_bars(const gapkit_model* model) {
  return model != nullptr && model->evaluator.model().has_posterior() ? 1 : 0;
}

int gapkit_has_extrapolation(const gapkit_model* model) {
  return model != nullptr && model->evaluator.model().has_extrapolation() ? 1 : 0;
}

int gapkit_has_base(const gapkit_model* model) {
  return model != nullptr && model->evaluator.model().base.is_used() ? 1 : 0;
}

const char* gapkit_base(const gapkit_model* model) {
  return model != nullptr ? model->evaluator.base().c_str() : "";
}

int gapkit_set_difference(gapkit_model* model, int is_wanted) {
  return guarded([&] {
    require_pointer(model, "model");
    model->evaluator.set_difference(is_wanted != 0);
  });
}

int gapkit_set_skin(gapkit_model* model, double skin) {
  return guarded([&] {
    require_pointer(model, "model");
    model->evaluator.set_skin(skin);
  });
}

int gapkit_set_error_bar_points(gapkit_model* model, int points) {
  return guarded([&] {
    require_pointer(model, "model");
    model->evaluator.set_error_bar_points(points);
  });
}

int gapkit_quick_points(const gapkit_model* model) {
  return model != nullptr ? gapkit::quick_points(model->evaluator.model()) : 0;
}

int gapkit_set_calibration(gapkit_model* model, int is_used) {
  return guarded([&] {
    require_pointer(model, "model");
    model->evaluator.set_calibration(is_used != 0);
  });
}

int gapkit_set_precision(gapkit_model* model, int precision) {
  return guarded([&] {
    require_pointer(model, "model");
    model->evaluator.set_precision(precision);
  });
}

int gapkit_set_threads(int threads) {
  return guarded([&] {
    if (threads < 1) throw Failure(GAPKIT_ERROR_INPUT, "threads is " + std::to_string(threads) + ", expected 1 or more");
    gapkit::set_thread_count(threads);
  });
}

int gapkit_evaluate(gapkit_model* model, const gapkit_structure* structure, const gapkit_results* results) {
  return guarded([&] {
    require_pointer(model, "model");
    model->evaluator.evaluate(read_argument(structure, "structure"), read_argument(results, "results"));
  });
}

int gapkit_evaluate_environments(gapkit_model* model, const gapkit_environments* environments, const gapkit_results* results) {
  return guarded([&] {
    require_pointer(model, "model");
    model->evaluator.evaluate(read_argument(environments, "environments"), read_argument(results, "results"));
  });
}
