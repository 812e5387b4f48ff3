//! A database of the session, and whether it holds changes that no file has.
//!
//! A database that was never a file holds nothing that could get lost: the shell's greeting says that its data is
//! temporary. From the first time that it is opened from or saved to a file, its writes are counted against that file.

use kstone_api::Database;

/// What a database held at a moment: nothing was changed between two that are equal, of one database or of a fork.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    writes: u64,
    schema: String,
}

impl Version {
    fn of(db: &Database) -> Self {
        Self { writes: db.writes(), schema: db.schema().to_json() }
    }
}

/// Which version of a database a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Filed {
    /// It never was a file.
    Never,
    At(Version),
    /// The file has something else by now.
    Overwritten,
}

/// A database and what a file has of it.
pub(crate) struct State {
    db: Database,
    filed: Filed,
}

impl State {
    /// A database that was opened, from a file or not.
    pub(crate) fn opened(db: Database, from_file: bool) -> Self {
        let filed = if from_file { Filed::At(Version::of(&db)) } else { Filed::Never };
        Self { db, filed }
    }

    pub(crate) fn db(&self) -> &Database {
        &self.db
    }

    /// A fork of the database, as far as a file has it.
    ///
    /// # Errors
    /// Where the database cannot be forked.
    pub(crate) fn fork(&self) -> kstone_api::Result<Self> {
        Ok(Self { db: self.db.fork()?, filed: self.filed.clone() })
    }

    /// Goes on with a fork that has more than this database.
    pub(crate) fn replace(&mut self, fork: Database) {
        self.db = fork;
    }

    /// Whether there are changes that a file should have and has not.
    pub(crate) fn is_unsaved(&self) -> bool {
        match &self.filed {
            Filed::Never => false,
            Filed::At(version) => *version != Version::of(&self.db),
            Filed::Overwritten => true,
        }
    }

    /// Nothing was changed by what was written since there were so many writes, such as a deletion of what is not there.
    pub(crate) fn note_nothing_changed(&mut self, writes: u64) {
        if let Filed::At(version) = &mut self.filed
            && version.writes == writes
        {
            version.writes = self.db.writes();
        }
    }

    /// A file has all of it now.
    pub(crate) fn note_saved(&mut self) {
        self.filed = Filed::At(Version::of(&self.db));
    }

    /// A file has all of a fork of this database now, which has taken the place of what the file had of this one.
    pub(crate) fn note_overwritten_by(&mut self, fork: &Self) {
        let version = Version::of(&self.db);
        self.filed = if version == Version::of(&fork.db) { Filed::At(version) } else { Filed::Overwritten };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kstone_api::{Item, Statement, TableSchema};

    fn opened(from_file: bool) -> State {
        State::opened(Database::create_in_memory().unwrap(), from_file)
    }

    fn put(state: &State, key: &str) {
        state.db().put(key.as_bytes(), Item::new()).unwrap();
    }

    #[test]
    fn only_a_change_of_what_is_a_file_is_unsaved() {
        let memory = opened(false);
        put(&memory, "a");
        assert!(!memory.is_unsaved());
        let mut file = opened(true);
        assert!(!file.is_unsaved());
        for statement in ["SELECT * FROM items", "SELECT COUNT(*) FROM items"] {
            file.db().execute_statement(&Statement::new(statement)).unwrap();
            assert!(!file.is_unsaved(), "{statement}");
        }
        assert!(file.db().execute_statement(&Statement::new("UPDATE items SET n = 1 WHERE pk = 'none'")).is_err());
        assert!(!file.is_unsaved());
        put(&file, "a");
        assert!(file.is_unsaved());
        file.note_saved();
        assert!(!file.is_unsaved());
        file.db().configure(TableSchema::from_json(r#"{"name": "orders"}"#).unwrap()).unwrap();
        assert!(file.is_unsaved());
    }

    #[test]
    fn a_deletion_of_nothing_is_no_change_unless_there_are_others() {
        let mut file = opened(true);
        let delete = |file: &State| {
            let writes = file.db().writes();
            file.db().execute_statement(&Statement::new("DELETE FROM items WHERE pk = 'none'")).unwrap();
            writes
        };
        let writes = delete(&file);
        file.note_nothing_changed(writes);
        assert!(!file.is_unsaved());
        put(&file, "a");
        let writes = delete(&file);
        file.note_nothing_changed(writes);
        assert!(file.is_unsaved());
    }

    #[test]
    fn a_fork_is_unsaved_by_what_it_adds_and_its_original_is_not() {
        let original = opened(true);
        let fork = original.fork().unwrap();
        assert!(!fork.is_unsaved());
        put(&fork, "a");
        assert!(fork.is_unsaved() && !original.is_unsaved());
    }

    #[test]
    fn what_a_saved_fork_overwrites_stays_unsaved_however_many_writes_follow() {
        let mut original = opened(true);
        let fork = original.fork().unwrap();
        original.note_overwritten_by(&fork);
        assert!(!original.is_unsaved(), "they hold the same");
        put(&fork, "a");
        original.note_overwritten_by(&fork);
        assert!(original.is_unsaved());
        put(&original, "b");
        assert!(original.is_unsaved(), "as many writes as the fork had are no sign of the same content");
    }
}
