//! Tells the linker what makes a Rust library a good shared library: a SONAME, and that it is never unloaded.

use std::env;

/// Raised when a program that works with this library would not work with the next.
const ABI_VERSION: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "freebsd" | "android") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libkstone.so.{ABI_VERSION}");
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        Ok("macos") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libkstone.{ABI_VERSION}.dylib");
        }
        _ => {}
    }
}
