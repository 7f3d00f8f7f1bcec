# SPDX-License-Identifier: MIT
# What `cmake --install` lays down, and the packages made of it. Component runtime: the program, its lab, man pages, shell
# completion, the unit of its service (the .deb). Component dev: the library, one archive a module, its headers, and find_package(weir).
include(CMakePackageConfigHelpers)
set(WEIR_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/weir)

get_property(modules GLOBAL PROPERTY WEIR_MODULES)
list(REMOVE_ITEM modules cli)  # the program's own
list(JOIN modules " " weir_modules)
foreach(module IN LISTS modules)
  install(TARGETS weir_${module} EXPORT weir COMPONENT dev)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/weir/${module} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir COMPONENT dev
    FILES_MATCHING PATTERN "*.h")
endforeach()
install(EXPORT weir NAMESPACE weir:: FILE weirTargets.cmake DESTINATION ${WEIR_CMAKE_DIR} COMPONENT dev)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/weirConfig.cmake.in ${PROJECT_BINARY_DIR}/weirConfig.cmake
  INSTALL_DESTINATION ${WEIR_CMAKE_DIR} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weirConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weirConfig.cmake ${PROJECT_BINARY_DIR}/weirConfigVersion.cmake
  DESTINATION ${WEIR_CMAKE_DIR} COMPONENT dev)

install(TARGETS weir RUNTIME)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/packaging/copyright
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/reference ${PROJECT_SOURCE_DIR}/docs/policies DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/config/containers.yml DESTINATION ${CMAKE_INSTALL_DATADIR}/weir)

# The services, their messages in the journal, and what reads their metrics. A unit says where the program went.
foreach(unit weir.service weir-control.service weir-policy-retrain.service)
  install(CODE "
    file(READ \"${PROJECT_SOURCE_DIR}/packaging/systemd/${unit}\" unit)
    string(REPLACE \"/usr/bin/weir\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/weir\" unit \"\${unit}\")
    file(WRITE \"${PROJECT_BINARY_DIR}/${unit}\" \"\${unit}\")")
  install(FILES ${PROJECT_BINARY_DIR}/${unit} DESTINATION lib/systemd/system)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/weir-policy-retrain.timer DESTINATION lib/systemd/system)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/weir.catalog DESTINATION lib/systemd/catalog)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/prometheus/weir.yml ${PROJECT_SOURCE_DIR}/packaging/prometheus/weir.rules.yml
  DESTINATION ${CMAKE_INSTALL_DATADIR}/weir/prometheus)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/grafana/weir.json DESTINATION ${CMAKE_INSTALL_DATADIR}/weir/grafana)

# Man pages and completions are what the program says about itself, so they cannot be behind it.
if(NOT WEIR_SANITIZE)
  set(made ${PROJECT_BINARY_DIR}/share)
  add_custom_command(OUTPUT ${made}.stamp
    COMMAND ${PROJECT_SOURCE_DIR}/packaging/describe $<TARGET_FILE:weir> ${made}
    COMMAND ${CMAKE_COMMAND} -E touch ${made}.stamp
    DEPENDS weir ${PROJECT_SOURCE_DIR}/packaging/describe COMMENT "Man pages and shell completion" VERBATIM)
  add_custom_target(weir_describe ALL DEPENDS ${made}.stamp)
  install(DIRECTORY ${made}/ DESTINATION ${CMAKE_INSTALL_DATADIR})
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "The Weir authors")
set(CPACK_PACKAGE_CONTACT "The Weir authors <weir@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME weir)
set(CPACK_DEBIAN_RUNTIME_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS libsystemd0)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "docker.io, podman, lxc")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/deb/postinst;${PROJECT_SOURCE_DIR}/packaging/deb/prerm;${PROJECT_SOURCE_DIR}/packaging/deb/postrm")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "limits, explains and measures container resources on cgroup v2
 Weir sets the limits of Linux containers in microseconds, sees the kernel
 enforce them, and can take every change back. One program; a service that
 watches comes with it, and is off until it is enabled.")
include(CPack)
