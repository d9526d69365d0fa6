//! For how long is a session good without a sign of life? The terms of session timers (RFC 4028), as both sides of a transaction set them.

use serde::{Deserialize, Serialize};

use crate::centre::time::Time;

use super::message::{Message, Name};
use super::uri::param;

/// The interval that we ask for, in seconds (RFC 4028 §4).
pub const INTERVAL_S: u32 = 1_800;
/// The shortest interval that we take, in seconds (RFC 4028 §5).
pub const MIN_SE_S: u32 = 90;
/// The header line of 422: [`MIN_SE_S`].
pub const TOO_SHORT: &str = "Min-SE: 90\r\n";
/// Who does not refresh ends the session so long before its interval is over, in seconds, or a third of it (RFC 4028 §10).
const ENDS_EARLIER_S: u32 = 32;

/// A session that ends unless it is refreshed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// For how long a refresh is good, in seconds.
    pub interval_s: u32,
    /// Whether we refresh it.
    pub ours: bool,
    /// The shortest interval that the far end's side takes, in seconds.
    pub min_s: u32,
    /// When we refresh it next; [`Time`] of the end where the far end does.
    refresh: Time,
    /// When it is over.
    ends: Time,
}

/// What a message says of session timers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// Whether its sender knows of them.
    supported: bool,
    interval_s: Option<u32>,
    /// Whether the request's own side refreshes; `None` where it leaves that open.
    by_sender: Option<bool>,
    min_s: u32,
}

impl Asked {
    /// Reads a request or a 2xx.
    pub fn of(message: &Message<'_>) -> Asked {
        let params = message.first(Name::SessionExpires).and_then(|value| value.split_once(';')).map_or("", |(_, params)| params);
        let by_sender = match param(params, "refresher") {
            Some(side) if side.eq_ignore_ascii_case("uac") => Some(true),
            Some(side) if side.eq_ignore_ascii_case("uas") => Some(false),
            _ => None,
        };
        Asked {
            supported: message.lists(Name::Supported, "timer") || message.lists(Name::Require, "timer"),
            interval_s: message.number(Name::SessionExpires),
            by_sender,
            min_s: message.number(Name::MinSe).unwrap_or(MIN_SE_S).max(MIN_SE_S),
        }
    }

    /// Whether the request must be refused with 422 (RFC 4028 §9).
    pub fn is_too_short(&self) -> bool {
        self.supported && self.interval_s.is_some_and(|interval_s| interval_s < MIN_SE_S)
    }

    /// The terms that our 2xx to such a request sets, with their header lines; none for a far end that knows no session timers
    /// (RFC 4028 §9 table 2).
    pub fn grant(&self, now: Time) -> (Option<Session>, String) {
        if !self.supported && self.interval_s.is_none() {
            return (None, String::new());
        }
        let interval_s = self.interval_s.unwrap_or(INTERVAL_S).max(self.min_s);
        let by_sender = self.supported && self.by_sender.unwrap_or(self.interval_s.is_some());
        let session = Session::new(now, interval_s, !by_sender, self.min_s);
        let required = if self.supported { "Require: timer\r\n" } else { "" };
        (Some(session), format!("{required}{}", session.header(if by_sender { "uac" } else { "uas" })))
    }

    /// The terms that a 2xx to our request sets.
    pub fn agreed(&self, now: Time) -> Option<Session> {
        let interval_s = self.interval_s?.max(MIN_SE_S);
        Some(Session::new(now, interval_s, self.by_sender.unwrap_or(true), self.min_s))
    }
}

impl Session {
    fn new(now: Time, interval_s: u32, ours: bool, min_s: u32) -> Session {
        let whole_ms = u64::from(interval_s) * 1000;
        let earlier_ms = u64::from(ENDS_EARLIER_S.min(interval_s / 3)) * 1000;
        let ends = now.plus_ms(whole_ms - earlier_ms);
        Session { interval_s, ours, min_s, refresh: if ours { now.plus_ms(whole_ms / 2) } else { ends }, ends }
    }

