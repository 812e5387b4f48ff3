//! One request of HTTP: what it asks for, whether it may, and the answer.
//!
//! ```text
//! GET /         the server is well          GET /metrics    Prometheus
//! OPTIONS /     CORS                        POST /          an operation, named by X-Amz-Target
//! ```

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use kstone_dynamodb::{Account, Cohort, MAX_BODY_BYTES, RefusalKind, Scratch, model, parse};

use crate::log::Entry;
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::origin::{Origins, Stranger};
use crate::signature::{self, Signed};

/// What the workers of a server share.
pub(crate) struct Shared {
    pub(crate) account: Account,
    pub(crate) options: ServerOptions,
    pub(crate) origins: Origins,
    pub(crate) metrics: Arc<Metrics>,
}

/// Why the front door refuses a request, in AWS's words (dynalite, `index.js` and `test/connection.js`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    MissingToken,
    TwoSignatures,
    Incomplete { missing: String, header: String },
    UnknownKey,
    WrongSignature,
    SignatureExpired,
}

impl Refused {
    fn body(&self) -> String {
        let (name, text) = match self {
            Self::MissingToken => ("MissingAuthenticationToken", "Request is missing Authentication Token".to_owned()),
            Self::TwoSignatures => (
                "InvalidSignature",
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.".to_owned(),
            ),
            Self::Incomplete { missing, header } => ("IncompleteSignature", format!("{missing}Authorization={header}")),
            Self::UnknownKey => {
                ("UnrecognizedClient", "The security token included in the request is invalid.".to_owned())
            }
            Self::WrongSignature => (
                "InvalidSignature",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details."
                    .to_owned(),
            ),
            Self::SignatureExpired => (
                "InvalidSignature",
                "Signature expired: its time is more than 15 minutes from the server's.".to_owned(),
            ),
        };
        let name = format!("com.amazon.coral.service#{name}Exception");
        serde_json::json!({ "__type": name, "message": text }).to_string()
    }
}

const AMZ_JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const CRC32: HeaderName = HeaderName::from_static("x-amz-crc32");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

type Answer = Response<Full<Bytes>>;

thread_local! {
    /// The memory of a worker's answers.
    static ANSWER: RefCell<kstone_dynamodb::Response> = RefCell::default();
}

/// Answers a request.
pub(crate) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let allowed = match shared.origins.admit(request.headers()) {
        Ok(allowed) => allowed.cloned(),
        Err(stranger) => return strange(stranger),
    };
    let mut answer = match (request.method(), request.uri().path()) {
        (&Method::POST, _) => operation(&shared, request).await,
        (&Method::OPTIONS, _) => preflight(request.headers(), allowed.is_some()),
        (&Method::GET, "/metrics") if shared.options.metrics => {
            plain(StatusCode::OK, shared.metrics.text(&shared.account))
        }
        (&Method::GET | &Method::HEAD, "/" | "/health") => {
            plain(StatusCode::OK, format!("healthy: dynamodb.{}.amazonaws.com \n", shared.account.region()))
        }
        _ => not_found(),
    };
    if let Some(origin) = allowed {
        let headers = answer.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        let exposed = HeaderValue::from_static("x-amzn-requestid,x-amz-crc32,x-amzn-errortype,date");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    answer
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, TEXT);
    answer
}

fn strange(stranger: Stranger) -> Answer {
    plain(
        StatusCode::FORBIDDEN,
        match stranger {
            Stranger::Host => "this server is not called by that name: --allow-host NAME lets it\n",
            Stranger::Origin => "pages of that origin may not call this server: --cors ORIGIN lets them\n",
        },
    )
}

/// What AWS answers where no operation can be meant (dynalite, `index.js`).
fn not_found() -> Answer {
    plain(StatusCode::NOT_FOUND, "<UnknownOperationException/>\n")
}

