//! A whole store to a file and back: kstone's snapshots compared with SQLite's backup API, on whatever disk the system's
//! directory for temporary files is (`TMPDIR` says another).
//!
//! Both files are on the disk when their time ends: kstone syncs file and directory, SQLite commits with its default,
//! `synchronous = FULL`. Both are looked into before they are believed: records are compared after each way back.

use std::path::Path;

use tempfile::TempDir;

use crate::clock::{Elapsed, time};
use crate::data::{Data, Key};
use crate::peers::Scale;
use crate::runner::{Measure, Measurement};
use crate::store::{Result, Store, Work};
use crate::workload::Workload;

/// How many records are compared, byte by byte, after a way back.
const CHECKED_RECORDS: usize = 1_000;

/// A store that goes to a file and comes back.
pub(crate) trait Saved: Store {
    /// Writes all of it to a file, which is on the disk when this returns.
    fn save(&self, path: &Path) -> Result<()>;

    /// A store in memory with what was saved.
    fn read(path: &Path) -> Result<Self>;
}

/// A store with its records, and the directory of its file.
pub(crate) struct SnapshotRunner<S> {
    data: Data,
    directory: TempDir,
    store: Option<S>,
}

impl<S: Saved> SnapshotRunner<S> {
    /// Makes the data; the store is loaded with the first measurement.
    pub(crate) fn new(scale: Scale) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("kstone-bench-").tempdir()?;
        Ok(Self { data: Data::points(scale.records, 0, scale.seed, 0), directory, store: None })
    }

    fn store(&mut self) -> Result<&S> {
        if self.store.is_none() {
            let mut store = S::open(self.data.load.len(), crate::data::Shape::Points)?;
            store.run(&Work::Put(&self.data.load));
            self.store = Some(store);
        }
        self.store.as_ref().ok_or_else(|| "the store was just made".into())
    }

    fn save(&mut self) -> Result<Elapsed> {
        let path = self.directory.path().join("snapshot");
        if path.exists() {
            std::fs::remove_file(&path)?;
        }
        let store = self.store()?;
        let (saved, elapsed) = time(|| store.save(&path));
        saved.map(|()| elapsed)
    }

    fn read(&mut self) -> Result<Elapsed> {
        let path = self.directory.path().join("snapshot");
        if !path.exists() {
            self.save()?;
        }
        let (store, elapsed) = time(|| S::read(&path));
        let step = (self.data.load.len() / CHECKED_RECORDS).max(1);
        let keys: Vec<Key> = self.data.load.iter().copied().step_by(step).collect();
        match store?.run(&Work::Check(&keys)).seen == keys.len() as u64 {
            true => Ok(elapsed),
            false => Err("a record is not as it was saved".into()),
        }
    }
}

impl<S: Saved> Measure for SnapshotRunner<S> {
    fn measure(&mut self, workload: Workload) -> Result<Option<Measurement>> {
        let elapsed = match workload {
            Workload::SaveFile => self.save()?,
            Workload::LoadFile => self.read()?,
            _ => return Ok(None),
        };
        let items = self.data.load.len() as f64;
        Ok(Some(elapsed.measured(|time| time.as_secs_f64() * 1e9 / items)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::kstone::Kstone;
    use crate::peers::sqlite::Sqlite;

    fn there_and_back<S: Saved>() {
        let scale = Scale { records: 5_000, operations: 0, threads: 1, seed: 1 };
        let mut runner = SnapshotRunner::<S>::new(scale).expect("there is a disk");
        for workload in [Workload::LoadFile, Workload::SaveFile, Workload::LoadFile] {
            let measured = runner.measure(workload).expect("it is measured").expect("it has a part in it");
            assert!(measured.value > 0.0);
        }
        assert!(runner.measure(Workload::Get).expect("nothing is measured").is_none());
    }

    #[test]
    fn records_go_to_a_file_and_come_back() {
        there_and_back::<Kstone>();
        there_and_back::<Sqlite>();
    }
}
