# gapkit_precompile(<target>): compiles the headers that most sources include once. Targets with the same options share the file of the
# first target. Sources with other options must set SKIP_PRECOMPILE_HEADERS.
function(gapkit_precompile target)
  if(NOT GAPKIT_PRECOMPILED_HEADERS)
    return()
  endif()
  if(NOT TARGET gapkit_precompiled)
    file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cpp "")
    add_library(gapkit_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
    target_link_libraries(gapkit_precompiled PRIVATE gapkit_flags Eigen3::Eigen OpenMP::OpenMP_CXX fmt::fmt)
    target_precompile_headers(gapkit_precompiled PRIVATE <algorithm> <cmath> <filesystem> <functional> <map> <memory> <optional> <span>
                              <string> <vector> <Eigen/Core> <Eigen/LU> <fmt/format.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM gapkit_precompiled)
endfunction()
