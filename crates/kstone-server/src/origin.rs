//! Who calls: the names under which a server answers, and the pages that may call it.
//!
//! A page in a browser can send requests to this machine. What it sends names its origin, and the server's name under which
//! it came: a name that is none of this server's means that somebody's DNS points here (DNS rebinding).

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderValue, ORIGIN};

/// Whom a server answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    /// Origins whose pages may call, `*` for any.
    pub(crate) cors: Vec<String>,
    /// Names in addition to those of loopback.
    pub(crate) hosts: Vec<String>,
    /// Whether the name is looked at: not where every request is signed.
    pub(crate) checks_hosts: bool,
}

/// Why a call is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// It came under a name that is none of the server's.
    Host,
    /// It came of a page that may not call.
    Origin,
}

impl Origins {
    /// The origin that the answer has to allow, if the call is a page's; who calls may be nobody to answer.
    pub(crate) fn admit<'h>(&self, headers: &'h HeaderMap) -> Result<Option<&'h HeaderValue>, Stranger> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        if self.checks_hosts && !host.is_some_and(|host| self.is_own(host)) {
            return Err(Stranger::Host);
        }
        let Some(origin) = headers.get(ORIGIN) else { return Ok(None) };
        let text = origin.to_str().map_err(|_| Stranger::Origin)?;
        let is_listed = self.cors.iter().any(|allowed| allowed == "*" || allowed == text);
        if is_listed {
            return Ok(Some(origin));
        }
        // The server's own page.
        let is_own = text.split_once("://").is_some_and(|(_, of)| Some(of) == host);
        if is_own { Ok(None) } else { Err(Stranger::Origin) }
    }

    /// Whether a Host header names this server: an address, a name of loopback, or one that was given.
    fn is_own(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, _)) => name,
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        name.parse::<std::net::IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || name.to_ascii_lowercase().ends_with(".localhost")
            || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("a header"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().expect("a header"));
        }
        headers
    }

    fn origins() -> Origins {
        Origins { cors: vec!["https://app.example".to_owned()], hosts: vec!["dynamodb".to_owned()], checks_hosts: true }
    }

    #[test]
    fn a_name_of_somebody_elses_dns_is_refused() {
        for own in ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "a.localhost", "10.0.0.7", "DynamoDB:8000"] {
            assert_eq!(origins().admit(&headers(own, None)), Ok(None), "{own}");
        }
        for strange in ["evil.example:8000", "localhost.evil.example", "", "127.0.0.1.evil.example"] {
            assert_eq!(origins().admit(&headers(strange, None)), Err(Stranger::Host), "{strange}");
        }
        assert_eq!(origins().admit(&HeaderMap::new()), Err(Stranger::Host));
        let signed = Origins { checks_hosts: false, ..origins() };
        assert_eq!(signed.admit(&headers("dynamodb.us-east-1.amazonaws.com", None)), Ok(None));
    }

    #[test]
    fn a_page_of_somebody_else_is_refused() {
        let of_page = headers("localhost:8000", Some("https://app.example"));
        assert_eq!(origins().admit(&of_page), Ok(of_page.get(ORIGIN)));
        assert_eq!(origins().admit(&headers("localhost:8000", Some("http://localhost:8000"))), Ok(None));
        for strange in ["https://evil.example", "null", "http://localhost:3000", "https://app.example.evil"] {
            assert_eq!(origins().admit(&headers("localhost:8000", Some(strange))), Err(Stranger::Origin), "{strange}");
        }
    }
}
