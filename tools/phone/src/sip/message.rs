//! What does a SIP message say? Reading and writing the text of RFC 3261, as far as a phone needs it.

use std::fmt::Write;

use thiserror::Error;

/// Longest message that is read, in bytes; one over TCP that announces more ends its connection.
pub const LONGEST_BYTES: usize = 64 * 1024;

/// Why bytes are not a SIP message.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MessageError {
    #[error("the head of the SIP message is not UTF-8 text")]
    NotText,
    #[error("the SIP message has no empty line after its headers")]
    NoEnd,
    #[error("`{0}` is neither a request line nor a status line of SIP/2.0")]
    FirstLine(String),
    #[error("the header line `{0}` has no colon")]
    Header(String),
}

/// The first line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstLine {
    Request { method: String, uri: String },
    Response { code: u16, reason: String },
}

/// A SIP request or response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub first: FirstLine,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// A request without headers.
    pub fn request(method: &str, uri: &str) -> Self {
        let first = FirstLine::Request { method: method.to_owned(), uri: uri.to_owned() };
        Self { first, headers: Vec::with_capacity(12), body: Vec::new() }
    }

    /// The answer to a request with what RFC 3261 §8.2.6.2 copies; `tag` is put to a To that has none.
    pub fn reply(&self, code: u16, reason: &str, tag: &str) -> Self {
        let mut reply =
            Self { first: FirstLine::Response { code, reason: reason.to_owned() }, headers: Vec::with_capacity(10), body: Vec::new() };
        for (name, value) in &self.headers {
            match name.as_str() {
                "To" if parameter(value, "tag").is_none() && code > 100 => reply.push("To", format!("{value};tag={tag}")),
                "Via" | "From" | "To" | "Call-ID" | "CSeq" | "Record-Route" => reply.push(name, value.clone()),
                _ => {}
            }
        }
        reply
    }

    /// Reads one message; bytes of the body after `Content-Length` are dropped.
    ///
    /// # Errors
    /// When the bytes are not a SIP message.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let end = head_end(bytes).ok_or(MessageError::NoEnd)?;
        let (head, body) = bytes.split_at(end);
        let head = std::str::from_utf8(head).map_err(|_| MessageError::NotText)?;
        let mut lines = head.lines();
        let first = first_line(lines.next().unwrap_or_default())?;
        let mut message = Self { first, headers: Vec::with_capacity(16), body: Vec::new() };
        for line in lines.filter(|line| !line.is_empty()) {
            message.read_header(line)?;
        }
        let length = message.header("Content-Length").and_then(|value| value.parse().ok()).unwrap_or(body.len());
        message.body = body.get(..length).unwrap_or(body).to_vec();
        Ok(message)
    }

    fn read_header(&mut self, line: &str) -> Result<(), MessageError> {
        if line.starts_with([' ', '\t']) {
            // Folded line: belongs to the header before it (§7.3.1).
            if let Some((_, value)) = self.headers.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
            return Ok(());
        }
        let (name, value) = line.split_once(':').ok_or_else(|| MessageError::Header(line.to_owned()))?;
        self.headers.push((full_name(name.trim()), value.trim().to_owned()));
        Ok(())
    }

    /// The message as bytes, with its `Content-Length`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(700 + self.body.len());
        let _ = match &self.first {
            FirstLine::Request { method, uri } => write!(text, "{method} {uri} SIP/2.0\r\n"),
            FirstLine::Response { code, reason } => write!(text, "SIP/2.0 {code} {reason}\r\n"),
        };
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "Content-Length") {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The first header of that name (its full, usual spelling).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All headers of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Adds a header at the end.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Puts a header in the place of all of that name.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(known, _)| known != name);
        self.push(name, value);
    }

    /// The same with a body and its type.
    pub fn with_body(mut self, kind: &str, body: Vec<u8>) -> Self {
        self.set("Content-Type", kind);
        self.body = body;
        self
    }

    /// The request's method, or the one that `CSeq` names.
    pub fn method(&self) -> &str {
        match &self.first {
            FirstLine::Request { method, .. } => method,
            FirstLine::Response { .. } => self.cseq().1,
        }
    }

    /// Number and method of `CSeq`; 0 and "" where it is missing or broken.
    pub fn cseq(&self) -> (u32, &str) {
        let (number, method) = self.header("CSeq").and_then(|value| value.split_once(' ')).unwrap_or_default();
        (number.trim().parse().unwrap_or(0), method.trim())
    }

    /// The branch of the topmost Via.
    pub fn branch(&self) -> &str {
        self.header("Via").and_then(|via| parameter(via, "branch")).unwrap_or_default()
    }

    /// `Call-ID`, "" where it is missing.
    pub fn call_id(&self) -> &str {
        self.header("Call-ID").unwrap_or_default()
    }

    /// The tag of From or To, named by the header.
    pub fn tag(&self, header: &str) -> Option<&str> {
        self.header(header).and_then(|value| parameter(value, "tag"))
    }

    /// The URI of the first Contact.
    pub fn contact(&self) -> Option<&str> {
        self.header("Contact").map(uri_of)
    }
}

/// Where the head of a message ends: the index after its empty line.
fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// How long the first message of a TCP stream is, once its head is whole (§18.3).
pub fn framed_length(bytes: &[u8]) -> Option<usize> {
    let end = head_end(bytes)?;
    let head = std::str::from_utf8(bytes.get(..end)?).unwrap_or_default();
    let length = head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| full_name(name.trim()) == "Content-Length");
    Some(end + length.and_then(|(_, value)| value.trim().parse::<usize>().ok()).unwrap_or(0).min(LONGEST_BYTES))
}

