//! What each dot command does.

use std::path::PathBuf;

use kstone_api::{ItemWriter, KeyRef, Record};

use crate::dot::{Dot, ForkEnd, Switch, help};
use crate::session::database_file::{self, MEMORY, read_schema};

use crate::failure::Failure;
use crate::format::Columns;
use crate::import::import;
use crate::output::Screen;
use crate::output::indent::indent;
use crate::output::text::{self, items, visible_json};
use crate::session::indexes::{self, indexes};
use crate::session::{Session, Settings};

use super::Next;
use super::statement::show;

/// Carries a command out.
///
/// # Errors
/// What is wrong with its arguments, or with what it does; then nothing has changed.
pub(super) fn run(session: &mut Session, dot: Dot) -> Result<Next, Failure> {
    match dot {
        Dot::Exit => return Ok(Next::Exit),
        Dot::Read { file } => return Ok(Next::Read(file)),
        Dot::Help { command } => print(session, &help(command.as_deref())?)?,
        Dot::Format { format: Some(format) } => session.settings.format = format,
        Dot::Format { format: None } => print(session, &format!("{}\n", session.format().name()))?,
        Dot::Timer { switch } => switch_over(session, |settings| &mut settings.timer, switch)?,
        Dot::Explain { switch } => switch_over(session, |settings| &mut settings.explain, switch)?,
        Dot::Clear => {
            let mut screen = Screen::output();
            screen.clear()?;
            screen.finish()?;
        }
        Dot::Schema { schema: None } => {
            print(session, &format!("{}\n", visible_json(indent(&session.db().schema().to_json(), 0))))?
        }
        Dot::Schema { schema: schema @ Some(_) } => {
            session.db().configure(read_schema(schema.as_deref())?)?;
            session.note("the schema is in force")?;
        }
        Dot::Indexes => {
            let mut rows = Vec::new();
            for index in indexes(&session.db().schema()) {
                let mut row = ItemWriter::new();
                for (name, text) in indexes::COLUMNS.iter().zip(index.row()).filter(|(_, text)| !text.is_empty()) {
                    row.set_str(name, text)?;
                }
                rows.push(row);
            }
            show_rows(session, &indexes::COLUMNS, rows)?;
        }
        Dot::Stats => show_rows(session, &["statistic", "value"], statistics(session)?)?,
        Dot::Import { file, options } => {
            // Into a fork, so that an import that fails changes nothing.
            let fork = session.db().fork()?;
            let imported = import(&fork, &file, &options, session.interrupt())?;
            session.replace_db(fork);
            session.note(&imported.to_string())?;
        }
        Dot::Export { file } => {
            let exported = session.db().export_json_file(&file)?;
            session.note(&format!("{} written to {}", items(exported), text::path(&file)))?;
        }
        Dot::Save { file } => {
            let file = file.or_else(|| session.opened().map(PathBuf::from));
            let file = file.ok_or_else(|| Failure::message("no snapshot was opened: name a file, .save FILE"))?;
            let saved = session.db().save_snapshot(&file)?;
            session.note(&format!("{} saved to {}", items(saved), text::path(&file)))?;
        }
        Dot::Open { file } => {
            let db = database_file::open(&file, None)?;
            session.open(db, &file);
            let what = if file == MEMORY { "an empty database" } else { file.as_str() };
            session.note(&format!("opened {what}"))?;
        }
        Dot::Fork { end: None } => {
            session.fork()?;
            session.note("on a fork now: .fork keep stays with it, .fork drop goes back")?;
        }
        Dot::Fork { end: Some(end) } => {
            session.end_fork(end == ForkEnd::Keep)?;
            session.note(if end == ForkEnd::Keep { "kept the fork" } else { "dropped the fork" })?;
        }
    }
    Ok(Next::Continue)
}

/// Prints what a command gives where results go.
fn print(session: &Session, text: &str) -> Result<(), Failure> {
    let mut out = session.results(session.look());
    out.text(text)?;
    Ok(out.finish()?)
}

/// Changes a setting, or says what it is.
fn switch_over(
    session: &mut Session,
    setting: impl Fn(&mut Settings) -> &mut bool,
    switch: Option<Switch>,
) -> Result<(), Failure> {
    let setting = setting(&mut session.settings);
    match switch {
        Some(switch) => *setting = switch == Switch::On,
        None => {
            let text = if *setting { "on\n" } else { "off\n" };
            print(session, text)?;
        }
    }
    Ok(())
}

/// Prints rows of what is no table of the database as if it were.
fn show_rows(session: &Session, columns: &[&str], rows: Vec<ItemWriter>) -> Result<(), Failure> {
    let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let key = KeyRef::new(b"row", b"")?;
    let mut rows = Some(rows.into_iter().map(|mut row| Record::put(key, row.finish())).collect());
    show(session, Columns::named(&columns), || Ok(rows.take())).map(drop)
}

fn statistics(session: &Session) -> Result<Vec<ItemWriter>, Failure> {
    let stats = serde_json::to_value(session.db().stats()?).map_err(|error| Failure::message(error.to_string()))?;
    let mut rows = Vec::new();
    for (name, value) in stats.as_object().into_iter().flatten() {
        let mut row = ItemWriter::new();
        row.set_str("statistic", name)?.set_num("value", &value.to_string())?;
        rows.push(row);
    }
    Ok(rows)
}
