#include <gapkit/core/errors.hpp>

#include "active/source.hpp"

namespace gapkit {

std::unique_ptr<Source> make_md_source(const SourceOptions&, const LoopOptions&) {
  throw InputError("md is not there yet");
}

}  // namespace gapkit
