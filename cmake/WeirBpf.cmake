# SPDX-License-Identifier: MIT
# weir_bpf_program(TARGET NAME): NAME.bpf.c -> NAME.bpf.o -> NAME.skel.h, which TARGET's sources include as
# "weir/bpf/NAME.skel.h". Needs clang (any with a BPF back end) and bpftool.
find_program(WEIR_BPF_CLANG NAMES clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 clang REQUIRED)
find_program(WEIR_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

function(weir_bpf_program target name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c)
  set(out ${PROJECT_BINARY_DIR}/generated/weir/bpf)
  file(MAKE_DIRECTORY ${out})
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  add_custom_command(OUTPUT ${out}/${name}.skel.h
    COMMAND ${WEIR_BPF_CLANG} -g -O2 -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86
            -I${PROJECT_SOURCE_DIR}/src -isystem ${WEIR_LIBBPF_INCLUDE} -isystem /usr/include/x86_64-linux-gnu
            -c ${source} -o ${out}/${name}.bpf.o
    COMMAND ${WEIR_BPFTOOL} gen skeleton ${out}/${name}.bpf.o name ${name}_bpf > ${out}/${name}.skel.h.tmp
    COMMAND ${CMAKE_COMMAND} -E rename ${out}/${name}.skel.h.tmp ${out}/${name}.skel.h
    DEPENDS ${source} ${headers} COMMENT "BPF ${name}" VERBATIM)
  add_custom_target(bpf_${name} DEPENDS ${out}/${name}.skel.h)
  add_dependencies(${target} bpf_${name})
  target_include_directories(${target} SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:weir_libbpf>)
endfunction()
