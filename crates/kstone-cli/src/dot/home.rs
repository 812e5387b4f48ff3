//! `~` at the beginning of a path: the home directory, as a command line shell has it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A path as it was typed. What begins with the name of a user, such as `~ada`, stays as it is; so does `./~`.
///
/// # Errors
/// Where there is no home directory.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    expand(text, std::env::var_os("HOME"))
}

fn expand(text: &str, home: Option<OsString>) -> Result<PathBuf, String> {
    let Some(inside) = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
        return Ok(text.into());
    };
    match home {
        Some(home) if !home.is_empty() => Ok(Path::new(&home).join(inside.trim_start_matches('/'))),
        _ => Err("HOME does not say where ~ is".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_at_the_beginning_is_the_home_directory() {
        for (text, path) in [
            ("~/a/b", "/home/ada/a/b"),
            ("~//a", "/home/ada/a"),
            ("~", "/home/ada/"),
            ("a/~/b", "a/~/b"),
            ("~ada/b", "~ada/b"),
            ("./~/b", "./~/b"),
            (":memory:", ":memory:"),
            ("", ""),
        ] {
            assert_eq!(expand(text, Some("/home/ada".into())).unwrap(), PathBuf::from(path), "{text}");
        }
        for home in [None, Some(OsString::new())] {
            assert_eq!(expand("~/a", home.clone()).unwrap_err(), "HOME does not say where ~ is");
            assert_eq!(expand("a", home).unwrap(), PathBuf::from("a"));
        }
    }
}
