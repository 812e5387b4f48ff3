//! ExportTableToPointInTime, DescribeExport, ListExports (ack-api-quirks, `export.md`, captured in October 2026).
//!
//! An export is done before it is answered, and answered as on AWS: IN_PROGRESS. What goes wrong with its bucket is a
//! FAILED export, not a refusal. Its time is that of the moment that was kept, which its description says.

use kstone_api::json::{JsonForm, write_item};
use kstone_api::{Record as Item, Scan, Table};
use serde_json::{Map, Value, json};

use super::{backups, pages, tables};
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::definition::text;
use crate::catalog::recovery::{self, Moment, Moments};
use crate::echo::Echo;
use crate::files::export_tree::{Ended, ExportTree};
use crate::files::{Bucket, ion};
use crate::kept::Record;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// The most exports of a page.
const MAX_EXPORTS: usize = 25;
/// What an incremental export covers, in milliseconds.
const MIN_WINDOW: i64 = 15 * 60 * 1000;
const MAX_WINDOW: i64 = 24 * 60 * 60 * 1000;

/// What is exported.
enum Scope {
    Full(Box<Moment>),
    Changes { from: Box<Moment>, to: Box<Moment>, has_old: bool },
}

/// Exports the table.
pub(super) fn export(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let (shared, input) = (call.shared(), call.input());
    if input.has("FilterSpecification") {
        // To leave it out of account would export what the caller did not ask for.
        let (operation, why) = ("FilterSpecification", "an export here has every item");
        return Err(Refusal::validation(Text::NotHere { operation, why }));
    }
    let Some(root) = &shared.options.files_root else {
        return Err(Refusal::validation(Text::FilesRootMissing { operation: "ExportTableToPointInTime" }));
    };
    let arn = text(input, "TableArn");
    if !arn.starts_with("arn:") {
        return Err(Refusal::validation(Text::ExportTableArn));
    }
    if input.has("S3SseKmsKeyId") && !input.get("S3SseAlgorithm").is_some_and(|kind| kind.quoted().is("KMS")) {
        return Err(Refusal::validation(Text::ExportKey));
    }
    let token = input.get("ClientToken").map(|token| (token.text().into_owned(), asked(input, "ClientToken")));
    if let Some((token, asked)) = &token
        && let Some(known) = shared.kept.exports.find(|record| is_of_token(record, token))
    {
        if known.token.as_ref().is_some_and(|(_, before)| before != asked) {
            return Err(Refusal::new(RefusalKind::ExportConflict, Text::ExportConflict));
        }
        answer.object(|answer| answer.name("ExportDescription").raw(&known.description));
        return Ok(());
    }
    let table = backups::table_of(call, &arn)?;
    let scope = scope(call, &table)?;
    let now = shared.catalog.now_millis();
    let id = tables::job_id(now);
    let export_arn = format!("{}/export/{id}", shared.catalog.place.table_arn(&table.name));
    let mut described = description(call, &table, (&export_arn, &token), &scope, now);
    described.insert("ExportStatus".to_owned(), json!("IN_PROGRESS"));
    answer.object(|answer| answer.name("ExportDescription").raw(&Value::Object(described.clone()).to_string()));

    let bucket = Bucket::of(root, &text(input, "S3Bucket"));
    let ended = match bucket.is_there() {
        true => write(call, &table, &bucket, (&scope, &id, &export_arn)).map_err(|error| ("S3Error", error)),
        false => Err(("S3NoSuchBucket", "The specified bucket does not exist".to_owned())),
    };
    described.insert("EndTime".to_owned(), seconds(shared.catalog.now_millis()));
    described.insert("ExportStatus".to_owned(), json!(if ended.is_ok() { "COMPLETED" } else { "FAILED" }));
    match ended {
        Ok(Ended { manifest, items, bytes }) => described.extend([
            ("ExportManifest".to_owned(), json!(manifest)),
            ("ItemCount".to_owned(), json!(items)),
            ("BilledSizeBytes".to_owned(), json!(bytes)),
        ]),
        Err((code, message)) => {
            described.extend([("FailureCode".to_owned(), json!(code)), ("FailureMessage".to_owned(), json!(message))])
        }
    }
    let kind = if matches!(scope, Scope::Full(_)) { "FULL_EXPORT" } else { "INCREMENTAL_EXPORT" };
    let summary = json!({"ExportArn": export_arn, "ExportStatus": described["ExportStatus"], "ExportType": kind});
    let (table_arn, table_id) = (shared.catalog.place.table_arn(&table.name), table.settings.id.clone());
    let (description, summary) = (Value::Object(described).to_string(), summary.to_string());
    shared.kept.exports.add(Record { arn: export_arn, table_arn, table_id, token, description, summary });
    Ok(())
}

