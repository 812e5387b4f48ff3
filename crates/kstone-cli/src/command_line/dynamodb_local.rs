//! The command line of DynamoDB Local, as compose files and test libraries have it, in `kstone serve`'s words.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The arguments in kstone's words: those of DynamoDB Local behind `serve`, or behind what starts it, are translated; all
/// others are as they were.
///
/// Its options begin with one dash, which none of kstone's that is longer than a letter does.
pub(crate) fn translated(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut given = arguments.into_iter();
    let mut out: Vec<OsString> = given.next().into_iter().collect();
    let mut rest: Vec<OsString> = given.collect();
    // java [-Dname=value …] -jar DynamoDBLocal.jar …
    let jar = rest.iter().position(|argument| argument == "-jar");
    match jar {
        Some(at) if rest[..at].iter().all(|argument| argument.as_encoded_bytes().starts_with(b"-")) => {
            rest.drain(..(at + 2).min(rest.len()));
        }
        _ if rest.first().is_some_and(|first| first == "serve") => {
            rest.remove(0);
        }
        _ => {
            out.extend(rest);
            return out;
        }
    }
    out.push("serve".into());
    let mut rest = rest.into_iter();
    while let Some(argument) = rest.next() {
        let mut valued = |name: &str| [Some(OsString::from(name)), rest.next()].into_iter().flatten();
        match argument.to_str() {
            Some("-port") => out.extend(valued("--port")),
            Some("-cors") => out.extend(valued("--cors")),
            Some("-dbPath") => {
                let folder = rest.next();
                out.extend(folder.iter().flat_map(|folder| ["--snapshot".into(), snapshot_in(folder)]));
            }
            Some("-delayTransientStatuses") => out.push("--delay-transitions=1".into()),
            Some("-help") => out.push("--help".into()),
            // One namespace in memory is what there is, and nobody is told anything.
            Some("-sharedDb" | "-inMemory" | "-optimizeDbBeforeStartup" | "-disableTelemetry") => {}
            _ => out.push(argument),
        }
    }
    out
}

fn snapshot_in(folder: &OsStr) -> OsString {
    Path::new(folder).join("kstone.ksnap").into_os_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> String {
        let words = translated(line.split(' ').map(OsString::from));
        words.join(OsStr::new(" ")).into_string().expect("text")
    }

    #[test]
    fn its_options_are_serves() {
        assert_eq!(
            of("kstone -Djava.library.path=./lib -jar DynamoDBLocal.jar -inMemory -sharedDb -port 9000"),
            "kstone serve --port 9000"
        );
        assert_eq!(
            of("kstone serve -port 0 -cors * -dbPath /data -delayTransientStatuses --metrics"),
            "kstone serve --port 0 --cors * --snapshot /data/kstone.ksnap --delay-transitions=1 --metrics"
        );
        assert_eq!(of("kstone -jar"), "kstone serve");
        assert_eq!(of("kstone serve -port"), "kstone serve --port");
    }

    #[test]
    fn any_other_line_is_as_it_was() {
        for line in
            ["kstone", "kstone shell -c .help", "kstone query a.ksnap -port", "kstone --version", "kstone x -jar y"]
        {
            assert_eq!(of(line), line);
        }
    }
}
