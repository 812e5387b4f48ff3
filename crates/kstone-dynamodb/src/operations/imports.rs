//! ImportTable, DescribeImport, ListImports (ack-api-quirks, `import.md`, captured in October 2026).
//!
//! An import is done before it is answered, and answered as on AWS: IN_PROGRESS. Any record that is no item makes it FAILED,
//! and the table holds the others; a bucket that is not there makes it FAILED without a table.

use kstone_api::json::{JsonForm, item_from_str};
use serde_json::{Map, Value, json};

use super::{create_table, exports, pages, tables};
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::definition::{self, Definitions, elements, text};
use crate::echo::Echo;
use crate::files::Bucket;
use crate::files::source::{Format, Packing, read};
use crate::kept::Record;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;
use crate::view::Structure;

/// The most imports of a page.
const MAX_IMPORTS: usize = 25;

/// How far an import came.
#[derive(Default)]
struct Counts {
    bytes: u64,
    records: u64,
    imported: u64,
    wrong: u64,
}

/// Makes a table of what lies in a bucket.
pub(super) fn import(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let (shared, input) = (call.shared(), call.input());
    let Some(root) = &shared.options.files_root else {
        return Err(Refusal::validation(Text::FilesRootMissing { operation: "ImportTable" }));
    };
    let parameters = input.get("TableCreationParameters").expect("a required member");
    let (created, source) =
        (parameters.structure(), input.get("S3BucketSource").expect("a required member").structure());
    let format = text(input, "InputFormat");
    if input.has("InputFormatOptions") && format != "CSV" {
        return Err(Refusal::validation(Text::ImportOptions { format }));
    }
    let name = text(&created, "TableName");
    let token = input.get("ClientToken").map(|token| (token.text().into_owned(), name.clone()));
    if let Some((token, name)) = &token
        && let Some(known) = shared.kept.imports.find(|record| exports::is_of_token(record, token))
    {
        // While the import runs, its token brings the same one; it has run.
        if known.token.as_ref().is_some_and(|(_, before)| before != name) {
            return Err(Refusal::new(RefusalKind::ImportConflict, Text::ImportConflict));
        }
    }
    create_table::check_parameters(&created).map_err(Refusal::validation)?;
    let _no_other_change = shared.catalog.changing.lock();
    if shared.catalog.entry(&name).is_some() {
        return Err(Refusal::new(RefusalKind::ResourceInUse, Text::TableExists { name }));
    }
    let bucket = Bucket::of(root, &text(&source, "S3Bucket"));
    let settings = create_table::settings(call, &created);
    let id = settings.id.clone();
    let now = shared.catalog.now_millis();
    let table_arn = shared.catalog.place.table_arn(&name);
    let import_arn = format!("{table_arn}/import/{}", tables::job_id(now));
    let mut described = description(call, (&import_arn, &table_arn, &id), &token, now);
    let answered = Value::Object(described.clone()).to_string();

    let (counts, failure) = match bucket.is_there() {
        false => (Counts::default(), Some(("S3NoSuchBucket", "The specified bucket does not exist".to_owned()))),
        true => {
            let table = tables::make(call, definition::schema(&name, &created), settings)?;
            let filled = fill(call, &table, &bucket, (&source, &created));
            shared.catalog.insert(table);
            filled
        }
    };
    let failure = failure.or_else(|| {
        let message = "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more details.";
        (counts.wrong > 0).then(|| ("ItemValidationError", message.to_owned()))
    });
    let status = if failure.is_none() { "COMPLETED" } else { "FAILED" };
    described.extend([
        ("ImportStatus".to_owned(), json!(status)),
        ("EndTime".to_owned(), exports::seconds(shared.catalog.now_millis())),
        ("ErrorCount".to_owned(), json!(counts.wrong)),
        ("ProcessedSizeBytes".to_owned(), json!(counts.bytes)),
        ("ProcessedItemCount".to_owned(), json!(counts.records)),
        ("ImportedItemCount".to_owned(), json!(counts.imported)),
    ]);
    if let Some((code, message)) = &failure {
        described.extend([("FailureCode".to_owned(), json!(code)), ("FailureMessage".to_owned(), json!(message))]);
    }
    let summary = json!({
        "ImportArn": import_arn, "ImportStatus": status, "TableArn": table_arn, "S3BucketSource": described["S3BucketSource"],
        "InputFormat": described["InputFormat"], "StartTime": described["StartTime"], "EndTime": described["EndTime"],
    });
    answer.object(|answer| answer.name("ImportTableDescription").raw(&answered));
    let (description, summary) = (Value::Object(described).to_string(), summary.to_string());
    shared.kept.imports.add(Record { arn: import_arn, table_arn, table_id: id, token, description, summary });
    Ok(())
}