fn preflight(asked: &HeaderMap, is_allowed: bool) -> Answer {
    let mut answer = Response::new(Full::default());
    if is_allowed {
        let headers = answer.headers_mut();
        if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    answer
}

/// Carries out the operation that a request names.
async fn operation(shared: &Arc<Shared>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    if !is_json(&head.headers) {
        return not_found();
    }
    let body = match collected(body, shared.options.body).await {
        Ok(body) => body,
        Err(status) => return plain(status, ""),
    };
    let target = head.headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    let began = Instant::now();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let signed = Signed { method: head.method.as_str(), target: path, headers: &head.headers, body: &body };
    let unsigned = shared.options.credentials.is_empty() && shared.options.allow_unsigned;
    if !unsigned
        && let Err(refused) = signature::check(&signed, &shared.options.credentials, SystemTime::now())
        && is_readable(target, &body)
    {
        return json(StatusCode::BAD_REQUEST, refused.body().into(), kstone_dynamodb::Response::default().request_id());
    }
    if is_long(target, body.len()) {
        let (of_thread, target) = (Arc::clone(shared), target.to_owned());
        let carried = tokio::task::spawn_blocking(move || {
            carry_out(&of_thread, &target, &body, began, &mut kstone_dynamodb::Response::default())
        });
        return carried.await.unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, ""));
    }
    ANSWER.with_borrow_mut(|answer| carry_out(shared, target, &body, began, answer))
}

fn carry_out(
    shared: &Shared,
    target: &str,
    body: &[u8],
    began: Instant,
    answer: &mut kstone_dynamodb::Response,
) -> Answer {
    shared.account.call(target, body, answer);
    let took = began.elapsed();
    let operation = model::operation(target).map_or("unknown", |operation| operation.name);
    let status = answer.status();
    shared.metrics.answered(operation, status, (body.len(), answer.body().len()), took);
    let crc32 = answer.crc32();
    let bytes = Bytes::copy_from_slice(answer.body());
    let error = answer.refusal().map(|refusal| refusal.kind.name());
    let id = answer.request_id().to_owned();
    shared.options.log.write(&Entry {
        operation,
        status,
        error,
        request_bytes: body.len(),
        response_bytes: bytes.len(),
        took,
        request_id: &id,
    });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_checksum(status, bytes, &id, crc32)
}

fn json(status: StatusCode, body: Bytes, id: &str) -> Answer {
    let crc32 = kstone_dynamodb::checksum::crc32(&body);
    with_checksum(status, body, id, crc32)
}

fn with_checksum(status: StatusCode, body: Bytes, id: &str, crc32: u32) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, AMZ_JSON);
    headers.insert(header::SERVER, HeaderValue::from_static("Server"));
    headers.insert(REQUEST_ID, HeaderValue::from_str(id).expect("letters and digits"));
    headers.insert(CRC32, HeaderValue::from(crc32));
    answer
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-amz-json-1.0") || kind.eq_ignore_ascii_case("application/json")
}

/// Whether AWS looks at the signature of this request: one that names no operation, or is no JSON, is refused as that.
fn is_readable(target: &str, body: &[u8]) -> bool {
    match parse(target, body, Cohort::Current, &mut Scratch::default()) {
        Err(refusal) => match refusal.kind {
            RefusalKind::UnknownOperation => false,
            RefusalKind::Serialization => refusal.text.is_some(),
            _ => true,
        },
        Ok(_) => true,
    }
}

/// Whether a request may take longer than other connections should wait.
fn is_long(target: &str, bytes: usize) -> bool {
    const LONG: [&str; 9] = [
        "Scan",
        "ExecuteStatement",
        "BatchExecuteStatement",
        "SearchVectors",
        "UpdateTable",
        "ImportTable",
        "ExportTableToPointInTime",
        "RestoreTableFromBackup",
        "RestoreTableToPointInTime",
    ];
    bytes > 64 * 1024 || target.split_once('.').is_some_and(|(_, name)| LONG.contains(&name))
}

/// A body that arrives in time and is not too large; or the status that says so.
async fn collected(body: Incoming, within: Duration) -> Result<Bytes, StatusCode> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(within, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}
