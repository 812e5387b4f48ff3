//! Where the history of what was typed is kept.

use std::ffi::OsString;
use std::path::PathBuf;

/// The history file: `KSTONE_HISTORY` where it is set, otherwise `kstone/history` in the state directory of the XDG
/// base directory specification. None where there is to be none, or nowhere to put it.
pub(crate) fn path() -> Option<PathBuf> {
    path_from(|name| std::env::var_os(name))
}

fn path_from(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(file) = variable("KSTONE_HISTORY") {
        return (!file.is_empty()).then(|| file.into());
    }
    // The specification has relative paths ignored.
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("kstone/history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(variables: &[(&str, &str)]) -> Option<PathBuf> {
        path_from(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn the_file_is_where_the_environment_says() {
        let home = ("HOME", "/home/ada");
        for (variables, expected) in [
            (vec![home], Some("/home/ada/.local/state/kstone/history")),
            (vec![home, ("XDG_STATE_HOME", "/state")], Some("/state/kstone/history")),
            (vec![home, ("XDG_STATE_HOME", "state")], Some("/home/ada/.local/state/kstone/history")),
            (vec![home, ("XDG_STATE_HOME", "")], Some("/home/ada/.local/state/kstone/history")),
            (vec![home, ("KSTONE_HISTORY", "here")], Some("here")),
            (vec![home, ("KSTONE_HISTORY", "")], None),
            (vec![], None),
        ] {
            assert_eq!(path(&variables), expected.map(PathBuf::from), "{variables:?}");
        }
    }
}
