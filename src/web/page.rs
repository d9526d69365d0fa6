//! Which page does a browser get? The desk of `web/`, built into the binary; it finds out by itself what its address shows.

use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::WebError;
use super::extract::At;

/// What `make desk` has built. A debug build reads the folder as it is asked, so that a desk that is built again shows at once.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

/// Names under `assets/` have a hash of what they hold: what a browser has of them stays true.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// The page itself names the assets, so it is asked for each time.
const EACH_TIME: &str = "no-cache";

/// What a server says that was built without the desk.
const NOT_BUILT: &str = include_str!("page/not_built.html");

/// GET /: the desk.
#[utoipa::path(get, path = "/", operation_id = "page", responses((status = 200, body = String, content_type = "text/html; charset=utf-8")))]
pub(super) async fn index(headers: HeaderMap) -> Response {
    file("index.html", EACH_TIME, &headers)
        .unwrap_or_else(|| ([(header::CONTENT_TYPE, kind("html"))], [(header::CACHE_CONTROL, EACH_TIME)], NOT_BUILT).into_response())
}

/// GET /icon.svg: the sign of the page.
#[utoipa::path(get, path = "/icon.svg", responses((status = 200, body = String, content_type = "image/svg+xml")))]
pub(super) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind("svg"))], include_str!("../../web/public/icon.svg"))
}

/// GET /assets/{file}: programs, styles, texts and fonts of the desk.
#[utoipa::path(get, path = "/assets/{file}", operation_id = "asset", params(("file" = String, Path)), responses((status = 200, description = "The file.", body = String, content_type = "application/octet-stream"), (status = 404, body = super::error::Refusal)))]
pub(super) async fn asset(At(name): At<String>, headers: HeaderMap) -> Result<Response, WebError> {
    file(&format!("assets/{name}"), FOR_GOOD, &headers).ok_or(WebError::Missing { what: "this file of the desk".into() })
}

/// Whether somebody opened an address of one of the desk's pages: then the desk itself is the answer.
pub(super) fn is_opened(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|kinds| kinds.contains("text/html"));
    reads && accepts && !path.starts_with("/api/") && !path.starts_with("/assets/")
}

/// A file of the desk, compressed where the browser takes that.
fn file(name: &str, kept: &'static str, headers: &HeaderMap) -> Option<Response> {
    let ending = name.rsplit('.').next().unwrap_or_default();
    let packed = takes_gzip(headers).then(|| Dist::get(&format!("{name}.gz"))).flatten();
    let is_packed = packed.is_some();
    let EmbeddedFile { data, .. } = packed.or_else(|| Dist::get(name))?;
    let mut response =
        ([(header::CONTENT_TYPE, kind(ending)), (header::CACHE_CONTROL, kept), (header::VARY, "accept-encoding")], data).into_response();
    if is_packed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(response)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).is_some_and(|kinds| kinds.contains("gzip"))
}

fn kind(ending: &str) -> &'static str {
    match ending {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "ftl" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asks(accept: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))])
    }

    #[test]
    fn an_address_that_a_person_opens_shows_the_desk_and_a_program_is_told_that_nothing_is_there() {
        let browser = asks("text/html,application/xhtml+xml,*/*;q=0.8");
        assert!(is_opened(&Method::GET, "/case/109-2026-000001", &browser));
        assert!(!is_opened(&Method::GET, "/case/109-2026-000001", &asks("application/json")));
        assert!(!is_opened(&Method::GET, "/api/nothing", &browser));
        assert!(!is_opened(&Method::GET, "/assets/gone.js", &browser));
        assert!(!is_opened(&Method::POST, "/register", &browser));
    }

    #[test]
    fn no_name_leads_out_of_the_desk() {
        for name in ["assets/../../../Cargo.toml", "assets/../index.html/../../package.json", "/etc/passwd", "assets//etc/passwd"] {
            assert!(file(name, FOR_GOOD, &HeaderMap::new()).is_none(), "{name}");
        }
    }
}
