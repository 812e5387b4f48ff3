//! Ctrl-C while something runs: a flag that ends long calls of the database, and a pipe that ends waiting for input.
//!
//! While a line is edited the editor reads Ctrl-C itself. Everywhere else it raises the flag, which stays raised until
//! [`Interrupt::clear`]: the shell clears it at the next line that is typed, a script ends. No Ctrl-C ends the process.
//!
//! Thread safety: the signal handler raises the flag and writes to the pipe, nothing else.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use signal_hook::consts::SIGINT;

use crate::failure::Failure;

/// Whether Ctrl-C was pressed. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    flag: Arc<AtomicBool>,
    /// Readable since Ctrl-C was pressed; none where Ctrl-C is not caught.
    pressed: Option<Arc<UnixStream>>,
}

impl Interrupt {
    /// From now on Ctrl-C raises the flag, instead of ending the process and the data with it.
    ///
    /// # Errors
    /// Where the handler cannot be set.
    pub(crate) fn caught() -> io::Result<Self> {
        let flag = Arc::default();
        let (pressed, write_end) = UnixStream::pair()?;
        pressed.set_nonblocking(true)?;
        signal_hook::flag::register(SIGINT, Arc::clone(&flag))?;
        signal_hook::low_level::pipe::register(SIGINT, write_end)?;
        Ok(Self { flag, pressed: Some(Arc::new(pressed)) })
    }

    /// The flag as the database looks at it.
    pub(crate) fn of_database(&self) -> kstone_api::Interrupt {
        kstone_api::Interrupt::of_flag(Arc::clone(&self.flag))
    }

    /// # Errors
    /// [`Failure::Interrupted`] once Ctrl-C was pressed.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.flag.load(Ordering::Relaxed) { Err(Failure::Interrupted) } else { Ok(()) }
    }

    /// What something has failed by: Ctrl-C where that was pressed, whatever it says itself.
    pub(crate) fn blamed(&self, failure: Failure) -> Failure {
        self.check().err().unwrap_or(failure)
    }

    /// Forgets what was pressed before.
    pub(crate) fn clear(&self) {
        if let Some(mut pressed) = self.pressed.as_deref() {
            // It does not block: the last read says that there is nothing more.
            while pressed.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
        }
        self.flag.store(false, Ordering::Relaxed);
    }

    /// Opens a file whose reading Ctrl-C ends, also where it is a pipe that nobody writes to.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub(crate) fn open(&self, path: &Path) -> io::Result<Input> {
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        Ok(self.input(OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?))
    }

    /// Standard input, or another file that is open already, whose reading Ctrl-C ends.
    pub(crate) fn input(&self, file: File) -> Input {
        Input { file, interrupt: self.clone() }
    }
}

/// See [`Interrupt::input`]. After Ctrl-C a read fails, and [`Interrupt::check`] says why.
#[derive(Debug)]
pub(crate) struct Input {
    file: File,
    interrupt: Interrupt,
}

impl Input {
    /// Waits until there is something to read.
    fn wait(&self) -> io::Result<()> {
        let Some(pressed) = self.interrupt.pressed.as_deref() else { return Ok(()) };
        let mut watched = [PollFd::new(&self.file, PollFlags::IN), PollFd::new(pressed, PollFlags::IN)];
        loop {
            match poll(&mut watched, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if self.interrupt.check().is_err() || !watched[1].revents().is_empty() {
                return Err(io::Error::other("interrupted"));
            }
            if !watched[0].revents().is_empty() {
                return Ok(());
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            self.wait()?;
            match self.file.read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
        }
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
