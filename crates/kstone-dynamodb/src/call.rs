//! One call: a request read, checked and carried out, and its answer.
//!
//! ```text
//! target, body ─► request::parse ─► operations/: carried out in the account ─► Answer ─► Response
//!                      └── Refusal ◄──────┘
//! ```

use std::sync::Arc;

use crate::account::{Account, Shared};
use crate::answer::Answer;
use crate::catalog::CatalogTable;
use crate::operations;
use crate::refusal::{Refusal, RefusalKind};
use crate::request::{self, Request};
use crate::response::Response;
use crate::texts::Text;
use crate::view::Structure;

/// A request that is carried out, and where.
pub(crate) struct Call<'a> {
    pub(crate) account: &'a Account,
    pub(crate) request: &'a Request<'a>,
    /// Whether the new layer's prefix stands before what is wrong with the request.
    pub(crate) envelopes: bool,
}

/// What carries out an operation: it writes the answer, or refuses and has changed nothing.
pub(crate) type CarryOut = fn(&Call<'_>, &mut Answer) -> Result<(), Refusal>;

impl<'a> Call<'a> {
    /// The members of the request.
    pub(crate) fn input(&self) -> &Structure<'a> {
        self.request.input()
    }

    /// The text of a member; empty where it is not there.
    pub(crate) fn text(&self, member: &str) -> std::borrow::Cow<'a, str> {
        self.input().get(member).map(|value| value.text()).unwrap_or_default()
    }

    /// The name of the table that the request is about, also where it names its ARN.
    pub(crate) fn table_name(&self) -> Result<String, Refusal> {
        self.shared().catalog.place.table_name(&self.text("TableName")).map(str::to_owned)
    }

    pub(crate) fn shared(&self) -> &'a Shared {
        &self.account.shared
    }

    /// The account's time, in epoch seconds.
    pub(crate) fn now(&self) -> i64 {
        self.shared().tables.now_epoch_seconds()
    }

    /// The table that the request names.
    ///
    /// # Errors
    /// ResourceNotFoundException.
    pub(crate) fn table(&self) -> Result<Arc<CatalogTable>, Refusal> {
        let name = self.input().get("TableName").expect("a required member");
        self.shared().catalog.table(&name.text())
    }

    /// What the tables refused, as this operation says it.
    pub(crate) fn below(&self, error: &kstone_api::Error) -> Refusal {
        Refusal::below(error, self.envelopes)
    }
}

impl Account {
    /// Carries out one request: what `target`, the header `X-Amz-Target`, names, with the JSON of an SDK as `body`. The
    /// answer, also a refusal, is in `response`.
    ///
    /// ```
    /// use kstone_dynamodb::{Account, AccountOptions, Response};
    /// let account = Account::open(AccountOptions::default())?;
    /// let mut response = Response::default();
    /// let create = br#"{"TableName":"music","BillingMode":"PAY_PER_REQUEST",
    ///     "AttributeDefinitions":[{"AttributeName":"artist","AttributeType":"S"}],
    ///     "KeySchema":[{"AttributeName":"artist","KeyType":"HASH"}]}"#;
    /// account.call("DynamoDB_20120810.CreateTable", create, &mut response);
    /// assert_eq!(response.status(), 200);
    /// account.call(
    ///     "DynamoDB_20120810.PutItem",
    ///     br#"{"TableName":"music","Item":{"artist":{"S":"Nina Simone"},"year":{"N":"1959"}}}"#,
    ///     &mut response,
    /// );
    /// assert_eq!((response.status(), response.body()), (200, &b"{}"[..]));
    /// account.call(
    ///     "DynamoDB_20120810.GetItem",
    ///     br#"{"TableName":"music","Key":{"artist":{"S":"Nina Simone"}}}"#,
    ///     &mut response,
    /// );
    /// assert_eq!(response.body(), br#"{"Item":{"artist":{"S":"Nina Simone"},"year":{"N":"1959"}}}"#);
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    pub fn call(&self, target: &str, body: &[u8], response: &mut Response) {
        response.clear();
        let mut answer = Answer::in_buffer(std::mem::take(&mut response.body));
        let cohort = self.shared.options.cohort;
        let done = request::parse(target, body, cohort, &mut response.scratch).and_then(|request| {
            let name = request.operation().name;
            let carry_out = operations::carry_out(name).ok_or_else(|| {
                Refusal::new(RefusalKind::UnknownOperation, Text::OperationUnsupported { operation: name })
            })?;
            carry_out(&Call { account: self, request: &request, envelopes: cohort.envelopes(name) }, &mut answer)
        });
        response.body = match done {
            Ok(()) => answer.into_buffer(),
            Err(refusal) => {
                response.status = refusal.status();
                response.refusal.insert(refusal).body()
            }
        };
    }
}
