#include "cases/cases.hpp"

namespace gapkit::test {
namespace {

std::filesystem::path case_data() {
  return source_folder() / "tests" / "data" / "cases";
}

}  // namespace

Case::Case(const std::string& name) {
  std::filesystem::copy(case_data() / name, folder(), std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder()))
    std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
}

const std::filesystem::path& base_model() {
  static const Case base("base");
  static const std::filesystem::path path = [] {
    const ProgramResult fitted = base.run("gap-fit", {"fit.toml", "-o", "base.h5"});
    REQUIRE_MESSAGE(fitted.exit_code == 0, fitted.err);
    return base.folder() / "base.h5";
  }();
  return path;
}

}  // namespace gapkit::test
