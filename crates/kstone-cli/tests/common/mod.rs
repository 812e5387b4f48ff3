//! A shell in a real pseudo-terminal, and a terminal that shows what it prints.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rexpect::process::PtyProcess;

/// How long anything may take, on a machine however busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The project's top directory.
pub(crate) fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A running `kstone`, and what its terminal shows.
pub(crate) struct Terminal {
    /// Ends when this is dropped.
    _process: PtyProcess,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    /// The beginning of a character whose rest has not come yet.
    partial: Vec<u8>,
    /// All that was written to the terminal, as it came.
    pub(crate) written: String,
    pub(crate) screen: avt::Terminal,
}

impl Terminal {
    /// Starts `kstone` with these arguments and environment variables, in the project's top directory. Colours and
    /// paging are off unless asked for, and there is no history.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)], (columns, rows): (usize, usize)) -> Self {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            &format!("stty cols {columns} rows {rows} echo; trap : INT; \"$0\" \"$@\"; echo \"exit code $?\""),
        ]);
        command.arg(env!("CARGO_BIN_EXE_kstone")).args(arguments).current_dir(root());
        let defaults = [
            ("TERM", "xterm-256color"),
            ("NO_COLOR", "1"),
            ("KSTONE_PAGER", ""),
            ("KSTONE_HISTORY", ""),
            ("XDG_CONFIG_HOME", "/nowhere"),
        ];
        command.envs(defaults).envs(environment.iter().copied());
        let process = PtyProcess::new(command).unwrap();
        let keyboard = process.get_file_handle().unwrap();
        let mut reader = process.get_file_handle().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of a terminal is an error on Linux.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = avt::Terminal::new(columns, rows).unwrap();
        Self { _process: process, keyboard, output, partial: Vec::new(), written: String::new(), screen }
    }

    /// The shell, at its first prompt.
    pub(crate) fn shell(arguments: &[&str], environment: &[(&str, &str)], size: (usize, usize)) -> Self {
        let arguments: Vec<&str> = ["shell"].iter().chain(arguments).copied().collect();
        let mut terminal = Self::start(&arguments, environment, size);
        terminal.wait("the first prompt", |screen| at_prompt(screen, 1));
        terminal
    }

    /// Types text; `\r` is Enter, `\x03` Ctrl-C, `\x04` Ctrl-D.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line or several, waits for the next prompt, and gives what was printed in between.
    pub(crate) fn run(&mut self, text: &str) -> String {
        let before = self.text();
        let prompts = count_prompts(&before);
        self.keys(&text.replace('\n', "\r"));
        self.keys("\r");
        let after = self.wait(text, |screen| at_prompt(screen, prompts + 1));
        // From the line with the prompt on which it was typed to the one before the new prompt.
        let typed = before.trim_end().matches('\n').count() + text.matches('\n').count() + 1;
        let lines: Vec<&str> = after.trim_end().lines().collect();
        lines[typed..lines.len() - 1].iter().map(|line| format!("{line}\n")).collect()
    }

    /// Waits until the screen is as `shows` wants it, and gives it. Panics with the screen where it never is.
    pub(crate) fn wait(&mut self, what: &str, shows: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            if shows(&text) {
                return text;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.show(&bytes),
                Err(error) => {
                    let why = if error == RecvTimeoutError::Timeout { "never came" } else { "did not come" };
                    panic!("{what:?} {why}; the screen:\n{text}");
                }
            }
        }
    }

    /// Whether the screen becomes as `shows` wants it within this time.
    pub(crate) fn shows_within(&mut self, time: Duration, shows: impl Fn(&str) -> bool) -> bool {
        let deadline = Instant::now() + time;
        while !shows(&self.text()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.show(&bytes),
                Err(_) => return false,
            }
        }
        true
    }

    /// Waits until the program ends; what it exits with.
    pub(crate) fn exit_code(&mut self) -> i32 {
        let code = |screen: &str| screen.split("exit code ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        code(&self.wait("the end of the program", |screen| code(screen).is_some())).unwrap()
    }

    /// The lines of the screen, without blanks at their ends.
    pub(crate) fn text(&self) -> String {
        let lines = self.screen.screen().visible_lines().map(|line| format!("{}\n", line.text().trim_end()));
        lines.collect()
    }

    fn show(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        let valid = match str::from_utf8(&self.partial) {
            Ok(_) => self.partial.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.partial.split_off(valid);
        let text = String::from_utf8(std::mem::replace(&mut self.partial, rest)).unwrap();
        self.written.push_str(&text);
        self.screen.feed(text);
    }
}

fn is_prompt(line: &str) -> bool {
    line.starts_with("kstone") && line.contains("> ") || line.starts_with("kstone") && line.ends_with('>')
}

fn count_prompts(screen: &str) -> usize {
    screen.lines().filter(|line| is_prompt(line)).count()
}

/// Whether the screen ends with an empty prompt, which is the `count`th at least.
fn at_prompt(screen: &str, count: usize) -> bool {
    let last = screen.trim_end().lines().last().unwrap_or_default();
    count_prompts(screen) >= count && is_prompt(last) && last.ends_with('>')
}
