//! One database, the file that it is of, its forks, and how results are shown.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use kstone_api::{Database, KeyLayout, PreparedStatement, Record};

use crate::failure::Failure;
use crate::format::{Format, Layout};
use crate::interrupt::{Input, Interrupt};
use crate::output::style::{ERROR, FAINT, PROMPT};
use crate::output::text::wrap;
use crate::output::{Screen, complain, tell};

pub(crate) mod database_file;
mod destination;
pub(crate) mod indexes;
pub(crate) mod parameters;
mod state;
pub(crate) mod vocabulary;

use database_file::{Source, is_same_file};
use destination::Destination;
use parameters::Parameters;
use state::State;
use vocabulary::Vocabulary;

/// What stands before an error that somebody reads as it occurs.
const LABEL: &str = "error:";

/// How many forks may be made of each other, and how many files may read each other.
const DEPTH_MAX: usize = 16;

/// What dot commands change.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) format: Format,
    pub(crate) timer: bool,
    pub(crate) explain: bool,
    /// Go on after an error, where there is no terminal.
    pub(crate) keep_going: bool,
    /// Columns that tables fit into, where it is not the terminal that says it.
    pub(crate) width: Option<usize>,
    /// How wide the columns of tables are, by their place: negative is set to the right, 0 as wide as needed.
    pub(crate) column_widths: Vec<i16>,
    /// What stands for null in tables and CSV, where it is not what they have by themselves.
    pub(crate) null: Option<String>,
}

impl Settings {
    /// Those of a new session.
    pub(crate) fn new(format: Format, keep_going: bool, width: Option<usize>) -> Self {
        let (column_widths, null) = (Vec::new(), None);
        Self { format, timer: false, explain: false, keep_going, width, column_widths, null }
    }
}

/// A database that is worked on.
pub(crate) struct Session {
    state: State,
    /// The databases that forks were made from, the first one first.
    bases: Vec<State>,
    source: Source,
    /// Whether another database may take its place: not where `--save` is to write this one back.
    pinned: bool,
    pub(crate) settings: Settings,
    pub(crate) destination: Destination,
    pub(crate) parameters: Parameters,
    /// What `.prepare` read, by its names. It belongs to no database, and stays when another is opened.
    pub(crate) prepared: BTreeMap<String, PreparedStatement>,
    interactive: bool,
    interrupt: Interrupt,
    vocabulary: Rc<RefCell<Vocabulary>>,
    /// How many files are being read within each other.
    reading: usize,
}

impl Session {
    pub(crate) fn new(
        db: Database,
        source: Source,
        settings: Settings,
        interrupt: Interrupt,
        interactive: bool,
    ) -> Self {
        let session = Self {
            state: State::opened(db, source.file().is_some()),
            bases: Vec::new(),
            source,
            pinned: false,
            settings,
            destination: Destination::default(),
            parameters: Parameters::default(),
            prepared: BTreeMap::new(),
            interactive,
            interrupt,
            vocabulary: Rc::default(),
            reading: 0,
        };
        session.learn_database();
        session
    }

    /// The same, of a database that no other may take the place of.
    pub(crate) fn pinned(self) -> Self {
        Self { pinned: true, ..self }
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

    /// Says what went wrong, to standard error: on a terminal in its window, otherwise after the program's name.
    pub(crate) fn complain(&self, failure: &Failure) {
        if !self.interactive {
            return tell(failure);
        }
        let said = wrap(&format!("{LABEL} {failure}"), self.layout().look.width.unwrap_or(usize::MAX));
        let said = said.strip_prefix(LABEL).unwrap_or(&said);
        complain(|screen| {
            screen.styled(ERROR, LABEL)?;
            writeln!(screen, "{said}")
        });
    }

    /// Where results are written.
    pub(crate) fn results(&self) -> Screen<'_> {
        self.destination.screen(self.destination.look(self.settings.width))
    }

