//! Why something ends early.

use std::fmt;
use std::io;

/// Why a statement, a command or the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What to tell the user.
    Message(String),
    /// The user has been told.
    Reported,
    /// Nobody reads the output any more, as after `| head`.
    PipeClosed,
    /// Ctrl-C.
    Interrupted,
}

impl Failure {
    pub(crate) fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }

    /// The same with a place before it, such as a file's name.
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        match self {
            Self::Message(text) => Self::Message(format!("{place}: {text}")),
            other => other,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message(text) => text,
            Self::Reported => "failed",
            Self::PipeClosed => "nobody reads the output any more",
            Self::Interrupted => "interrupted",
        })
    }
}

impl From<kstone_api::Error> for Failure {
    fn from(error: kstone_api::Error) -> Self {
        match error {
            kstone_api::Error::Interrupted => Self::Interrupted,
            error => Self::Message(error.to_string()),
        }
    }
}

impl From<kstone_api::CoreError> for Failure {
    fn from(error: kstone_api::CoreError) -> Self {
        kstone_api::Error::from(error).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::PipeClosed } else { Self::Message(error.to_string()) }
    }
}
