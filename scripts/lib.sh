# shellcheck shell=bash
# What the scripts share: sourced, never run. Leaves the caller in the project's top directory.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# A shell that has not read the profile since Rust was installed.
PATH="$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin"
# The job server of a make above is not for cargo or cmake: they could not reach it.
unset MAKEFLAGS MFLAGS MAKELEVEL
export LC_ALL=C.UTF-8

# Where cargo builds, as an absolute path.
# shellcheck disable=SC2034 # read by the scripts that source this one
target_dir=$(realpath -m "${CARGO_TARGET_DIR:-target}")

say() {
    printf '%s\n' "$*"
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Tenths of a second since an arbitrary moment.
now() {
    local micros=${EPOCHREALTIME/[.,]/}
    printf '%s' "$((micros / 100000))"
}

# seconds_since <now>: "12.3"
seconds_since() {
    local tenths=$(($(now) - $1))
    printf '%d.%d' "$((tenths / 10))" "$((tenths % 10))"
}

# checked <text>: one passed check of a script, on its own line. scripts/test counts these lines.
checked() {
    printf 'ok: %s\n' "$*"
}

# The library as it is shipped, which the checks of the binary look at, and the bindings are built with.
library_dir=$PWD/build/lib
build_library() {
    cargo build --release --locked --package kstone --lib
    scripts/finish-library "$target_dir/release" "$library_dir"
}
