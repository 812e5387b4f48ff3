//! A request that AWS would refuse, and the answer that it would give: status, type and message.
//!
//! Answers are put together here and nowhere else. `__type` names a namespace and an exception: validation, the service's
//! own exceptions and the front door each have theirs, and the front door's say `Message` (facts 1.3; dynalite,
//! `index.js` and `test/connection.js`).

use kstone_api::Error;
use kstone_api::error::{Dialect, Family};

use crate::texts::Text;

/// Which validation texts are said: those of the regions that AWS moved to its new layer since June 2026, or the older
/// ones (parity, `registry/splits.json`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cohort {
    /// The new layer's, as in us-east-1 and eu-west-2.
    #[default]
    Current,
    /// The older ones.
    Classic,
}

impl Cohort {
    /// Whether the new layer puts its prefix before what breaks this operation's rules: it has taken over the three
    /// writes of one item (facts 8 and 9; parity, `error-messages/deleteItem` and `valueLayers`, captured 2026-10-09).
    #[must_use]
    pub fn envelopes(self, operation: &str) -> bool {
        self == Self::Current && matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem")
    }

    /// Which layer reads this operation's values (parity, `error-messages/valueLayers`; of Scan, dynoxide's changelog of
    /// 1.4.0).
    #[must_use]
    pub fn layer(self, operation: &str) -> Layer {
        let is_newer = matches!(
            operation,
            "PutItem" | "UpdateItem" | "DeleteItem" | "GetItem" | "BatchGetItem" | "Query" | "Scan"
        );
        if self == Self::Current && is_newer { Layer::Newer } else { Layer::Older }
    }

    /// Whether requests of this operation that are very deep are read by the older layer (parity,
    /// `validation-ordering/deepRequests`).
    #[must_use]
    pub(crate) fn reads_deep_requests_otherwise(self, operation: &str) -> bool {
        self.envelopes(operation)
    }

    /// Whether the new layer checks this operation's shape (parity, `captures/2026-06-09`).
    #[must_use]
    pub fn checks_shape_anew(self, operation: &str) -> bool {
        self.envelopes(operation)
    }
}

/// One of the two layers of the service that read attribute values: they have other words for numbers and sets, and read
/// exponents that are out of range otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The one that is being replaced.
    Older,
    /// The one that AWS rolls out since June 2026.
    Newer,
}

