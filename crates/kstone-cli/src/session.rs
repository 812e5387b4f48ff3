//! One database, how it is shown, and what runs on it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use kstone_api::{Database, Record, Statement};

use crate::args::OutputArgs;
use crate::database_file::MEMORY;
use crate::dot;
use crate::dot_run;
use crate::execute::execute;
use crate::failure::{Failure, tell};
use crate::format::{Columns, Format, plain};
use crate::interrupt::Interrupt;
use crate::splitter::Unit;
use crate::style::{ERROR, FAINT, paint};
use crate::terminal::{Look, colours_wanted};
use crate::text::{items, wrap};
use crate::vocabulary::Vocabulary;

/// What stands before an error that somebody reads as it occurs.
const LABEL: &str = "error:";

/// How many forks may be made of each other, and how many files may read each other.
const DEPTH_MAX: usize = 16;

/// What comes after a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    Exit,
}

/// What dot commands change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) format: Format,
    pub(crate) timer: bool,
    pub(crate) explain: bool,
    /// Go on after an error, in what is no terminal.
    pub(crate) keep_going: bool,
}

/// A database that is worked on.
pub(crate) struct Session {
    db: Database,
    /// The databases that forks were made from, the first one first.
    bases: Vec<Database>,
    name: String,
    pub(crate) settings: Settings,
    width: Option<usize>,
    interactive: bool,
    interrupt: Interrupt,
    vocabulary: Rc<RefCell<Vocabulary>>,
    /// How many files are being read within each other.
    reading: usize,
}

impl Session {
    pub(crate) fn new(db: Database, name: &str, output: &OutputArgs, interactive: bool) -> Self {
        let settings = Settings { format: output.format, timer: false, explain: false, keep_going: output.keep_going };
        let session = Self {
            db,
            bases: Vec::new(),
            name: name.to_owned(),
            settings,
            width: output.width.map(usize::from),
            interactive,
            interrupt: Interrupt::default(),
            vocabulary: Rc::default(),
            reading: 0,
        };
        session.learn_database();
        session
    }

    /// Runs one statement or command and prints what it gives.
    ///
    /// # Errors
    /// What the database or the command says; [`Failure::Reported`] where the user has been told already;
    /// [`Failure::PipeClosed`]; [`Failure::Interrupted`].
    pub(crate) fn run(&mut self, unit: &Unit) -> Result<Flow, Failure> {
        match unit {
            Unit::Statement(text) => self.statement(text).map(|()| Flow::Continue),
            Unit::Command(line) => {
                let flow = dot_run::run(self, dot::parse(line)?)?;
                self.learn_database();
                Ok(flow)
            }
        }
    }

    fn statement(&self, text: &str) -> Result<(), Failure> {
        if self.settings.explain && is_select(text) {
            self.show_plan(text)?;
        }
        let outcome = execute(self, text)?;
        if !is_select(text) {
            self.learn_database();
        }
        let summary = match outcome.items {
            _ if !outcome.has_result => "OK".to_owned(),
            count => items(count as u64),
        };
        if self.settings.timer {
            self.remark(&format!("{summary} in {}", milliseconds(outcome.spent)));
        } else if self.interactive {
            self.note(&summary);
        }
        Ok(())
    }

    fn show_plan(&self, text: &str) -> Result<(), Failure> {
        let explained = self.db.execute_statement(&Statement::new(format!("EXPLAIN {text}")))?;
        let columns = Columns::named(&explained.columns);
        for record in &explained.records {
            let parts =
                columns.sort(record.item()).into_iter().map(|(name, value)| format!("{name}: {}", plain(value)));
            self.remark(&parts.collect::<Vec<_>>().join("; "));
        }
        Ok(())
    }

    /// Says something beside the results, where somebody reads along.
    pub(crate) fn note(&self, text: &str) {
        if self.interactive {
            println!("{}", paint(colours_wanted(), FAINT, text));
        }
    }

    /// Says something that was asked for beside the results: where nobody reads along, to standard error.
    pub(crate) fn remark(&self, text: &str) {
        if self.interactive { self.note(text) } else { eprintln!("{text}") }
    }

    /// Says what went wrong, to standard error: in the window where there is one, otherwise after the program's name.
    pub(crate) fn complain(&self, failure: &Failure) {
        if !self.interactive {
            return tell(failure);
        }
        let said = wrap(&format!("{LABEL} {failure}"), self.look().width.unwrap_or(usize::MAX));
        let said = said.strip_prefix(LABEL).unwrap_or(&said);
        eprintln!("{}{said}", paint(colours_wanted(), ERROR, LABEL));
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
        Look::of_stdout(self.width)
    }

    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
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

    fn learn_database(&self) {
        if self.interactive {
            self.vocabulary.borrow_mut().learn(&self.db);
        }
    }
}

fn is_select(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("SELECT"))
}

/// A time as people read it.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
