//! Where the shell's file of settings is: statements and dot commands that run before the first prompt.

use std::ffi::OsString;
use std::path::PathBuf;

/// The first that there is of `kstone/rc` in the configuration directory of the XDG base directory specification, and
/// `~/.kstonerc`.
pub(crate) fn path() -> Option<PathBuf> {
    candidates(|name| std::env::var_os(name)).into_iter().find(|path| path.is_file())
}

fn candidates(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    // The specification has relative paths ignored.
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute("HOME");
    let config = absolute("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let in_config = config.map(|config| config.join("kstone/rc"));
    in_config.into_iter().chain(home.map(|home| home.join(".kstonerc"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(variables: &[(&str, &str)]) -> Vec<String> {
        let found =
            candidates(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()));
        found.iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn the_file_is_looked_for_where_the_environment_says() {
        let home = ("HOME", "/home/ada");
        for (variables, expected) in [
            (vec![home], vec!["/home/ada/.config/kstone/rc", "/home/ada/.kstonerc"]),
            (vec![home, ("XDG_CONFIG_HOME", "/etc/ada")], vec!["/etc/ada/kstone/rc", "/home/ada/.kstonerc"]),
            (vec![home, ("XDG_CONFIG_HOME", "ada")], vec!["/home/ada/.config/kstone/rc", "/home/ada/.kstonerc"]),
            (vec![("XDG_CONFIG_HOME", "/etc/ada")], vec!["/etc/ada/kstone/rc"]),
            (vec![("HOME", "")], vec![]),
            (vec![], vec![]),
        ] {
            assert_eq!(paths(&variables), expected, "{variables:?}");
        }
    }
}
