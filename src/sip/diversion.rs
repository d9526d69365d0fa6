//! Was a call sent on to us, and why? The Diversion and History-Info headers of its INVITE (RFC 5806, RFC 7044, RFC 4458).

use crate::centre::input::Diverted;

use super::message::{Message, Name};
use super::uri::{NameAddr, param, split_outside};

/// Why the call was last sent on; `None` for one that was dialled as it came. Whose number it passed stays outside of the core.
pub fn diverted(message: &Message<'_>) -> Option<Diverted> {
    let first = message.first(Name::Diversion).and_then(|line| split_outside(line, b',').next()).and_then(NameAddr::read);
    first.map(|from| by_reason(param(from.params, "reason").unwrap_or_default())).or_else(|| by_history(message))
}

/// The reasons of RFC 5806 §4.
fn by_reason(reason: &str) -> Diverted {
    let is = |own: &[&str]| own.iter().any(|own| own.eq_ignore_ascii_case(reason));
    match () {
        () if is(&["user-busy", "do-not-disturb"]) => Diverted::Busy,
        () if is(&["no-answer"]) => Diverted::NoAnswer,
        () if is(&["unavailable", "out-of-service"]) => Diverted::Unreachable,
        () if is(&["unconditional", "follow-me", "time-of-day", "away"]) => Diverted::Always,
        () => Diverted::Other,
    }
}

/// The last entry of the history that has a cause: as a parameter of its URI (RFC 4458), or as a Reason behind its `?` (RFC 3326).
fn by_history(message: &Message<'_>) -> Option<Diverted> {
    let entries = message.all(Name::HistoryInfo).flat_map(|line| split_outside(line, b',')).filter_map(NameAddr::read);
    entries.filter_map(|entry| cause(entry.uri.params).or_else(|| reason_cause(entry.uri.headers))).map(by_cause).last()
}

fn cause(params: &str) -> Option<u16> {
    param(params, "cause")?.parse().ok()
}

/// `Reason=SIP%3Bcause%3D302%3Btext%3D…`.
fn reason_cause(headers: &str) -> Option<u16> {
    let reason = headers.split('&').find_map(|header| {
        let (name, value) = header.split_once('=')?;
        name.eq_ignore_ascii_case("Reason").then_some(value)
    })?;
    let text = reason.replace("%3B", ";").replace("%3b", ";").replace("%3D", "=").replace("%3d", "=");
    cause(text.split_once(';')?.1)
}

/// The causes of RFC 4458 §2; answers of a proxy that tried elsewhere go by their status.
fn by_cause(cause: u16) -> Diverted {
    match cause {
        486 | 600 => Diverted::Busy,
        408 | 487 => Diverted::NoAnswer,
        302 => Diverted::Always,
        404 | 480 | 500..=504 => Diverted::Unreachable,
        _ => Diverted::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(headers: &str) -> Option<Diverted> {
        diverted(&Message::read(&format!("INVITE sip:109@x SIP/2.0\r\n{headers}\r\n"), b""))
    }

    #[test]
    fn why_a_call_was_sent_on() {
        assert_eq!(why("To: <sip:109@x>"), None);
        assert_eq!(
            why("Diversion: \"A, B\" <sip:+7700@x>;reason=user-busy;counter=1, <sip:b@x>;reason=unconditional"),
            Some(Diverted::Busy)
        );
        assert_eq!(why("Diversion: <sip:a@x>"), Some(Diverted::Other));
        assert_eq!(why("History-Info: <sip:a@x>;index=1, <sip:109@x;cause=408>;index=1.1"), Some(Diverted::NoAnswer));
        assert_eq!(
            why("History-Info: <sip:a@x?Reason=SIP%3Bcause%3D302>;index=1\r\nHistory-Info: <sip:109@x>;index=1.1"),
            Some(Diverted::Always)
        );
        assert_eq!(why("History-Info: <sip:109@x>;index=1"), None, "nobody sent it on");
        assert_eq!(why("History-Info: <sip:109@x;cause=x>;index=1, garbage"), None);
    }
}
