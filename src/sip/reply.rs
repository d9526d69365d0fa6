//! How is a response written? From the headers that it must copy out of its request (RFC 3261 §8.2.6), kept as one string a transaction.

use std::fmt::Write;
use std::net::IpAddr;

use bytes::Bytes;

use super::message::{Message, Name};
use super::peer::{Carrier, Peer};
use super::uri::{Via, param, split_outside};

/// The header lines that tell what we can do, in answers and requests that make or renew a dialog.
pub const ABILITIES: &str =
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REGISTER, PRACK, UPDATE, REFER\r\nSupported: 100rel, timer, norefersub, replaces\r\n";

/// What every response to one request repeats.
#[derive(Clone)]
pub struct ReplyHead {
    /// Via, From, Call-ID and CSeq lines.
    copied: Box<str>,
    /// The value of To as it came.
    to: Box<str>,
    /// Record-Route lines, for responses that make a dialog (RFC 3261 §12.1.1).
    record_route: Box<str>,
    /// Where responses go.
    pub peer: Peer,
}

/// One response, before it is written.
#[derive(Clone, Copy, Default)]
pub struct Reply<'a> {
    /// SIP status.
    pub status: u16,
    /// Our tag, set where To came without one.
    pub tag: &'a str,
    /// Header lines of its own, each with its CRLF.
    pub headers: &'a str,
    /// A session description.
    pub sdp: Option<&'a str>,
    /// Whether it makes or renews a dialog, so that Record-Route goes back.
    pub in_dialog: bool,
}

impl ReplyHead {
    /// Copies what responses need. Works for malformed requests too: what cannot be read goes back as it came.
    pub fn of(message: &Message<'_>, from: Peer) -> ReplyHead {
        let mut copied = String::with_capacity(512);
        let mut peer = from;
        for (place, header) in message.all(Name::Via).enumerate() {
            match Via::read(header).filter(|_| place == 0) {
                Some(via) => {
                    peer = response_peer(&via, from);
                    write_top_via(&mut copied, &via, from);
                }
                None => line(&mut copied, "Via", header),
            }
        }
        for (name, title) in [(Name::From, "From"), (Name::CallId, "Call-ID"), (Name::CSeq, "CSeq")] {
            if let Some(value) = message.first(name) {
                line(&mut copied, title, value);
            }
        }
        let mut record_route = String::new();
        message.all(Name::RecordRoute).for_each(|value| line(&mut record_route, "Record-Route", value));
        let to = message.first(Name::To).unwrap_or_default();
        ReplyHead { copied: copied.into(), to: to.into(), record_route: record_route.into(), peer }
    }

    /// The response as it goes on the wire.
    pub fn write(&self, reply: Reply<'_>) -> Bytes {
        let sdp = reply.sdp.unwrap_or_default();
        let mut out = String::with_capacity(160 + self.copied.len() + self.to.len() + reply.headers.len() + sdp.len());
        let _ = write!(out, "SIP/2.0 {} {}\r\n", reply.status, phrase(reply.status));
        out.push_str(&self.copied);
        if !self.to.is_empty() {
            let tagged = reply.tag.is_empty() || reply.status == 100 || has_tag(&self.to);
            let (separator, tag) = if tagged { ("", "") } else { (";tag=", reply.tag) };
            let _ = write!(out, "To: {}{separator}{tag}\r\n", self.to);
        }
        if reply.in_dialog {
            out.push_str(&self.record_route);
        }
        out.push_str(reply.headers);
        if reply.sdp.is_some() {
            out.push_str("Content-Type: application/sdp\r\n");
        }
        let _ = write!(out, "Content-Length: {}\r\n\r\n{sdp}", sdp.len());
        Bytes::from(out)
    }
}

fn line(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, "{name}: {value}\r\n");
}

fn has_tag(to: &str) -> bool {
    let behind = to.rfind('>').and_then(|at| to.get(at..)).unwrap_or(to);
    param(behind.split_once(';').map_or("", |(_, params)| params), "tag").is_some()
}

/// Over UDP the answer goes to the source address; to its port if `rport` asks for it, else to the port of sent-by (RFC 3261 §18.2.2).
fn response_peer(via: &Via<'_>, from: Peer) -> Peer {
    match from.carrier {
        Carrier::Udp if !via.wants_rport() => Peer { addr: (from.addr.ip(), via.port.unwrap_or(5060)).into(), ..from },
        _ => from,
    }
}

