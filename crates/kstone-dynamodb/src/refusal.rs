//! A request that AWS would refuse, and the answer that it would give: status, type and message.
//!
//! Answers are put together here and nowhere else. `__type` names a namespace and an exception: validation, the service's
//! own exceptions and the front door each have theirs, and the front door's say `Message` (facts 1.3; dynalite,
//! `index.js` and `test/connection.js`).

use crate::texts::{Family, Text};

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
    /// Whether the new layer answers for this operation's rules: it has taken over the two writes (facts 8 and 9;
    /// dynoxide's changelog of 0.12.0).
    #[must_use]
    pub fn envelopes(self, operation: &str) -> bool {
        self == Self::Current && matches!(operation, "PutItem" | "UpdateItem")
    }

    /// Whether the new layer checks this operation's shape, which includes DeleteItem (parity, `captures/2026-06-09`,
    /// `o_del_*`).
    #[must_use]
    pub fn checks_shape_anew(self, operation: &str) -> bool {
        self == Self::Current && matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem")
    }
}

/// What kind of refusal it is: the exception's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// `ValidationException`.
    Validation,
    /// `SerializationException`.
    Serialization,
    /// `UnknownOperationException`.
    UnknownOperation,
    /// `AccessDeniedException`.
    AccessDenied,
    /// Too many bytes to be read at all.
    TooLarge,
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
}

impl Refusal {
    /// A ValidationException, bare.
    #[must_use]
    pub fn validation(text: Text) -> Self {
        Self { kind: RefusalKind::Validation, text: Some(text), enveloped: false }
    }

    /// A ValidationException of an operation's rules, which has a prefix where its layer and family want one.
    #[must_use]
    pub fn rule(text: Text, envelopes: bool) -> Self {
        let enveloped = envelopes && text.family() == Family::Request;
        let is_denied = matches!(text, Text::NotAuthorized { .. });
        let kind = if is_denied { RefusalKind::AccessDenied } else { RefusalKind::Validation };
        Self { kind, text: Some(text), enveloped }
    }

    /// A SerializationException: with a sentence where a member has the wrong type, without one where the body is no
    /// JSON.
    #[must_use]
    pub fn serialization(text: Option<Text>) -> Self {
        Self { kind: RefusalKind::Serialization, text, enveloped: false }
    }

    /// The status of the HTTP answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        if self.kind == RefusalKind::TooLarge { 413 } else { 400 }
    }

    /// The value of `__type`; none where the answer has no body.
    #[must_use]
    pub fn error_type(&self) -> Option<&'static str> {
        Some(match self.kind {
            RefusalKind::Validation => "com.amazon.coral.validate#ValidationException",
            RefusalKind::Serialization => "com.amazon.coral.service#SerializationException",
            RefusalKind::UnknownOperation => "com.amazon.coral.service#UnknownOperationException",
            RefusalKind::AccessDenied => "com.amazon.coral.service#AccessDeniedException",
            RefusalKind::TooLarge => return None,
        })
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
        let Some(message) = self.message() else { return format!("{{\"__type\":\"{error_type}\"}}") };
        let name = match self.kind {
            RefusalKind::Serialization | RefusalKind::UnknownOperation | RefusalKind::AccessDenied => "Message",
            RefusalKind::Validation | RefusalKind::TooLarge => "message",
        };
        let message = serde_json::Value::String(message);
        format!("{{\"__type\":\"{error_type}\",\"{name}\":{message}}}")
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
    fn too_large_has_no_body() {
        let refusal = Refusal { kind: RefusalKind::TooLarge, text: None, enveloped: false };
        assert_eq!((refusal.status(), refusal.body()), (413, String::new()));
    }
}