/// What a request asks for, without its token: two that are alike are one.
pub(super) fn asked(input: &crate::view::Structure<'_>, token: &str) -> String {
    let members = input.shape().shape().members().iter().enumerate();
    let members = members.filter(|(_, member)| member.name != token).filter_map(|(at, member)| {
        let value: Value = serde_json::from_str(input.at(at)?.json()).ok()?;
        Some((member.name.to_owned(), value))
    });
    Value::Object(members.collect()).to_string()
}

/// Whether a record is of the request with this token.
pub(super) fn is_of_token(record: &Record, token: &str) -> bool {
    record.token.as_ref().is_some_and(|(known, _)| known == token)
}

/// A moment, as descriptions in JSON have it.
pub(super) fn seconds(millis: i64) -> Value {
    // Milliseconds of today are far below what a double holds exactly.
    json!(millis as f64 / 1000.0)
}

/// What is to be exported, and whether that can be.
fn scope(call: &Call<'_>, table: &CatalogTable) -> Result<Scope, Refusal> {
    let input = call.input();
    let incremental = input.get("IncrementalExportSpecification").map(|specification| specification.structure());
    let is_incremental = input.get("ExportType").is_some_and(|kind| kind.quoted().is("INCREMENTAL_EXPORT"));
    match (&incremental, is_incremental, input.has("ExportType")) {
        (Some(_), false, false) => return Err(Refusal::validation(Text::IncrementalType)),
        (Some(_), false, true) => return Err(Refusal::validation(Text::IncrementalOfFull)),
        (None, true, _) => return Err(Refusal::validation(Text::IncrementalMissing)),
        _ => {}
    }
    let Some(moments) = &table.moments else {
        let text = Text::RecoveryDisabled { table: table.name.clone() };
        return Err(Refusal::new(RefusalKind::PointInTimeRecoveryUnavailable, text));
    };
    let moment = |value: Option<crate::view::Value<'_>>| value.map(|moment| backups::millis(moment.json()));
    let now = call.shared().catalog.now_millis();
    let Some(incremental) = incremental else {
        let asked = moment(input.get("ExportTime")).unwrap_or(now);
        if asked > now || asked < moments.earliest() {
            return Err(invalid_time(Text::ExportTime));
        }
        return Ok(Scope::Full(moment_at(call, table, moments, asked)?));
    };
    let Some(from) = moment(incremental.get("ExportFromTime")) else {
        return Err(Refusal::validation(Text::IncrementalFrom));
    };
    let to = moment(incremental.get("ExportToTime")).unwrap_or(now);
    let spelled =
        |millis: i64| format!("{}Z", crate::streams::label::label(millis).split('.').next().unwrap_or_default());
    if from < moments.earliest() {
        return Err(invalid_time(Text::IncrementalBefore { moment: spelled(from) }));
    }
    if to > now {
        return Err(invalid_time(Text::IncrementalAfter { moment: spelled(to) }));
    }
    if to.saturating_sub(from) < MIN_WINDOW {
        return Err(invalid_time(Text::IncrementalShort));
    }
    if to.saturating_sub(from) > MAX_WINDOW {
        return Err(invalid_time(Text::IncrementalLong));
    }
    let has_old = incremental.get("ExportViewType").is_none_or(|view| view.quoted().is("NEW_AND_OLD_IMAGES"));
    let from = moment_at(call, table, moments, from)?;
    Ok(Scope::Changes { from, to: moment_at(call, table, moments, to)?, has_old })
}

/// The newest moment that is not behind this one; now itself where that is meant.
fn moment_at(call: &Call<'_>, table: &CatalogTable, moments: &Moments, asked: i64) -> Result<Box<Moment>, Refusal> {
    let now = call.shared().catalog.now_millis();
    if asked.div_euclid(1000) >= now.div_euclid(1000) {
        return recovery::now(&table.table, &table.settings, now).map(Box::new).map_err(|error| call.below(&error));
    }
    moments.at(asked).map(Box::new).ok_or_else(|| invalid_time(Text::ExportTimeUnkept))
}

fn invalid_time(text: Text) -> Refusal {
    Refusal::new(RefusalKind::InvalidExportTime, text)
}