fn description(
    call: &Call<'_>,
    (arn, table_arn, table_id): (&str, &str, &str),
    token: &Option<(String, String)>,
    now: i64,
) -> Map<String, Value> {
    let input = call.input();
    let mut described = Map::new();
    let mut say = |name: &str, value: Value| described.insert(name.to_owned(), value);
    say("ImportArn", json!(arn));
    say("ImportStatus", json!("IN_PROGRESS"));
    say("TableArn", json!(table_arn));
    say("TableId", json!(table_id));
    say("ClientToken", json!(token.as_ref().map_or_else(tables::new_id, |(token, _)| token.clone())));
    let log = format!(
        "arn:aws:logs:{}:{}:log-group:/aws-dynamodb/imports:*",
        call.shared().catalog.place.region(),
        call.shared().catalog.place.account_id()
    );
    say("CloudWatchLogGroupArn", json!(log));
    say("StartTime", exports::seconds(now));
    for member in ["S3BucketSource", "InputFormat", "InputFormatOptions", "TableCreationParameters"] {
        if let Some(value) = input.get(member) {
            say(member, serde_json::from_str(value.json()).unwrap_or_default());
        }
    }
    let packed = text(input, "InputCompressionType");
    say("InputCompressionType", json!(if packed.is_empty() { "NONE" } else { &packed }));
    described
}

/// What makes an import fail as a whole: a code and a sentence.
type Failure = Option<(&'static str, String)>;

/// Puts what the objects hold into the table.
fn fill(
    call: &Call<'_>,
    table: &CatalogTable,
    bucket: &Bucket,
    (source, created): (&Structure<'_>, &Structure<'_>),
) -> (Counts, Failure) {
    let input = call.input();
    let mut counts = Counts::default();
    let types = Definitions::of(created);
    let format = match &*text(input, "InputFormat") {
        "ION" => Format::Ion,
        "CSV" => csv_format(input, &types),
        _ => Format::Json,
    };
    let packing = match &*text(input, "InputCompressionType") {
        "GZIP" => Packing::Gzip,
        "ZSTD" => Packing::Zstd,
        _ => Packing::None,
    };
    let objects = match bucket.objects(&text(source, "S3KeyPrefix")) {
        Ok(objects) => objects,
        Err(error) => return (counts, Some(("S3AccessDenied", error.to_string()))),
    };
    let mut refused = None;
    for (_, path) in objects {
        let read = read(&path, packing, &format, &mut |record| {
            counts.records += 1;
            let item = record.and_then(|text| item_from_str(&text, JsonForm::Typed).ok());
            let put = item.map(|mut item| table.table.put_item_body(item.finish()));
            match put {
                Some(Ok(())) => counts.imported += 1,
                Some(Err(error @ kstone_api::Error::Limit { what: "Memory (memory_max_bytes)", .. })) => {
                    refused = Some(("LimitExceeded", error.to_string()));
                    return false;
                }
                _ => counts.wrong += 1,
            }
            true
        });
        match read {
            Ok(bytes) => counts.bytes += bytes,
            Err(error) => return (counts, Some(("ItemValidationError", error.to_string()))),
        }
        if refused.is_some() {
            break;
        }
    }
    (counts, refused)
}

fn csv_format<'d>(input: &Structure<'_>, types: &'d Definitions<'d>) -> Format<'d> {
    let csv = input.get("InputFormatOptions").and_then(|options| options.structure().get("Csv"));
    let csv = csv.map(|csv| csv.structure());
    let delimiter = csv.and_then(|csv| csv.get("Delimiter")).and_then(|delimiter| delimiter.text().bytes().next());
    let header = elements(csv.and_then(|csv| csv.get("HeaderList"))).map(|name| name.text().into_owned());
    Format::Csv { delimiter: delimiter.unwrap_or(b','), header: header.collect(), types }
}

/// Describes an import.
pub(super) fn describe(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let arn = call.text("ImportArn");
    if !(arn.starts_with("arn:aws:dynamodb:") && arn.contains("/import/")) {
        return Err(Refusal::validation(Text::ImportArnInvalid));
    }
    let Some(record) = call.shared().kept.imports.get(&arn) else {
        return Err(Refusal::new(RefusalKind::ImportNotFound, Text::ImportNotFound { arn: Echo::of(&arn) }));
    };
    answer.object(|answer| answer.name("ImportTableDescription").raw(&record.description));
    Ok(())
}

/// Lists imports, the newest first.
pub(super) fn list(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let mut all = call.shared().kept.imports.all();
    if let Some(arn) = call.input().get("TableArn") {
        let arn = arn.text();
        all.retain(|record| record.table_arn == arn);
    }
    pages::records(call, answer, ("ImportSummaryList", "PageSize", MAX_IMPORTS), &all)
}
