//! Who listens to which recording? Its sound as a WAV file, whole or in part; every listen is on record.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::centre::ids::{CallId, RecordingId};
use crate::store::{Access, RecordingFile};

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::At;

/// GET /api/recordings/{call}/{n}, with one byte range where it is asked for (RFC 9110 §14.2).
#[utoipa::path(get, path = "/api/recordings/{call}/{n}", params(("call" = u64, Path), ("n" = u16, Path)),
    responses((status = 200, description = "A WAV file.", body = [u8], content_type = "audio/wav"), (status = 206, description = "The bytes that were asked for.", body = [u8], content_type = "audio/wav")))]
pub(super) async fn listen(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At((call, n)): At<(u64, u16)>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let missing = || WebError::Missing { what: format!("recording {n} of call {call}") };
    let recording = web.store.recording(RecordingId { call: CallId(call), n }).await?.ok_or_else(missing)?;
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(range);
    let (from, to) = asked.unwrap_or((0, None));
    web.store.log_access(web.clock.now(), &user.name, Access::Recording, &format!("call {call} recording {n}")).await?;
    let file = web.store.open_recording(&recording, from, to).await?.ok_or_else(missing)?;
    Ok(answer(file, asked.is_some()))
}

fn answer(file: RecordingFile, partly: bool) -> Response {
    let length = (file.range.end - file.range.start).to_string();
    let headers =
        [(header::CONTENT_TYPE, "audio/wav".to_owned()), (header::CONTENT_LENGTH, length), (header::ACCEPT_RANGES, "bytes".into())];
    let body = Body::from_stream(file.bytes);
    if !partly || file.range.is_empty() {
        return (headers, body).into_response();
    }
    let part = format!("bytes {}-{}/{}", file.range.start, file.range.end - 1, file.size_bytes);
    (StatusCode::PARTIAL_CONTENT, headers, [(header::CONTENT_RANGE, part)], body).into_response()
}

/// First byte and end (not included) of "bytes=FIRST-[LAST]"; a range of another form is answered with the whole file.
fn range(value: &str) -> Option<(u64, Option<u64>)> {
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    let first: u64 = first.parse().ok()?;
    if last.is_empty() {
        return Some((first, None));
    }
    let last: u64 = last.parse().ok()?;
    (last >= first).then_some((first, Some(last.saturating_add(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood() {
        assert_eq!(range("bytes=0-99"), Some((0, Some(100))));
        assert_eq!(range("bytes=100-"), Some((100, None)));
        for other in ["bytes=-5", "bytes=9-3", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"] {
            assert_eq!(range(other), None, "{other}");
        }
    }
}
