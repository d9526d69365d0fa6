//! What holds for every request? Headers that bind the browser, no requests from other sites, an end to what takes too long.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::Web;
use super::door::Visitor;
use super::error::WebError;

/// A request that is not a stream is answered within this.
const LONGEST: Duration = Duration::from_secs(30);

/// Everything comes from this server; nothing inline, no frame around it.
const CONTENT_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob: mediastream:; font-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'none'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// The desk is a telephone: it hears, and rings where its operator wants. Nothing else of the machine is anybody's.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(self), speaker-selection=(self), autoplay=(self)";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
];

/// Browsers ask over https alone for so long, in seconds: a year.
const ONLY_HTTPS: &str = "max-age=31536000";

/// Sets the headers; answers of the API are kept by nobody, and what a TLS connection sets as a cookie goes over no other.
pub(super) async fn headers(
    State(web): State<Arc<Web>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    request: Request,
    next: Next,
) -> Response {
    let private = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if private {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if visitor.is_secure() {
        seal_cookies(headers);
        // A certificate of our own lives for one run: who was told to insist on it would be locked out.
        if !web.config.own_certificate {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_HTTPS));
        }
    }
    response
}

fn seal_cookies(headers: &mut HeaderMap) {
    let header::Entry::Occupied(mut cookies) = headers.entry(header::SET_COOKIE) else { return };
    for cookie in cookies.iter_mut() {
        if let Ok(sealed) = HeaderValue::from_bytes(&[cookie.as_bytes(), b"; Secure"].concat()) {
            *cookie = sealed;
        }
    }
}

/// Sends whoever speaks plainly from outside to https, where there is a certificate. This machine itself may go on as it is.
pub(super) async fn sealed(ConnectInfo(visitor): ConnectInfo<Visitor>, request: Request, next: Next) -> Result<Response, WebError> {
    if !visitor.is_bare() {
        return Ok(next.run(request).await);
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match host.filter(|host| reads && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))) {
        Some(host) => Ok(Redirect::permanent(&format!("https://{host}{path}")).into_response()),
        None => Err(WebError::Bare),
    }
}

/// Refuses what another site's page sends in a user's name: a WebSocket must name our own origin, a change must not name another.
pub(super) async fn same_origin(request: Request, next: Next) -> Result<Response, WebError> {
    let headers = request.headers();
    let own = match (headers.get(header::ORIGIN), headers.get(header::HOST)) {
        (Some(origin), Some(host)) => Some(is_own(origin, host)),
        (Some(_), None) => Some(false),
        (None, _) => None,
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let allowed = if headers.contains_key(header::UPGRADE) { own == Some(true) } else { reads || own != Some(false) };
    if allowed { Ok(next.run(request).await) } else { Err(WebError::Origin) }
}

fn is_own(origin: &HeaderValue, host: &HeaderValue) -> bool {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
    let (origin, host) = (text(origin), text(host));
    origin.split_once("://").is_some_and(|(scheme, named)| matches!(scheme, "http" | "https") && named.eq_ignore_ascii_case(&host))
}

/// The login layer answers 500 without a word where it cannot read or write a session or an account: then the database is away.
pub(super) async fn sessions_told(request: Request, next: Next) -> Result<Response, WebError> {
    let response = next.run(request).await;
    let mute = response.status() == StatusCode::INTERNAL_SERVER_ERROR && !response.headers().contains_key(header::CONTENT_TYPE);
    if mute { Err(WebError::Away) } else { Ok(response) }
}

/// Ends what takes too long; streams do not pass here.
pub(super) async fn limited(request: Request, next: Next) -> Result<Response, WebError> {
    tokio::time::timeout(LONGEST, next.run(request)).await.map_err(|_| WebError::Slow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_host_and_port_is_our_own_origin() {
        let own = |origin, host| is_own(&HeaderValue::from_static(origin), &HeaderValue::from_static(host));
        assert!(own("http://city.example:8109", "city.example:8109"));
        assert!(!own("http://city.example", "city.example:8109"));
        assert!(!own("http://city.example.evil", "city.example"));
        assert!(!own("null", "city.example"));
    }
}
