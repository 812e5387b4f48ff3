# How the C and C++ tests are compiled, linked and run. Included by the directories that have some; needs CXX.
enable_language(CXX)
find_package(Threads REQUIRED)

set(KSTONE_C_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)

set(kstone_test_env
    KSTONE_TEST_SCALE=${KSTONE_TEST_SCALE} KSTONE_CONFORMANCE=${PROJECT_SOURCE_DIR}/bindings/conformance)
set(kstone_test_timeout 300)
set(kstone_test_launcher ${KSTONE_TEST_LAUNCHER})
if(KSTONE_SANITIZE STREQUAL "address")
  list(APPEND kstone_test_env ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1)
elseif(KSTONE_SANITIZE STREQUAL "thread")
  # The suppressions name source files: without llvm-symbolizer, addr2line finds them.
  list(APPEND kstone_test_env
       "TSAN_OPTIONS=halt_on_error=1:allow_addr2line=1:suppressions='${PROJECT_SOURCE_DIR}/c-tests/tsan.supp'")
  # ThreadSanitizer needs its addresses free, which the kernel's randomisation may take.
  list(PREPEND kstone_test_launcher setarch -R)
endif()
if(kstone_test_launcher)
  set(kstone_test_timeout 900)
endif()

# kstone_add_program(<target> <shared|static> <object library>...)
function(kstone_add_program target kind)
  set(objects ${ARGN})
  list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")
  add_executable(${target} ${objects})
  if(kind STREQUAL "shared")
    target_link_libraries(${target} PRIVATE kstone::kstone Threads::Threads m)
  else()
    target_link_libraries(${target} PRIVATE kstone::kstone_static Threads::Threads m)
  endif()
endfunction()

# kstone_add_objects(<target> <source>...): compiled as the tests are, whatever library they are linked with later.
function(kstone_add_objects target)
  add_library(${target} OBJECT ${ARGN})
  set_target_properties(${target} PROPERTIES
    C_STANDARD 11 C_STANDARD_REQUIRED ON CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON C_EXTENSIONS OFF CXX_EXTENSIONS OFF)
  # POSIX threads and clocks, which strict C11 hides. NDEBUG would silence assert().
  target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L)
  target_compile_options(${target} PRIVATE ${KSTONE_C_WARNINGS} -UNDEBUG)
  target_link_libraries(${target} PRIVATE kstone::kstone Threads::Threads)
endfunction()

# kstone_add_test(<name> <program> [<argument>...])
function(kstone_add_test name program)
  add_test(NAME ${name} COMMAND ${kstone_test_launcher} $<TARGET_FILE:${program}> ${ARGN})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "${kstone_test_env}" TIMEOUT ${kstone_test_timeout})
endfunction()

# kstone_add_guide_test(<name> <program>): it prints what the requests of DynamoDB's guide are answered in every language.
function(kstone_add_guide_test name program)
  add_test(NAME ${name}
    COMMAND sh -c "\"$1\" | diff -u \"$2\" -" sh $<TARGET_FILE:${program}>
            "${PROJECT_SOURCE_DIR}/examples/data/getting-started.txt")
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "${kstone_test_env}" TIMEOUT ${kstone_test_timeout})
endfunction()