/// Notes the real source in the topmost Via (RFC 3261 §18.2.1, RFC 3581 §4).
fn write_top_via(out: &mut String, via: &Via<'_>, from: Peer) {
    let _ = write!(out, "Via: {}", via.sent);
    for part in split_outside(via.params, b';').filter(|part| !part.is_empty()) {
        let name = part.split('=').next().unwrap_or_default().trim();
        if !name.eq_ignore_ascii_case("received") && !name.eq_ignore_ascii_case("rport") {
            let _ = write!(out, ";{part}");
        }
    }
    let ip = from.addr.ip();
    if via.wants_rport() {
        let _ = write!(out, ";rport={}", from.addr.port());
    }
    if via.wants_rport() || via.host.parse::<IpAddr>() != Ok(ip) {
        let _ = write!(out, ";received={ip}");
    }
    let _ = write!(out, "{}\r\n", via.rest);
}

/// The reason phrase of a status that we send or name.
pub fn phrase(status: u16) -> &'static str {
    PHRASES.iter().find(|(own, _)| *own == status).map_or_else(|| phrase_of_class(status), |(_, phrase)| phrase)
}

fn phrase_of_class(status: u16) -> &'static str {
    match status / 100 {
        1 => "Session Progress",
        2 => "OK",
        3 => "Moved",
        4 => "Request Failure",
        5 => "Server Failure",
        _ => "Failure",
    }
}

const PHRASES: &[(u16, &str)] = &[
    (100, "Trying"),
    (180, "Ringing"),
    (202, "Accepted"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (408, "Request Timeout"),
    (413, "Request Entity Too Large"),
    (415, "Unsupported Media Type"),
    (416, "Unsupported URI Scheme"),
    (420, "Bad Extension"),
    (422, "Session Interval Too Small"),
    (423, "Interval Too Brief"),
    (480, "Temporarily Unavailable"),
    (481, "Call/Transaction Does Not Exist"),
    (486, "Busy Here"),
    (487, "Request Terminated"),
    (488, "Not Acceptable Here"),
    (489, "Bad Event"),
    (491, "Request Pending"),
    (500, "Server Internal Error"),
    (501, "Not Implemented"),
    (503, "Service Unavailable"),
    (504, "Server Time-out"),
    (505, "Version Not Supported"),
    (600, "Busy Everywhere"),
    (603, "Decline"),
    (604, "Does Not Exist Anywhere"),
    (606, "Not Acceptable"),
    (183, "Session Progress"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn head(via: &str, from: &str) -> ReplyHead {
        let text = format!(
            "BYE sip:a SIP/2.0\r\nVia: {via}\r\nVia: SIP/2.0/UDP b\r\nFrom: <sip:f>;tag=1\r\nTo: <sip:t>\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n"
        );
        #[allow(clippy::unwrap_used)]
        ReplyHead::of(&Message::read(&text, b""), Peer { addr: from.parse().unwrap(), carrier: Carrier::Udp })
    }

    #[test]
    fn what_we_say_that_we_can_do_is_what_we_take() {
        assert!(ABILITIES.starts_with(&format!("Allow: {}\r\n", super::super::message::Method::ALLOW)));
    }

    #[test]
    fn the_answer_goes_where_the_request_came_from() {
        let asked = head("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bKx", "203.0.113.9:40000");
        assert_eq!(asked.peer.addr.to_string(), "203.0.113.9:40000");
        let text = String::from_utf8_lossy(&asked.write(Reply { status: 200, tag: "us", ..Reply::default() })).into_owned();
        assert!(
            text.contains("Via: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKx;rport=40000;received=203.0.113.9\r\nVia: SIP/2.0/UDP b\r\n"),
            "{text}"
        );
        assert!(text.contains("To: <sip:t>;tag=us\r\n"));
        let plain = head("SIP/2.0/UDP 203.0.113.9:5070;branch=z9hG4bKx", "203.0.113.9:40000");
        assert_eq!(plain.peer.addr.to_string(), "203.0.113.9:5070");
    }
}