macro_rules! kinds {
    ($($name:ident $namespace:literal $message:literal;)*) => {
        /// What kind of refusal it is: the exception's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names are those of AWS's exceptions")]
        pub enum RefusalKind { $($name,)* }

        impl RefusalKind {
            /// The value of `__type`.
            #[must_use]
            pub fn error_type(self) -> &'static str {
                match self { $(Self::$name => concat!($namespace, "#", stringify!($name), "Exception"),)* }
            }

            /// The exception's name, without a namespace.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => concat!(stringify!($name), "Exception"),)* }
            }

            /// The name of the member that holds the sentence.
            fn message_member(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

// Namespaces and the spelling of `message` as observed (facts 1.3).
kinds! {
    Validation "com.amazon.coral.validate" "message";
    Serialization "com.amazon.coral.service" "Message";
    UnknownOperation "com.amazon.coral.service" "Message";
    AccessDenied "com.amazon.coral.service" "Message";
    ResourceNotFound "com.amazonaws.dynamodb.v20120810" "message";
    ResourceInUse "com.amazonaws.dynamodb.v20120810" "message";
    LimitExceeded "com.amazonaws.dynamodb.v20120810" "message";
    ConditionalCheckFailed "com.amazonaws.dynamodb.v20120810" "message";
    TransactionCanceled "com.amazonaws.dynamodb.v20120810" "Message";
    TransactionConflict "com.amazonaws.dynamodb.v20120810" "message";
    TransactionInProgress "com.amazonaws.dynamodb.v20120810" "Message";
    IdempotentParameterMismatch "com.amazonaws.dynamodb.v20120810" "Message";
    DuplicateItem "com.amazonaws.dynamodb.v20120810" "message";
    ItemCollectionSizeLimitExceeded "com.amazonaws.dynamodb.v20120810" "message";
    ProvisionedThroughputExceeded "com.amazonaws.dynamodb.v20120810" "message";
    TrimmedDataAccess "com.amazonaws.dynamodb.v20120810" "message";
    ExpiredIterator "com.amazonaws.dynamodb.v20120810" "message";
    BackupNotFound "com.amazonaws.dynamodb.v20120810" "message";
    BackupInUse "com.amazonaws.dynamodb.v20120810" "message";
    TableNotFound "com.amazonaws.dynamodb.v20120810" "message";
    TableInUse "com.amazonaws.dynamodb.v20120810" "message";
    TableAlreadyExists "com.amazonaws.dynamodb.v20120810" "message";
    ContinuousBackupsUnavailable "com.amazonaws.dynamodb.v20120810" "message";
    PointInTimeRecoveryUnavailable "com.amazonaws.dynamodb.v20120810" "message";
    InvalidRestoreTime "com.amazonaws.dynamodb.v20120810" "message";
    InvalidExportTime "com.amazonaws.dynamodb.v20120810" "message";
    ExportNotFound "com.amazonaws.dynamodb.v20120810" "message";
    ExportConflict "com.amazonaws.dynamodb.v20120810" "message";
    ImportNotFound "com.amazonaws.dynamodb.v20120810" "message";
    ImportConflict "com.amazonaws.dynamodb.v20120810" "message";
    IndexNotFound "com.amazonaws.dynamodb.v20120810" "message";
    PolicyNotFound "com.amazonaws.dynamodb.v20120810" "message";
    InternalServerError "com.amazonaws.dynamodb.v20120810" "message";
    // Too many bytes to be read at all: an answer without a body.
    TooLarge "com.amazon.coral.service" "message";
}

/// A refusal. [`Refusal::body`] is what AWS would answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The exception.
    pub kind: RefusalKind,
    /// The sentence; some exceptions have none.
    pub text: Option<Text>,
    /// Whether the new layer's prefix stands before it.
    pub enveloped: bool,
    /// Further members of the answer, as JSON: the item that made a condition fail, the reasons of a transaction.
    pub members: Option<Box<str>>,
}

impl Refusal {
    /// An exception with its sentence.
    #[must_use]
    pub fn new(kind: RefusalKind, text: Text) -> Self {
        Self { kind, text: Some(text), enveloped: false, members: None }
    }

    /// An exception without a sentence.
    #[must_use]
    pub fn silent(kind: RefusalKind) -> Self {
        Self { kind, text: None, enveloped: false, members: None }
    }

    /// A ValidationException, bare.
    #[must_use]
    pub fn validation(text: Text) -> Self {
        Self::new(RefusalKind::Validation, text)
    }

    /// A ValidationException of an operation's rules, which has a prefix where its layer and family want one.
    #[must_use]
    pub fn rule(text: Text, envelopes: bool) -> Self {
        let family = if let Text::ExpressionValue { reason, .. } = &text { reason.family() } else { text.family() };
        let enveloped = envelopes && family == Family::Request;
        let is_denied = matches!(text, Text::NotAuthorized { .. });
        let kind = if is_denied { RefusalKind::AccessDenied } else { RefusalKind::Validation };
        Self { enveloped, ..Self::new(kind, text) }
    }

    /// A SerializationException: with a sentence where a member has the wrong type, without one where the body is no
    /// JSON.
    #[must_use]
    pub fn serialization(text: Option<Text>) -> Self {
        Self { text, ..Self::silent(RefusalKind::Serialization) }
    }

    /// What the tables below refuse, in DynamoDB's words.
    #[must_use]
    pub fn below(error: &Error, envelopes: bool) -> Self {
        let text = || Text::OfTables { text: error.text(Dialect::DynamoDb) };
        match error {
            Error::ConditionFailed { .. } => Self::new(RefusalKind::ConditionalCheckFailed, text()),
            Error::DuplicateItem => Self::new(RefusalKind::DuplicateItem, text()),
            Error::TableNotFound { .. } => Self::new(RefusalKind::ResourceNotFound, text()),
            // A table that somebody else drops while it is used.
            Error::Invalid(refusal) if refusal.name() == "TableDeleted" => {
                Self::new(RefusalKind::ResourceNotFound, text())
            }
            Error::TableExists { .. } => Self::new(RefusalKind::ResourceInUse, text()),
            Error::Poisoned | Error::Interrupted | Error::Io { .. } | Error::Corrupt { .. } => {
                Self::new(RefusalKind::InternalServerError, text())
            }
            _ => Self { enveloped: envelopes && error.family() == Family::Request, ..Self::validation(text()) },
        }
    }

    /// The status of the HTTP answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.kind {
            RefusalKind::TooLarge => 413,
            RefusalKind::InternalServerError => 500,
            _ => 400,
        }
    }

    /// The value of `__type`; none where the answer has no body.
    #[must_use]
    pub fn error_type(&self) -> Option<&'static str> {
        (self.kind != RefusalKind::TooLarge).then(|| self.kind.error_type())
    }

    /// The message, where there is one.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let text = self.text.as_ref()?;
        Some(if self.enveloped { format!("1 validation error detected: {text}") } else { text.to_string() })
    }

    /// The answer's body, in JSON.
    #[must_use]
    pub fn body(&self) -> String {
        let Some(error_type) = self.error_type() else { return String::new() };
        let mut body = format!("{{\"__type\":\"{error_type}\"");
        if let Some(message) = self.message() {
            let (member, message) = (self.kind.message_member(), serde_json::Value::String(message));
            body.push_str(&format!(",\"{member}\":{message}"));
        }
        if let Some(members) = &self.members {
            body.push(',');
            body.push_str(members);
        }
        body.push('}');
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_stands_before_what_is_of_the_request_alone() {
        let of_request = Refusal::rule(Text::EmptyStringSet, true);
        assert!(of_request.message().unwrap().starts_with("1 validation error detected: One or more"));
        assert_eq!(Refusal::rule(Text::ItemTooLarge, true).message().unwrap(), Text::ItemTooLarge.to_string());
        assert_eq!(Refusal::rule(Text::EmptyStringSet, false).message().unwrap(), Text::EmptyStringSet.to_string());
    }

    #[test]
    fn bodies_are_json_whatever_they_quote() {
        let text = Text::NotNumeric { text: crate::echo::Echo::of("\"\\\n\u{1}ä") };
        let body: serde_json::Value = serde_json::from_str(&Refusal::validation(text).body()).unwrap();
        assert_eq!(body["message"], "The parameter cannot be converted to a numeric value: \"\\\n\u{1}ä");
    }

    #[test]
    fn a_table_that_is_dropped_while_it_is_used_is_not_found() {
        let account = kstone_api::Account::create_in_memory();
        let schema = kstone_api::TableSchema::new().name("plain").partition_key("id", kstone_api::KeyType::S);
        let table = account.create_table(schema).unwrap();
        account.drop_table("plain").unwrap();
        let refusal = Refusal::below(&table.get(b"a").unwrap_err(), false);
        assert_eq!(refusal, Refusal::new(RefusalKind::ResourceNotFound, refusal.text.clone().unwrap()));
        assert_eq!(refusal.message().unwrap(), "Requested resource not found");
    }

    #[test]
    fn too_large_has_no_body() {
        let refusal = Refusal::silent(RefusalKind::TooLarge);
        assert_eq!((refusal.status(), refusal.body()), (413, String::new()));
    }
}