fn is_ion(call: &Call<'_>) -> bool {
    call.input().get("ExportFormat").is_some_and(|format| format.quoted().is("ION"))
}

fn format_of(call: &Call<'_>) -> &'static str {
    if is_ion(call) { "ION" } else { "DYNAMODB_JSON" }
}

/// What is said of the export before it is done.
fn description(
    call: &Call<'_>,
    table: &CatalogTable,
    (arn, token): (&str, &Option<(String, String)>),
    scope: &Scope,
    now: i64,
) -> Map<String, Value> {
    let input = call.input();
    let mut described = Map::new();
    let mut say = |name: &str, value: Value| described.insert(name.to_owned(), value);
    say("ExportArn", json!(arn));
    say("StartTime", seconds(now));
    say("TableArn", json!(call.shared().catalog.place.table_arn(&table.name)));
    say("TableId", json!(table.settings.id));
    say("ExportFormat", json!(format_of(call)));
    let sse = text(input, "S3SseAlgorithm");
    say("S3SseAlgorithm", json!(if sse.is_empty() { "AES256" } else { &sse }));
    // Each request has a token: its own, or one that is made for it.
    say("ClientToken", json!(token.as_ref().map_or_else(tables::new_id, |(token, _)| token.clone())));
    for member in ["S3Bucket", "S3BucketOwner", "S3Prefix", "S3SseKmsKeyId"] {
        if input.has(member) {
            say(member, json!(text(input, member)));
        }
    }
    match scope {
        Scope::Full(moment) => say("ExportTime", seconds(moment.at)),
        Scope::Changes { from, to, has_old } => {
            say("ExportType", json!("INCREMENTAL_EXPORT"));
            let view = if *has_old { "NEW_AND_OLD_IMAGES" } else { "NEW_IMAGE" };
            let times = (seconds(from.at), seconds(to.at));
            say(
                "IncrementalExportSpecification",
                json!({"ExportFromTime": times.0, "ExportToTime": times.1, "ExportViewType": view}),
            )
        }
    };
    described
}

/// Writes the tree.
fn write(
    call: &Call<'_>,
    table: &CatalogTable,
    bucket: &Bucket,
    (scope, id, arn): (&Scope, &str, &str),
) -> Result<Ended, String> {
    let input = call.input();
    let prefix = text(input, "S3Prefix");
    let prefix = prefix.trim_matches('/');
    let separator = if prefix.is_empty() { "" } else { "/" };
    let folder = format!("{prefix}{separator}AWSDynamoDB/{id}/");
    let start = crate::streams::label::label(call.shared().catalog.now_millis());
    let mut tree = ExportTree::begin(bucket, folder, is_ion(call)).map_err(|error| error.to_string())?;
    match scope {
        Scope::Full(moment) => full(&mut tree, &moment.table, is_ion(call))?,
        Scope::Changes { from, to, has_old } => changes(&mut tree, (from, to), *has_old, is_ion(call))?,
    }
    let mut summary = Map::new();
    let mut say = |name: &str, value: Value| summary.insert(name.to_owned(), value);
    let spelled = |millis: i64| json!(format!("{}Z", crate::streams::label::label(millis)));
    say("version", json!("2020-06-30"));
    say("exportArn", json!(arn));
    say("startTime", json!(format!("{start}Z")));
    say("endTime", spelled(call.shared().catalog.now_millis()));
    say("tableArn", json!(call.shared().catalog.place.table_arn(&table.name)));
    say("tableId", json!(table.settings.id));
    say("s3Bucket", json!(text(input, "S3Bucket")));
    say("s3Prefix", if input.has("S3Prefix") { json!(text(input, "S3Prefix")) } else { Value::Null });
    let sse = text(input, "S3SseAlgorithm");
    say("s3SseAlgorithm", json!(if sse.is_empty() { "AES256" } else { &sse }));
    say("s3SseKmsKeyId", input.get("S3SseKmsKeyId").map_or(Value::Null, |key| json!(key.text())));
    say("outputFormat", json!(format_of(call)));
    match scope {
        Scope::Full(moment) => say("exportTime", spelled(moment.at)),
        Scope::Changes { from, to, has_old } => {
            say("exportType", json!("INCREMENTAL_EXPORT"));
            say("exportFromTime", spelled(from.at));
            say("exportToTime", spelled(to.at));
            say("outputView", json!(if *has_old { "NEW_AND_OLD_IMAGES" } else { "NEW_IMAGE" }))
        }
    };
    tree.end(summary).map_err(|error| error.to_string())
}

/// Writes each item.
fn full(tree: &mut ExportTree<'_>, table: &Table, is_ion: bool) -> Result<(), String> {
    let mut line = String::new();
    for item in table.iter_scan(&Scan::new()).map_err(|error| error.to_string())? {
        line.clear();
        line.push_str(if is_ion { "$ion_1_0 {Item:" } else { "{\"Item\":" });
        image(&mut line, &item, is_ion);
        line.push('}');
        tree.line(&line).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn image(line: &mut String, item: &Item, is_ion: bool) {
    if is_ion { ion::write_item(line, item.item()) } else { write_item(line, item.item(), JsonForm::Typed) }
}

/// Writes each item that differs between two moments: several changes of one are one. When it was written is not known to
/// the microsecond; the later moment is said.
fn changes(
    tree: &mut ExportTree<'_>,
    (from, to): (&Moment, &Moment),
    has_old: bool,
    is_ion: bool,
) -> Result<(), String> {
    let said = |error: kstone_api::Error| error.to_string();
    let keys: Vec<String> = crate::copies::layout_of(&to.table).parts().map(|part| part.name().to_owned()).collect();
    let mut write = |new: Option<&Item>, old: Option<&Item>| {
        let Some(any) = new.or(old) else { return Ok(()) };
        let line = change_line((&keys, any), (new, old.filter(|_| has_old)), to.at, is_ion);
        tree.line(&line).map_err(|error| error.to_string())
    };
    for item in to.table.iter_scan(&Scan::new()).map_err(said)? {
        let before = from.table.get_record_of(&item).map_err(said)?;
        if before.as_ref().is_none_or(|before| before.body() != item.body()) {
            write(Some(&item), before.as_ref())?;
        }
    }
    for item in from.table.iter_scan(&Scan::new()).map_err(said)? {
        if to.table.get_record_of(&item).map_err(said)?.is_none() {
            write(None, Some(&item))?;
        }
    }
    Ok(())
}

fn change_line(
    (keys, any): (&[String], &Item),
    (new, old): (Option<&Item>, Option<&Item>),
    at: i64,
    is_ion: bool,
) -> String {
    let micros = at.saturating_mul(1000);
    let mut line = match is_ion {
        true => format!("$ion_1_0 {{Record:{{Metadata:{{WriteTimestampMicros:{micros}.}},Keys:"),
        false => format!("{{\"Metadata\":{{\"WriteTimestampMicros\":{{\"N\":\"{micros}\"}}}},\"Keys\":"),
    };
    let mut key = kstone_api::ItemWriter::new();
    for name in keys {
        if let Some(value) = any.item().get(name) {
            // The value is of an item, and so is good.
            let _good = key.set_ref(name, value);
        }
    }
    if is_ion {
        ion::write_item(&mut line, key.as_item())
    } else {
        write_item(&mut line, key.as_item(), JsonForm::Typed)
    }
    for (name, item) in [("NewImage", new), ("OldImage", old)] {
        let Some(item) = item else { continue };
        line.push_str(&if is_ion { format!(",{name}:") } else { format!(",\"{name}\":") });
        image(&mut line, item, is_ion);
    }
    line.push_str(if is_ion { "}}" } else { "}" });
    line
}

/// Describes an export.
pub(super) fn describe(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let arn = call.text("ExportArn");
    if !(arn.starts_with("arn:aws:dynamodb:") && arn.contains("/export/")) {
        return Err(Refusal::validation(Text::ExportArnInvalid));
    }
    let Some(record) = call.shared().kept.exports.get(&arn) else {
        return Err(Refusal::new(RefusalKind::ExportNotFound, Text::ExportNotFound { arn: Echo::of(&arn) }));
    };
    answer.object(|answer| answer.name("ExportDescription").raw(&record.description));
    Ok(())
}

/// Lists exports, the newest first; of a table, those of the one that has its name now.
pub(super) fn list(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let shared = call.shared();
    let mut all = shared.kept.exports.all();
    if let Some(arn) = call.input().get("TableArn") {
        let arn = arn.text();
        let table = shared.catalog.place.name_of_table_arn(&arn).and_then(|name| shared.catalog.entry(name));
        let id = table.map(|table| table.settings.id.clone());
        all.retain(|record| record.table_arn == arn && Some(&record.table_id) == id.as_ref());
    }
    pages::records(call, answer, ("ExportSummaries", "MaxResults", MAX_EXPORTS), &all)
}