fn first_line(line: &str) -> Result<FirstLine, MessageError> {
    let wrong = || MessageError::FirstLine(line.chars().take(80).collect());
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let code = code.parse().ok().filter(|code| (100..700).contains(code)).ok_or_else(wrong)?;
        return Ok(FirstLine::Response { code, reason: reason.to_owned() });
    }
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(method), Some(uri), Some("SIP/2.0"), None) if !method.is_empty() => {
            Ok(FirstLine::Request { method: method.to_owned(), uri: uri.to_owned() })
        }
        _ => Err(wrong()),
    }
}

/// The usual spelling of a header's name, from any case and the short forms of §7.3.3.
fn full_name(name: &str) -> String {
    const NAMES: [(&str, &str); 19] = [
        ("v", "Via"),
        ("f", "From"),
        ("t", "To"),
        ("i", "Call-ID"),
        ("", "CSeq"),
        ("m", "Contact"),
        ("l", "Content-Length"),
        ("c", "Content-Type"),
        ("", "Record-Route"),
        ("", "Route"),
        ("", "WWW-Authenticate"),
        ("", "Proxy-Authenticate"),
        ("", "Authorization"),
        ("", "Proxy-Authorization"),
        ("", "Expires"),
        ("", "Max-Forwards"),
        ("", "Allow"),
        ("s", "Subject"),
        ("k", "Supported"),
    ];
    let known =
        NAMES.iter().find(|(short, full)| full.eq_ignore_ascii_case(name) || (!short.is_empty() && short.eq_ignore_ascii_case(name)));
    known.map_or(name, |(_, full)| full).to_owned()
}

/// The URI of a name-addr or addr-spec: `"A" <sip:a@b>;tag=1` gives `sip:a@b`.
pub fn uri_of(value: &str) -> &str {
    match value.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(rest),
        None => value.split(';').next().unwrap_or(value).trim(),
    }
}

/// The user part of a SIP URI.
pub fn user_of(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    rest.split_once('@').map_or("", |(user, _)| user)
}

/// Host and port (5060 where none is given) of a SIP URI.
pub fn host_of(uri: &str) -> (&str, u16) {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let rest = rest.split_once('@').map_or(rest, |(_, host)| host);
    let rest = rest.split([';', '?', '>']).next().unwrap_or(rest);
    let (host, port) = rest.rsplit_once(':').unwrap_or((rest, ""));
    (host, port.parse().unwrap_or(5060))
}

/// A parameter after the URI of a header's value: `tag`, `branch`, `expires`; quotes are taken off.
pub fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let rest = value.rsplit_once('>').map_or(value, |(_, rest)| rest);
    rest.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const INVITE: &str = "INVITE sip:109@127.0.0.1 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa;rport\r\n\
        f: \"A B\" <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:109@127.0.0.1>\r\ni: x@y\r\nCSEQ: 7 INVITE\r\nSubject: one\r\n two\r\nl: 4\r\n\r\nbodyrest";

    #[test]
    fn reads_short_forms_folds_and_the_body() {
        let message = Message::parse(INVITE.as_bytes()).unwrap();
        assert_eq!((message.method(), message.cseq(), message.branch()), ("INVITE", (7, "INVITE"), "z9hG4bKa"));
        assert_eq!((message.tag("From"), message.tag("To"), message.call_id()), (Some("1"), None, "x@y"));
        assert_eq!(message.header("Subject"), Some("one two"));
        assert_eq!(message.body, b"body");
        assert_eq!(framed_length(INVITE.as_bytes()), Some(INVITE.len() - 4));
    }

    #[test]
    fn replies_and_reads_its_own_text() {
        let reply = Message::parse(INVITE.as_bytes()).unwrap().reply(486, "Busy Here", "t9");
        let read = Message::parse(&reply.to_bytes()).unwrap();
        assert_eq!(read.first, FirstLine::Response { code: 486, reason: "Busy Here".to_owned() });
        assert_eq!((read.tag("To"), read.method()), (Some("t9"), "INVITE"));
    }

    #[test]
    fn refuses_what_is_no_message() {
        assert_eq!(Message::parse(b"hello"), Err(MessageError::NoEnd));
        assert!(matches!(Message::parse(b"SIP/2.0 99 x\r\n\r\n"), Err(MessageError::FirstLine(_))));
        assert!(matches!(Message::parse(b"A b SIP/2.0\r\nno colon\r\n\r\n"), Err(MessageError::Header(_))));
        assert_eq!(Message::parse(&[0xff, b'\r', b'\n', b'\r', b'\n']), Err(MessageError::NotText));
    }

    #[test]
    fn takes_uris_apart() {
        assert_eq!(uri_of("\"A\" <sip:a@h:1;lr>;tag=2"), "sip:a@h:1;lr");
        assert_eq!(host_of("sip:a@10.0.0.1:5071;transport=tcp"), ("10.0.0.1", 5071));
        assert_eq!((host_of("sip:h"), user_of("sip:a@h"), user_of("sip:h")), (("h", 5060), "a", ""));
        assert_eq!(parameter("<sip:a;x=1>;expires=60", "expires"), Some("60"));
    }
}
