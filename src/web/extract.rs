//! How are a request's parts read? As axum does, but refusals are our own, and U+0000 is nowhere taken: PostgreSQL keeps none.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::WebError;

/// A JSON body.
pub(super) struct Body<T>(pub T);

/// The parameters behind the question mark.
pub(super) struct Asked<T>(pub T);

/// The variable parts of the path.
pub(super) struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = WebError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebError> {
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await.map_err(|rejection| too_long(&rejection))?;
        if has_null(&bytes) {
            return Err(null());
        }
        let Json(value) = Json::from_request(Request::from_parts(parts, bytes.into()), state).await?;
        Ok(Body(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(null());
        }
        let Query(value) = Query::from_request_parts(parts, state).await?;
        Ok(Asked(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        if parts.uri.path().contains("%00") {
            return Err(null());
        }
        let Path(value) = Path::from_request_parts(parts, state).await?;
        Ok(At(value))
    }
}

fn too_long(rejection: &BytesRejection) -> WebError {
    WebError::Invalid { what: rejection.body_text(), mend: "Send less at once." }
}

fn null() -> WebError {
    WebError::Invalid { what: "the request holds the character U+0000".into(), mend: "Leave it out." }
}

/// Whether JSON text holds the escape of U+0000: the only way in which it may hold the character (RFC 8259 section 7).
fn has_null(json: &[u8]) -> bool {
    let escapes = json.windows(6).enumerate().filter(|(_, part)| *part == b"\\u0000");
    let before = |at: usize| json.iter().take(at).rev().take_while(|byte| **byte == b'\\').count();
    escapes.into_iter().any(|(at, _)| before(at) % 2 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_backslash_before_u0000_is_no_null() {
        assert!(has_null(br#"{"a":"x\u0000"}"#) && has_null(br#""\\\u0000""#));
        assert!(!has_null(br#""\\u0000""#) && !has_null(br#""u0000""#) && !has_null(b""));
    }
}
