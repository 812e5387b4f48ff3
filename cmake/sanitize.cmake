# The library under a sanitizer, in a target directory of its own. Stable rustc has -Zsanitizer behind RUSTC_BOOTSTRAP.
# With --target, RUSTFLAGS reach the library but not the build scripts. The standard library stays as it ships.
#
# address: gcc's or clang's own runtime serves the Rust half too (tried with gcc 12 and clang 14).
# thread:  only rustc's runtime has all that the Rust half calls; gcc's and clang's -fsanitize=thread code runs on it.

execute_process(COMMAND "${KSTONE_RUSTC}" -vV OUTPUT_VARIABLE kstone_rustc_version COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "host: ([^\n]+)" kstone_host_line "${kstone_rustc_version}")
set(kstone_triple "${CMAKE_MATCH_1}")
set(kstone_target_dir "${KSTONE_CARGO_TARGET_DIR}/sanitize-${KSTONE_SANITIZE}")
list(APPEND kstone_target_args --target "${kstone_triple}")

# Quicker to build than the release profile, and the library's own assertions are checked along the way.
list(APPEND kstone_cargo_env RUSTC_BOOTSTRAP=1
     CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true)

if(KSTONE_SANITIZE STREQUAL "address")
  list(APPEND kstone_cargo_env RUSTFLAGS=-Zsanitizer=address)
  set(kstone_sanitize_compile -fsanitize=address -fno-omit-frame-pointer)
  set(kstone_sanitize_link -fsanitize=address)
elseif(KSTONE_SANITIZE STREQUAL "thread")
  list(APPEND kstone_cargo_env "RUSTFLAGS=-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer")
  execute_process(COMMAND "${KSTONE_RUSTC}" --print target-libdir OUTPUT_VARIABLE kstone_rustc_libdir
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB kstone_tsan_runtime "${kstone_rustc_libdir}/librustc*_rt.tsan.a")
  if(NOT kstone_tsan_runtime)
    message(FATAL_ERROR "rustc ships no ThreadSanitizer runtime in ${kstone_rustc_libdir}")
  endif()
  set(kstone_sanitize_compile -fsanitize=thread -fno-omit-frame-pointer)
  set(kstone_sanitize_link "LINKER:--whole-archive,${kstone_tsan_runtime},--no-whole-archive")
  set(kstone_sanitize_libs ${KSTONE_NATIVE_LIBS})
else()
  message(FATAL_ERROR "KSTONE_SANITIZE is \"${KSTONE_SANITIZE}\": it may be empty, address or thread")
endif()
