//! Ctrl-C while something runs: a flag, looked at between items.
//!
//! While a line is edited the editor reads Ctrl-C itself. Where nobody types, the flag is not set up, and Ctrl-C ends
//! the process as usual.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// Whether Ctrl-C was pressed. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C sets the flag, instead of ending the process and the data with it.
    pub(crate) fn catch(&self) -> io::Result<()> {
        signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&self.0)).map(drop)
    }

    /// Fails once for each time that Ctrl-C was pressed.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.0.swap(false, Ordering::Relaxed) { Err(Failure::Interrupted) } else { Ok(()) }
    }

    /// Forgets what was pressed before.
    pub(crate) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