    /// The header lines of a refresh of ours; who refreshes stays as it is.
    pub fn request_headers(&self) -> String {
        format!("Min-SE: {}\r\n{}", self.min_s, self.header(if self.ours { "uac" } else { "uas" }))
    }

    fn header(&self, refresher: &str) -> String {
        format!("Session-Expires: {};refresher={refresher}\r\n", self.interval_s)
    }

    /// The far end takes no shorter interval than this (422).
    pub fn lengthen(&mut self, min_s: u32) {
        self.min_s = self.min_s.max(min_s);
        self.interval_s = self.interval_s.max(min_s);
    }

    /// A refresh went out, or failed: the next one is tried half-way to the end.
    pub fn tried(&mut self, now: Time) {
        self.refresh = now.plus_ms(self.ends.ms_since(now) / 2 + 1_000);
    }

    /// What is due.
    pub fn due(&self, now: Time) -> Option<Due> {
        match () {
            () if now >= self.ends => Some(Due::End),
            () if self.ours && now >= self.refresh => Some(Due::Refresh),
            () => None,
        }
    }

    /// When something is due.
    pub fn wakes(&self) -> Time {
        self.refresh.min(self.ends)
    }
}

/// What a session asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// A refresh by us.
    Refresh,
    /// BYE: nobody has refreshed it.
    End,
}

/// The header lines of our first INVITE: whoever answers may choose who refreshes.
pub fn invite_headers(min_s: u32) -> String {
    format!("Session-Expires: {}\r\nMin-SE: {min_s}\r\n", INTERVAL_S.max(min_s))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(headers: &str) -> Asked {
        Asked::of(&Message::read(&format!("INVITE sip:a SIP/2.0\r\n{headers}\r\n"), b""))
    }

    #[test]
    fn who_refreshes_is_settled_by_the_table() {
        let granted = |headers: &str| {
            let (session, headers) = asked(headers).grant(Time(0));
            (session.map(|session| (session.interval_s, session.ours)), headers)
        };
        assert_eq!(granted(""), (None, String::new()));
        let timer = "Require: timer\r\nSession-Expires: ";
        assert_eq!(granted("Supported: timer\r\n"), (Some((1800, true)), format!("{timer}1800;refresher=uas\r\n")));
        assert_eq!(granted("k: x, timer\r\nx: 120"), (Some((120, false)), format!("{timer}120;refresher=uac\r\n")));
        assert_eq!(granted("k: timer\r\nx: 120;refresher=uas"), (Some((120, true)), format!("{timer}120;refresher=uas\r\n")));
        assert_eq!(granted("k: timer\r\nx: 120;refresher=uac\r\nMin-SE: 300").0, Some((300, false)));
        assert_eq!(granted("x: 600"), (Some((600, true)), "Session-Expires: 600;refresher=uas\r\n".to_owned()), "a proxy has asked");
    }

    #[test]
    fn too_short_is_for_those_who_understand_it() {
        assert!(asked("k: timer\r\nx: 89").is_too_short() && !asked("k: timer\r\nx: 90").is_too_short() && !asked("x: 60").is_too_short());
    }

    #[test]
    fn half_way_it_is_refreshed_and_before_its_end_given_up() {
        let ours = asked("Session-Expires: 1800;refresher=uac").agreed(Time(0)).unwrap();
        assert_eq!((ours.wakes(), ours.due(Time(899_999)), ours.due(Time(900_000))), (Time(900_000), None, Some(Due::Refresh)));
        let theirs = asked("Session-Expires: 90;refresher=uas").agreed(Time(0)).unwrap();
        assert_eq!((theirs.wakes(), theirs.due(Time(59_999)), theirs.due(Time(60_000))), (Time(60_000), None, Some(Due::End)));
    }
}
