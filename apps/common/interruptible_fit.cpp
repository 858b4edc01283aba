#include "interruptible_fit.hpp"

#include <fmt/format.h>

#include "fitted_file.hpp"
#include "interruption.hpp"

namespace gapkit::apps {

FitResult fit_interruptibly(const FitData& data, const FitConfiguration& options, ProgressDisplay& display) {
  catch_signals();
  try {
    FitResult result = fit_configured(data, options, interruptible(display.callback()));
    display.finish();
    return result;
  } catch (const Interrupted& e) {
    display.finish();
    throw Interrupted(fmt::format("{}; {}", e.what(),
                                  has_checkpoint(options) ? fmt::format("the same command continues from {}", options.checkpoint_path)
                                                          : "no state was saved yet; the same command starts again"));
  }
}

}  // namespace gapkit::apps
