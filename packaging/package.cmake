# Documents and examples of an installation, and the Debian package:  cpack -G DEB  in a complete build folder.
file(READ README.md readme)
string(REPLACE "(docs/" "(" readme "${readme}")  # the documents lie beside it there
file(WRITE ${PROJECT_BINARY_DIR}/share/doc/README.md "${readme}")
install(FILES ${PROJECT_BINARY_DIR}/share/doc/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "example" EXCLUDE PATTERN "logs" EXCLUDE)
install(FILES packaging/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
# configs/silicon.toml finds ../data/silicon.
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY data DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples FILES_MATCHING PATTERN "*.xyz" PATTERN "README.md")
install(DIRECTORY docs/example/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/programs USE_SOURCE_PERMISSIONS)
# pair_style gapkit: its source and the script that builds it, as a LAMMPS is not part of the package.
install(DIRECTORY lammps/ DESTINATION ${CMAKE_INSTALL_DATADIR}/gapkit/lammps USE_SOURCE_PERMISSIONS)
find_program(GAPKIT_GZIP gzip)
if(GAPKIT_GZIP)
  execute_process(COMMAND ${GAPKIT_GZIP} -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md OUTPUT_FILE ${PROJECT_BINARY_DIR}/share/doc/changelog.gz)
  install(FILES ${PROJECT_BINARY_DIR}/share/doc/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_SOURCE_GENERATOR "")  # sources are packed by the Python backend: python3 -m build --sdist
set(CPACK_PACKAGE_NAME gapkit)
set(CPACK_PACKAGE_VENDOR "the gapkit authors")
set(CPACK_PACKAGE_CONTACT "the gapkit authors <gapkit@localhost>" CACHE STRING "Maintainer of the packages")
set(CPACK_PACKAGE_DESCRIPTION_FILE ${PROJECT_SOURCE_DIR}/packaging/debian/description)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/before_packing.cmake)
# /usr is the prefix for the scripts of the installation too: the place of the Python package depends on it.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# dpkg-shlibdeps names any OpenBLAS; the programs share threads with its OpenMP build only.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libopenblas0-openmp")
# The KIM API for models of gap-convert --kim, and what find_package(gapkit) needs for the C++ library; the C interface needs nothing.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libkim-api-dev, libeigen3-dev, libfmt-dev, libexpat1-dev, libhdf5-dev, libnlopt-dev, libopenblas-openmp-dev")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
if(TARGET gapkit_shared)
  # Packages that use libgapkit.so depend on this one; the trigger runs ldconfig. CPack would call ldconfig from scripts, or from none beside ours.
  file(WRITE ${PROJECT_BINARY_DIR}/debian/shlibs "libgapkit ${gapkit_interface} gapkit (>= ${PROJECT_VERSION})\n")
  file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/shlibs ${PROJECT_BINARY_DIR}/debian/triggers)
endif()
if(TARGET _gapkit)
  # The module is for one version of Python.
  math(EXPR next_python "${PYTHON_VERSION_MINOR} + 1")
  string(APPEND CPACK_DEBIAN_PACKAGE_DEPENDS ", python3 (>= ${PYTHON_VERSION_MAJOR}.${PYTHON_VERSION_MINOR})"
                                             ", python3 (<< ${PYTHON_VERSION_MAJOR}.${next_python}), python3-numpy")
  string(PREPEND CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-ase, python3-matplotlib, ")
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/debian/postinst ${PROJECT_SOURCE_DIR}/packaging/debian/prerm)
endif()
include(CPack)
