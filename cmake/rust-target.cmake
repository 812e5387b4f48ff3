# Which processor the library is for. A toolchain file says so; cargo, left alone, builds for the one that it runs on.
#
# Where the two differ, KSTONE_RUST_TARGET names Rust's target; by default it follows from the processor. rustc must have
# its standard library, and the C compiler of the toolchain file links and builds what is C.
if(KSTONE_SANITIZE)
  return()
endif()

execute_process(COMMAND "${KSTONE_RUSTC}" -vV OUTPUT_VARIABLE kstone_rustc_version COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "host: (([^-\n]+)-[^\n]+)" kstone_host_line "${kstone_rustc_version}")
set(kstone_rust_host "${CMAKE_MATCH_1}")
set(kstone_rust_host_processor "${CMAKE_MATCH_2}")

string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" kstone_processor)
if(kstone_processor MATCHES "^(amd64|x64|x86_64)$")
  set(kstone_processor x86_64)
elseif(kstone_processor MATCHES "^(arm64|aarch64)$")
  set(kstone_processor aarch64)
elseif(kstone_processor MATCHES "^i[3-6]86$|^x86$")
  set(kstone_processor i686)
elseif(kstone_processor STREQUAL "riscv64")
  set(kstone_processor riscv64gc)
elseif(kstone_processor STREQUAL "ppc64le")
  set(kstone_processor powerpc64le)
endif()

set(KSTONE_RUST_TARGET "" CACHE STRING "Rust's target; empty: as the C compiler's processor")
if(KSTONE_RUST_TARGET)
  set(kstone_triple "${KSTONE_RUST_TARGET}")
elseif(NOT kstone_processor STREQUAL kstone_rust_host_processor)
  if(kstone_processor MATCHES "^arm")
    set(kstone_triple "${kstone_processor}-unknown-linux-gnueabihf")
    string(REGEX REPLACE "^armv7l?-" "armv7-" kstone_triple "${kstone_triple}")
  else()
    set(kstone_triple "${kstone_processor}-unknown-linux-gnu")
  endif()
elseif(NOT CMAKE_SIZEOF_VOID_P EQUAL 8 AND kstone_processor STREQUAL "x86_64")
  # gcc -m32.
  set(kstone_triple "i686-unknown-linux-gnu")
endif()
if(kstone_triple STREQUAL "")
  return()
endif()

execute_process(COMMAND "${KSTONE_RUSTC}" --print target-libdir --target "${kstone_triple}"
  OUTPUT_VARIABLE kstone_target_libdir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE kstone_target_unknown)
if(kstone_target_unknown OR NOT EXISTS "${kstone_target_libdir}")
  message(FATAL_ERROR
    "The C compiler is for ${CMAKE_SYSTEM_PROCESSOR}, and rustc has no standard library for ${kstone_triple}, only for \
${kstone_rust_host} and what else 'rustup target list --installed' shows. Run 'rustup target add ${kstone_triple}', or \
name the right target with -DKSTONE_RUST_TARGET=….")
endif()

# With the toolchain file's compiler, and the binutils that stand next to it.
list(APPEND kstone_target_args --target "${kstone_triple}")
string(TOUPPER "${kstone_triple}" kstone_triple_upper)
string(REPLACE "-" "_" kstone_triple_upper "${kstone_triple_upper}")
string(REPLACE "-" "_" kstone_triple_lower "${kstone_triple}")
list(APPEND kstone_cargo_env
  "CARGO_TARGET_${kstone_triple_upper}_LINKER=${CMAKE_C_COMPILER}"
  "CC_${kstone_triple_lower}=${CMAKE_C_COMPILER}" "AR_${kstone_triple_lower}=${CMAKE_AR}")
cmake_path(GET CMAKE_C_COMPILER FILENAME kstone_compiler_name)
if(kstone_compiler_name MATCHES "^(.+-)(gcc|cc|clang)")
  set(kstone_tool_prefix "${CMAKE_MATCH_1}")
endif()