    /// How results look there.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            look: self.destination.look(self.settings.width),
            column_widths: self.settings.column_widths.clone(),
            null: self.settings.null.clone(),
        }
    }

    pub(crate) fn db(&self) -> &Database {
        self.state.db()
    }

    /// Where the database comes from.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn format(&self) -> Format {
        self.settings.format
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

    /// Standard input, whose reading Ctrl-C ends.
    ///
    /// # Errors
    /// Where there is none.
    pub(crate) fn input(&self) -> io::Result<BufReader<Input>> {
        let file = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(BufReader::new(self.interrupt.input(file.into())))
    }

    /// Goes on with another database.
    ///
    /// # Errors
    /// Where `--save` is to write this one back, or the user wants to keep it; where the other cannot be opened.
    pub(crate) fn open(&mut self, source: Source) -> Result<(), Failure> {
        if self.pinned {
            return Err(Failure::message(format!("--save writes {} back, so no other can be opened", self.source)));
        }
        if !self.may_leave(&format!("opening {source}"))? {
            return Err(Failure::message(format!("{source} was not opened")));
        }
        let db = database_file::open(&source, None, &self.interrupt)?;
        self.state = State::opened(db, source.file().is_some());
        self.bases.clear();
        self.source = source;
        Ok(())
    }

    /// Writes a snapshot of the database, to the file that it is of unless another is named; which, and how many items.
    /// A database that was never a file is of this one from now on.
    ///
    /// # Errors
    /// Where there is no file to write to, or it cannot be written.
    pub(crate) fn save(&mut self, file: Option<PathBuf>) -> Result<(PathBuf, u64), Failure> {
        let file = file.or_else(|| self.source.file().map(Path::to_owned));
        let file = file.ok_or_else(|| Failure::message("no snapshot was opened: name a file, .save FILE"))?;
        let items = self.db().save_snapshot(&file)?;
        self.state.note_saved();
        match self.source.file() {
            None => self.source = Source::File(file.clone()),
            Some(own) if is_same_file(own, &file) => {
                self.bases.iter_mut().for_each(|base| base.note_overwritten_by(&self.state));
            }
            Some(_) => {}
        }
        Ok((file, items))
    }

    /// Whether the database, or one that a fork was made from, has changes that no file has.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.state.is_unsaved()
    }

    /// Runs a statement that deletes, and sees whether it did: a deletion of what is not there is no change to save.
    /// Counts the items twice, where nothing was to be saved before it.
    ///
    /// # Errors
    /// What `delete` fails with.
    pub(crate) fn deleting<T>(&mut self, delete: impl FnOnce(&Self) -> Result<T, Failure>) -> Result<T, Failure> {
        if self.source.file().is_none() || self.is_unsaved() {
            return delete(self);
        }
        let (items, writes) = (self.db().count()?, self.db().writes());
        let outcome = delete(self)?;
        if self.db().count()? == items {
            self.state.note_nothing_changed(writes);
        }
        Ok(outcome)
    }

    /// What would get lost, in words.
    pub(crate) fn unsaved(&self) -> String {
        let fork = if self.bases.is_empty() { "" } else { " and of its fork" };
        format!("changes of {}{fork} are not saved", self.source)
    }

    /// Whether the database may be left: asks what becomes of changes that no file has, on a terminal; otherwise warns.
    ///
    /// # Errors
    /// Where the terminal fails.
    pub(crate) fn may_leave(&mut self, before: &str) -> Result<bool, Failure> {
        if !self.is_unsaved() {
            return Ok(true);
        }
        if !self.interactive {
            tell(format_args!("warning: before {before}: {}", self.unsaved()));
            return Ok(true);
        }
        loop {
            let mut screen = Screen::output();
            let question = format!("{}: (s)ave, (d)iscard or (c)ancel?", self.unsaved());
            screen.styled(PROMPT, &question)?;
            screen.text(" ")?;
            screen.finish()?;
            let mut answer = String::new();
            let end = match self.input()?.read_line(&mut answer) {
                Err(_) if self.interrupt.check().is_err() => 0,
                count => count?,
            };
            if end == 0 {
                self.interrupt.clear();
                self.note("")?;
                return Ok(false);
            }
            match answer.trim().to_ascii_lowercase().as_str() {
                "s" | "save" => {
                    let (file, items) = match self.save(None) {
                        Ok(saved) => saved,
                        Err(failure) => {
                            self.complain(&failure);
                            return Ok(false);
                        }
                    };
                    self.note_saved(&file, items)?;
                    return Ok(true);
                }
                "d" | "discard" => return Ok(true),
                "c" | "cancel" => return Ok(false),
                _ => {}
            }
        }
    }

    /// Says what a save has written.
    ///
    /// # Errors
    /// Where standard output cannot be written.
    pub(crate) fn note_saved(&self, file: &Path, items: u64) -> Result<(), Failure> {
        let (items, file) = (crate::output::text::items(items), crate::output::text::path(file));
        self.note(&format!("{items} saved to {file}"))
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
        let fork = self.state.fork()?;
        self.bases.push(std::mem::replace(&mut self.state, fork));
        Ok(())
    }

    /// Ends the newest fork: keeps it in the place of the database that it was made from, or drops it.
    ///
    /// # Errors
    /// Where there is no fork.
    pub(crate) fn end_fork(&mut self, keep: bool) -> Result<(), Failure> {
        let base = self.bases.pop().ok_or_else(|| Failure::message("there is no fork: .fork makes one"))?;
        if !keep {
            self.state = base;
        }
        Ok(())
    }

    /// Does something that may fail half-way to a fork, which takes the place of the database if it succeeds.
    ///
    /// # Errors
    /// What `change` fails with; then the database is as it was.
    pub(crate) fn try_on_fork<T>(
        &mut self,
        change: impl FnOnce(&Database) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let fork = self.db().fork()?;
        let outcome = change(&fork).map_err(|failure| self.interrupt.blamed(failure))?;
        self.interrupt.check()?;
        self.state.replace(fork);
        Ok(outcome)
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

    /// The names and types of the table's key.
    ///
    /// # Errors
    /// None of a schema that is in force.
    pub(crate) fn key(&self) -> Result<KeyLayout, Failure> {
        Ok(self.db().schema().key_layout()?.unwrap_or_else(|| KeyLayout::untyped().clone()))
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
            self.vocabulary.borrow_mut().learn(self.db());
        }
    }
}
