//! Links the release libkstone.so as a C program would, and RocksDB where the system has it.
//!
//! `KSTONE_LIB_DIR` says where libkstone.so lies; by default it is where `cargo build --release` of the product puts it.
//! The library's SONAME is libkstone.so.0, a name that only an installation gives it: this script makes a directory with
//! both names as symbolic links, which the linker searches and the program remembers (rpath). So a library that is built
//! anew is measured without building the benchmark anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The names under which the linker (first) and the loader (second) look for the library.
const NAMES: [&str; 2] = ["libkstone.so", "libkstone.so.0"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=KSTONE_LIB_DIR");
    println!("cargo:rustc-check-cfg=cfg(rocksdb_found)");
    link_kstone()?;
    if env::var_os("CARGO_FEATURE_ROCKSDB").is_some() {
        link_rocksdb();
    }
    Ok(())
}

fn link_kstone() -> io::Result<()> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    // A relative path starts at the package, whoever calls cargo from wherever.
    let built = package.join(env::var_os("KSTONE_LIB_DIR").unwrap_or_else(|| "../../target/release".into()));
    let library = built.join(NAMES[0]);
    if !library.exists() {
        println!("cargo:warning={} is missing: build it first (make bench does)", library.display());
    }
    for name in NAMES {
        replace_link(&library, &out.join(name))?;
    }
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=dylib=kstone");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", out.display());
    Ok(())
}

fn replace_link(target: &Path, link: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(target, link)
}

fn link_rocksdb() {
    let found = Command::new("pkg-config").args(["--libs-only-L", "rocksdb"]).output();
    match found {
        Ok(output) if output.status.success() => {
            for directory in String::from_utf8_lossy(&output.stdout).split_whitespace() {
                println!("cargo:rustc-link-search=native={}", directory.trim_start_matches("-L"));
            }
            println!("cargo:rustc-link-lib=dylib=rocksdb");
            println!("cargo:rustc-cfg=rocksdb_found");
        }
        _ => println!("cargo:warning=RocksDB is left out: pkg-config does not find it (Debian: librocksdb-dev)"),
    }
}
