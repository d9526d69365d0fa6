//! What holds for every request? Headers that bind the browser, no requests from other sites, an end to what takes too long.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

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

/// Sets the headers; answers of the API are kept by nobody.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let private = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if private {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
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
