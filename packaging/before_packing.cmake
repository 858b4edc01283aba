# Run by cpack on the staged files.
# CPACK_STRIP_FILES leaves archives alone, and a build for developers has debug information in them.
file(GLOB_RECURSE archives ${CPACK_TEMPORARY_DIRECTORY}/*.a)
foreach(archive IN LISTS archives)
  execute_process(COMMAND strip --strip-debug --enable-deterministic-archives ${archive} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
set(overrides ${CPACK_TEMPORARY_DIRECTORY}/usr/share/lintian/overrides)
file(MAKE_DIRECTORY ${overrides})
file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/debian/lintian-overrides ${overrides}/gapkit)
