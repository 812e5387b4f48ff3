//! One database, how it is shown, and what runs on it.

use std::cell::RefCell;
use std::rc::Rc;

use kstone_api::{Database, Record};

use crate::failure::Failure;
use crate::format::Format;
use crate::interrupt::Interrupt;
use crate::output::style::{ERROR, FAINT};
use crate::output::terminal::Look;
use crate::output::text::wrap;
use crate::output::{Screen, complain, tell};

pub(crate) mod database_file;
pub(crate) mod indexes;
pub(crate) mod vocabulary;

use database_file::MEMORY;
use vocabulary::Vocabulary;

/// What stands before an error that somebody reads as it occurs.
const LABEL: &str = "error:";

/// How many forks may be made of each other, and how many files may read each other.
const DEPTH_MAX: usize = 16;

/// What dot commands change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) format: Format,
    pub(crate) timer: bool,
    pub(crate) explain: bool,
    /// Go on after an error, in what is no terminal.
    pub(crate) keep_going: bool,
    /// Columns that tables fit into, where it is not the terminal that says it.
    pub(crate) width: Option<usize>,
}

impl Settings {
    /// Those of a new session.
    pub(crate) fn new(format: Format, keep_going: bool, width: Option<usize>) -> Self {
        Self { format, timer: false, explain: false, keep_going, width }
    }
}

/// A database that is worked on.
pub(crate) struct Session {
    db: Database,
    /// The databases that forks were made from, the first one first.
    bases: Vec<Database>,
    name: String,
    pub(crate) settings: Settings,
    interactive: bool,
    interrupt: Interrupt,
    vocabulary: Rc<RefCell<Vocabulary>>,
    /// How many files are being read within each other.
    reading: usize,
}

impl Session {
    pub(crate) fn new(db: Database, name: &str, settings: Settings, interactive: bool) -> Self {
        let session = Self {
            db,
            bases: Vec::new(),
            name: name.to_owned(),
            settings,
            interactive,
            interrupt: Interrupt::default(),
            vocabulary: Rc::default(),
            reading: 0,
        };
        session.learn_database();
        session
    }

    /// Says something next to the results, on a terminal.
    ///
    /// # Errors
    /// Where standard output cannot be written.
    pub(crate) fn note(&self, text: &str) -> Result<(), Failure> {
        if self.interactive {
            let mut screen = Screen::output();
            screen.styled(FAINT, text)?;
            screen.text("\n")?;
            screen.finish()?;
        }
        Ok(())
    }

    /// Says something that was asked for next to the results: to standard error where there is no terminal.
    ///
    /// # Errors
    /// Where standard output cannot be written.
    pub(crate) fn remark(&self, text: &str) -> Result<(), Failure> {
        if self.interactive {
            return self.note(text);
        }
        complain(|screen| writeln!(screen, "{text}"));
        Ok(())
    }

    /// Where results are written.
    pub(crate) fn results(&self, look: Look) -> Screen<'_> {
        Screen::paged(look)
    }

    /// Says what went wrong, to standard error: in the window where there is one, otherwise after the program's name.
    pub(crate) fn complain(&self, failure: &Failure) {
        if !self.interactive {
            return tell(failure);
        }
        let said = wrap(&format!("{LABEL} {failure}"), self.look().width.unwrap_or(usize::MAX));
        let said = said.strip_prefix(LABEL).unwrap_or(&said);
        complain(|screen| {
            screen.styled(ERROR, LABEL)?;
            writeln!(screen, "{said}")
        });
    }

    pub(crate) fn db(&self) -> &Database {
        &self.db
    }

    /// The file it was opened from, or `:memory:`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The snapshot that was opened, if one was.
    pub(crate) fn opened(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| *name != MEMORY)
    }

    pub(crate) fn format(&self) -> Format {
        self.settings.format
    }

    pub(crate) fn look(&self) -> Look {
        Look::of_stdout(self.settings.width)
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    pub(crate) fn vocabulary(&self) -> &Rc<RefCell<Vocabulary>> {
        &self.vocabulary
    }

    /// Goes on with another database.
    pub(crate) fn open(&mut self, db: Database, name: &str) {
        self.db = db;
        self.bases.clear();
        name.clone_into(&mut self.name);
    }

    /// How many forks lie above the database that was opened.
    pub(crate) fn forks(&self) -> usize {
        self.bases.len()
    }

    /// Goes on with a fork.
    ///
    /// # Errors
    /// Where there are too many, or the database cannot be forked.
    pub(crate) fn fork(&mut self) -> Result<(), Failure> {
        if self.bases.len() == DEPTH_MAX {
            return Err(Failure::message(format!("{DEPTH_MAX} forks of each other are the most: keep or drop one")));
        }
        let fork = self.db.fork()?;
        self.bases.push(std::mem::replace(&mut self.db, fork));
        Ok(())
    }

    /// Lets go of the database that the fork was made from, or of the fork.
    ///
    /// # Errors
    /// Where there is no fork.
    pub(crate) fn end_fork(&mut self, keep: bool) -> Result<(), Failure> {
        let base = self.bases.pop().ok_or_else(|| Failure::message("there is no fork: .fork makes one"))?;
        if !keep {
            self.db = base;
        }
        Ok(())
    }

    /// Puts another state of the same database in its place.
    pub(crate) fn replace_db(&mut self, db: Database) {
        self.db = db;
    }

    /// Does something that may do the same again, such as a file that reads a file.
    ///
    /// # Errors
    /// Where that is too deep; what `read` fails with.
    pub(crate) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        if self.reading == DEPTH_MAX {
            return Err(Failure::message(format!("more than {DEPTH_MAX} files read each other")));
        }
        self.reading += 1;
        let outcome = read(self);
        self.reading -= 1;
        outcome
    }

    /// Takes the names of attributes for completion.
    pub(crate) fn learn(&self, records: &[Record]) {
        if self.interactive {
            let mut vocabulary = self.vocabulary.borrow_mut();
            records.iter().flat_map(|record| record.item()).for_each(|(name, _)| vocabulary.learn_attribute(name));
        }
    }

    /// Takes the names of the table, of indexes and of attributes for completion.
    pub(crate) fn learn_database(&self) {
        if self.interactive {
            self.vocabulary.borrow_mut().learn(&self.db);
        }
    }
}
