# A toolchain file for a processor that Rust, as it is installed here, does not build for.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
