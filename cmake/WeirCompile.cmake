# SPDX-License-Identifier: MIT
# Compiler settings shared by every target, as the interface target weir_compile, and the third-party libraries.
find_program(WEIR_CCACHE ccache)
if(WEIR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Relative to the tree: a second clone finds what the first one compiled.
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true ${WEIR_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
endif()

add_library(weir_compile INTERFACE)
target_compile_features(weir_compile INTERFACE cxx_std_23)
target_compile_options(weir_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  -Wno-missing-field-initializers  # designated initialisers leave the defaults on purpose
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>  # libstdc++ 12: stable_sort uses its own
  # g++ 12 warns about std::string's own memcpy when it inlines operator+ (GCC bug 105651)
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  -fno-omit-frame-pointer -fstack-protector-strong
  $<$<BOOL:${WEIR_WERROR}>:-Werror>)
if(WEIR_SANITIZE)
  target_compile_options(weir_compile INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(weir_compile INTERFACE -fsanitize=${WEIR_SANITIZE})
else()
  # One file is copied to a host and runs: everything but glibc is linked in.
  target_link_options(weir_compile INTERFACE -static-libstdc++ -static-libgcc)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(weir_compile INTERFACE -D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections)
  target_link_options(weir_compile INTERFACE -Wl,--gc-sections -Wl,-z,relro,-z,now)
endif()

find_package(fmt 9 REQUIRED)
# fmt 9 is compiled once, in src/weir/base/fmt.cpp; what a later one wants there is not known, so it stays header-only.
add_library(weir_fmt INTERFACE)
if(fmt_VERSION VERSION_LESS 10)
  target_include_directories(weir_fmt SYSTEM INTERFACE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
else()
  target_link_libraries(weir_fmt INTERFACE fmt::fmt-header-only)
endif()
find_package(CLI11 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(Threads REQUIRED)
find_path(WEIR_LIBBPF_INCLUDE bpf/libbpf.h REQUIRED)
find_library(WEIR_LIBBPF libbpf.a REQUIRED)
find_library(WEIR_LIBELF libelf.a REQUIRED)
find_library(WEIR_LIBZ libz.a REQUIRED)
add_library(weir_libbpf INTERFACE)
target_include_directories(weir_libbpf SYSTEM INTERFACE ${WEIR_LIBBPF_INCLUDE})
target_link_libraries(weir_libbpf INTERFACE ${WEIR_LIBBPF} ${WEIR_LIBELF} ${WEIR_LIBZ})
find_path(WEIR_YAML_INCLUDE yaml-cpp/yaml.h REQUIRED)
find_library(WEIR_YAML libyaml-cpp.a REQUIRED)  # its CMake package knows the shared one only
add_library(weir_yaml INTERFACE)
target_include_directories(weir_yaml SYSTEM INTERFACE ${WEIR_YAML_INCLUDE})
target_link_libraries(weir_yaml INTERFACE ${WEIR_YAML})
find_path(WEIR_NCURSES_INCLUDE ncurses.h REQUIRED)
find_library(WEIR_NCURSES libncursesw.a REQUIRED)
find_library(WEIR_TINFO libtinfo.a REQUIRED)
add_library(weir_ncurses INTERFACE)
target_include_directories(weir_ncurses SYSTEM INTERFACE ${WEIR_NCURSES_INCLUDE})
target_link_libraries(weir_ncurses INTERFACE ${WEIR_NCURSES} ${WEIR_TINFO} ${CMAKE_DL_LIBS})
find_path(WEIR_ZSTD_INCLUDE zstd.h REQUIRED)
find_library(WEIR_ZSTD libzstd.a REQUIRED)
add_library(weir_zstd INTERFACE)
target_include_directories(weir_zstd SYSTEM INTERFACE ${WEIR_ZSTD_INCLUDE})
target_link_libraries(weir_zstd INTERFACE ${WEIR_ZSTD} ${WEIR_LIBZ})
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
add_library(weir_eigen INTERFACE)
target_include_directories(weir_eigen SYSTEM INTERFACE $<TARGET_PROPERTY:Eigen3::Eigen,INTERFACE_INCLUDE_DIRECTORIES>)
find_path(WEIR_DLIB_INCLUDE dlib/random_forest.h REQUIRED)
find_library(WEIR_DLIB libdlib.a REQUIRED)  # of which its pool of threads is used
add_library(weir_dlib INTERFACE)
target_include_directories(weir_dlib SYSTEM INTERFACE ${WEIR_DLIB_INCLUDE})
target_link_libraries(weir_dlib INTERFACE ${WEIR_DLIB} Threads::Threads)
# Boost headers are used header-only and are noisy under our warnings.
add_library(weir_boost INTERFACE)
target_include_directories(weir_boost SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_compile_definitions(weir_boost INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_link_libraries(weir_boost INTERFACE Threads::Threads)
