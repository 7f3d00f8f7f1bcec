# SPDX-License-Identifier: MIT
# Descriptions of a few common terminals, as entries of a C++ array: "weir/cli/terminfo_entries.inc". From the terminfo of
# the machine that builds (ncurses-base), so that a host without them can show `weir top` as well.
find_program(WEIR_INFOCMP infocmp REQUIRED)

set(entries "")
foreach(terminal xterm-256color screen-256color linux vt100)
  execute_process(COMMAND ${WEIR_INFOCMP} -0 -q -Q 2 ${terminal} OUTPUT_VARIABLE description
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(NOT description MATCHES "^b64:[A-Za-z0-9_=-]+$")
    message(FATAL_ERROR "infocmp says something else than a description of ${terminal}: ${description}")
  endif()
  string(APPEND entries "{\"${terminal}\",\n \"${description}\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/weir/cli/terminfo_entries.inc CONTENT "${entries}" @ONLY)
