//! Which page does a browser get? One, built into the binary, with its style and its program.

use axum::http::header;
use axum::response::IntoResponse;

/// GET /.
#[utoipa::path(get, path = "/", responses((status = 200, body = String, content_type = "text/html; charset=utf-8")))]
pub(super) async fn index() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], include_str!("page/index.html"))
}

/// GET /page.css.
#[utoipa::path(get, path = "/page.css", responses((status = 200, body = String, content_type = "text/css; charset=utf-8")))]
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("page/page.css"))
}

/// GET /page.js.
#[utoipa::path(get, path = "/page.js", responses((status = 200, body = String, content_type = "text/javascript; charset=utf-8")))]
pub(super) async fn program() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page/page.js"))
}

/// GET /icon.svg.
#[utoipa::path(get, path = "/icon.svg", responses((status = 200, body = String, content_type = "image/svg+xml")))]
pub(super) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("page/icon.svg"))
}
