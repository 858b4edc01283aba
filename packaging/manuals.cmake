# Manual pages from each program's --help, and completion for bash. `apps` is the list of the programs: a new one needs nothing here.
find_package(Python3 COMPONENTS Interpreter)
if(NOT Python3_Interpreter_FOUND)
  message(STATUS "python3 is missing: no manual pages")
else()
  foreach(app IN LISTS apps)
    # Beside bin, so that `man` finds the pages of the programs in the PATH.
    set(manual ${PROJECT_BINARY_DIR}/share/man/man1/${app}.1.gz)
    add_custom_command(OUTPUT ${manual} DEPENDS ${app} ${PROJECT_SOURCE_DIR}/packaging/man_page.py VERBATIM
                       COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/packaging/man_page.py $<TARGET_FILE:${app}> ${manual}
                               --version ${PROJECT_VERSION} --others ${apps})
    list(APPEND manuals ${manual})
  endforeach()
  add_custom_target(manuals ALL DEPENDS ${manuals})
  install(FILES ${manuals} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()

list(JOIN apps " " gapkit_programs)
set(completions ${PROJECT_BINARY_DIR}/share/bash-completion/completions)
configure_file(${PROJECT_SOURCE_DIR}/scripts/completion/gapkit.bash.in ${completions}/gapkit @ONLY)
install(FILES ${completions}/gapkit DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
foreach(app IN LISTS apps)
  # bash-completion loads the file that has the name of the program.
  file(CREATE_LINK gapkit ${completions}/${app} SYMBOLIC)
  install(FILES ${completions}/${app} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endforeach()
