//! Signatures of requests (AWS Signature Version 4): whether there is one, and whether it is right.
//!
//! What is signed is put together by `aws-sigv4`, the crate that AWS's own SDK signs with: the same request signed with the
//! key that it names must give the signature that it brings.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName};

use crate::front_door::Refused;
use crate::options::Credentials;

/// How far a signature's time may be from the server's.
const SKEW: Duration = Duration::from_secs(15 * 60);

/// A request as far as it is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The parts of an Authorization header.
struct Authorization<'a> {
    key: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

/// Looks at the shape of a request's signature and, where there are keys, verifies it.
pub(crate) fn check(signed: &Signed<'_>, keys: &[Credentials], now: SystemTime) -> Result<(), Refused> {
    let in_query = signed.target.contains("X-Amz-Algorithm=");
    let Some(header) = signed.headers.get(AUTHORIZATION) else {
        // A signature in the query is one that this server does not verify.
        return if in_query && keys.is_empty() { Ok(()) } else { Err(Refused::MissingToken) };
    };
    if in_query {
        return Err(Refused::TwoSignatures);
    }
    let header = header.to_str().unwrap_or_default();
    let authorization = Authorization::read(header, signed.headers)?;
    if keys.is_empty() {
        return Ok(());
    }
    let key = keys.iter().find(|known| known.key == authorization.key).ok_or(Refused::UnknownKey)?;
    let time = time_of(signed.headers)?;
    let is_far = |later: SystemTime, earlier: SystemTime| later.duration_since(earlier).is_ok_and(|by| by > SKEW);
    if is_far(now, time) || is_far(time, now) {
        return Err(Refused::SignatureExpired);
    }
    let is_right = authorization.computed(signed, key, time).is_some_and(|computed| {
        let pairs = computed.bytes().zip(authorization.signature.bytes());
        computed.len() == authorization.signature.len() && pairs.fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
    });
    if is_right { Ok(()) } else { Err(Refused::WrongSignature) }
}

/// The time that a request says it was signed at.
fn time_of(headers: &HeaderMap) -> Result<SystemTime, Refused> {
    let text = headers.get("x-amz-date").and_then(|date| date.to_str().ok()).unwrap_or_default();
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok();
    let time = time.and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC).ok());
    time.map(|time| SystemTime::from(time.timestamp())).ok_or(Refused::WrongSignature)
}

impl<'a> Authorization<'a> {
    /// The parts of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; what is missing is named as AWS names
    /// it (dynalite, `index.js`).
    fn read(header: &'a str, headers: &HeaderMap) -> Result<Self, Refused> {
        let Some(parts) = header.strip_prefix("AWS4-").and_then(|rest| rest.split_once(' ')) else {
            return Err(Refused::MissingToken);
        };
        let part = |name: &str| {
            let mut parts = parts.1.split(',').filter_map(|part| part.trim().split_once('='));
            parts.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        let (credential, signed_headers, signature) = (part("Credential"), part("SignedHeaders"), part("Signature"));
        let has_date = headers.contains_key("x-amz-date") || headers.contains_key("date");
        let mut missing = String::new();
        for (name, is_there) in [
            ("Credential", credential.is_some()),
            ("Signature", signature.is_some()),
            ("SignedHeaders", signed_headers.is_some()),
        ] {
            if !is_there {
                missing.push_str(&format!("Authorization header requires '{name}' parameter. "));
            }
        }
        if !has_date {
            missing.push_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
        }
        let (Some(credential), Some(signed_headers), Some(signature), true) =
            (credential, signed_headers, signature, has_date)
        else {
            return Err(Refused::Incomplete { missing, header: header.chars().take(1024).collect() });
        };
        let mut scope = credential.split('/');
        let mut next = || scope.next().unwrap_or_default();
        let (key, date, region, service) = (next(), next(), next(), next());
        Ok(Self { key, date, region, service, signed_headers, signature })
    }

    /// The signature that the request has with this secret; none where it cannot be signed as it says.
    fn computed(&self, signed: &Signed<'_>, key: &Credentials, time: SystemTime) -> Option<String> {
        let mut headers = Vec::new();
        for name in self.signed_headers.split(';') {
            // The signer adds this one itself.
            if name == "x-amz-date" {
                continue;
            }
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            for value in signed.headers.get_all(&name) {
                headers.push((name.clone(), value.to_str().ok()?));
            }
        }
        let host = signed.headers.get("host")?.to_str().ok()?;
        let uri = format!("http://{host}{}", signed.target);
        let named = headers.iter().map(|(name, value)| (name.as_str(), *value));
        let request = SignableRequest::new(signed.method, uri, named, SignableBody::Bytes(signed.body)).ok()?;
        let identity = AwsCredentials::from_keys(&*key.key, &*key.secret, None).into();
        let mut settings = SigningSettings::default();
        settings.excluded_headers = None;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(time)
            .settings(settings)
            .build()
            .ok()?;
        let (_, signature) = sign(request, &params.into()).ok()?.into_parts();
        // The scope's day is that of the time.
        let day = signed.headers.get("x-amz-date")?.to_str().ok()?.get(..8)?;
        (day == self.date).then_some(signature)
    }
}
