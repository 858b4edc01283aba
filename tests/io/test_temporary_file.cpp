#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gapkit/io/archive.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <string>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

namespace {

/// The number of a process that has ended.
std::string ended_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  REQUIRE(child > 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  return std::to_string(child);
}

}  // namespace

TEST_CASE("temporary files that a killed process left are removed by the next writer of the same file, and no others") {
  const std::string dead = ended_process(), alive = std::to_string(::getpid());
  for (const bool is_archive : {false, true}) {
    CAPTURE(is_archive);
    const TemporaryFolder folder;
    const fs::path target = folder.write("model.h5.checkpoint", "kept until the new one is there");
    const std::vector<fs::path> stale = {folder.write("model.h5.checkpoint." + dead + ".0.tmp", "x"),
                                         folder.write("model.h5.checkpoint." + dead + ".17.tmp", "x"),
                                         folder.write("model.h5.checkpoint.tmp" + dead + "_3", "x")};
    const std::vector<fs::path> others = {
        folder.write("model.h5.checkpoint." + alive + ".5.tmp", "x"),  // of a process that runs
        folder.write("model.h5.checkpoint.tmp" + alive + "_99", "x"),
        folder.write("model.h5.checkpoint.1.0.tmp", "x"),
        folder.write("model.h5." + dead + ".0.tmp", "x"),  // of another target
        folder.write("other.checkpoint." + dead + ".0.tmp", "x"),
        folder.write("model.h5.checkpoint." + dead + ".tmp", "x"),  // names that no writer makes
        folder.write("model.h5.checkpoint." + dead + ".0.tmp.keep", "x"),
        folder.write("model.h5.checkpoint.tmp" + dead, "x"),
        folder.write("model.h5.checkpoint.tmp" + dead + "_3.xyz", "x"),
        folder.write("model.h5.checkpoint.-" + dead + ".0.tmp", "x"),
    };
    if (is_archive) {
      ArchiveWriter archive(target, "gapkit-test", 1);
      archive.put("x", 1.0);
      archive.commit();
    } else {
      TemporaryFile file(target);
      file.append("new");
      file.commit();
    }
    for (const fs::path& path : stale) CHECK_MESSAGE(!fs::exists(path), path.string());
    for (const fs::path& path : others) CHECK_MESSAGE(fs::exists(path), path.string());
    CHECK(fs::exists(target));
  }
}

TEST_CASE("a temporary file that is locked is in use, though its process may run on another machine") {
  const TemporaryFolder folder;
  const fs::path used = folder.write("out.xyz.tmp" + ended_process() + "_0", "x");
  const int descriptor = ::open(used.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  lock_temporary(descriptor);
  remove_stale_temporaries(folder.path() / "out.xyz");
  CHECK(fs::exists(used));
  ::close(descriptor);
  remove_stale_temporaries(folder.path() / "out.xyz");
  CHECK(!fs::exists(used));
}

TEST_CASE("the writers hold the lock until their file is in place") {
  const TemporaryFolder folder;
  const auto is_locked = [&] {
    bool locked = false;
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      const int descriptor = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
      REQUIRE(descriptor >= 0);
      locked = locked || ::flock(descriptor, LOCK_EX | LOCK_NB) != 0;
      ::close(descriptor);
    }
    return locked;
  };
  {
    TemporaryFile file(folder.path() / "a.txt");
    CHECK(is_locked());
    file.commit();
    CHECK(!is_locked());
  }
  ArchiveWriter archive(folder.path() / "b.h5", "gapkit-test", 1);
  CHECK(is_locked());
}
