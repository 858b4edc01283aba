#include "model_file.hpp"

#include <fmt/format.h>

#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/errors.hpp>

namespace gapkit::apps {

void refuse_xml(const std::filesystem::path& path, const std::string& task) {
  if (is_xml(path))
    throw InputError(
        fmt::format("{}: is a GAP potential of QUIP, which holds neither posterior nor sums over its data; {} needs a model of gap-fit",
                    path.string(), task));
}

}  // namespace gapkit::apps
