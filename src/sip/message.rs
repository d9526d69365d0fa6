//! What does a received SIP message say? Its start line and headers, read once and borrowed from the datagram (RFC 3261 §7).

/// The methods that we know by name; all others are answered 501.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// RFC 3261 §13.
    Invite,
    /// RFC 3261 §13.2.2.4; never answered.
    Ack,
    /// RFC 3261 §15.
    Bye,
    /// RFC 3261 §9.
    Cancel,
    /// RFC 3261 §11.
    Options,
    /// RFC 3261 §10.
    Register,
    /// RFC 6086.
    Info,
    /// RFC 3262.
    Prack,
    /// RFC 3311.
    Update,
    /// RFC 3515.
    Refer,
    /// RFC 6665; we send it to tell how a transfer goes, and take none.
    Notify,
    /// A method of an extension that we know and do not offer: 405.
    NotOffered(&'static str),
}

impl Method {
    /// Methods that we take, as the Allow header lists them.
    pub const ALLOW: &'static str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REGISTER, PRACK, UPDATE, REFER";

    const EXTENSIONS: [&'static str; 3] = ["SUBSCRIBE", "MESSAGE", "PUBLISH"];

    /// The method of a name; names are case-sensitive (RFC 3261 §7.1).
    pub fn of(name: &str) -> Option<Method> {
        Some(match name {
            "INVITE" => Method::Invite,
            "ACK" => Method::Ack,
            "BYE" => Method::Bye,
            "CANCEL" => Method::Cancel,
            "OPTIONS" => Method::Options,
            "REGISTER" => Method::Register,
            "INFO" => Method::Info,
            "PRACK" => Method::Prack,
            "UPDATE" => Method::Update,
            "REFER" => Method::Refer,
            "NOTIFY" => Method::Notify,
            other => Method::NotOffered(Self::EXTENSIONS.into_iter().find(|known| *known == other)?),
        })
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Options => "OPTIONS",
            Method::Register => "REGISTER",
            Method::Info => "INFO",
            Method::Prack => "PRACK",
            Method::Update => "UPDATE",
            Method::Refer => "REFER",
            Method::Notify => "NOTIFY",
            Method::NotOffered(name) => name,
        }
    }
}

/// The headers that we read, compact forms included (RFC 3261 §7.3.3, §20).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name {
    /// Via, `v`.
    Via,
    /// From, `f`.
    From,
    /// To, `t`.
    To,
    /// Call-ID, `i`.
    CallId,
    /// CSeq.
    CSeq,
    /// Contact, `m`.
    Contact,
    /// Max-Forwards.
    MaxForwards,
    /// Content-Length, `l`.
    ContentLength,
    /// Content-Type, `c`.
    ContentType,
    /// Content-Encoding, `e`.
    ContentEncoding,
    /// Record-Route.
    RecordRoute,
    /// Require.
    Require,
    /// Accept.
    Accept,
    /// Authorization.
    Authorization,
    /// Expires.
    Expires,
    /// Supported, `k`.
    Supported,
    /// Allow.
    Allow,
    /// Retry-After.
    RetryAfter,
    /// Session-Expires, `x` (RFC 4028).
    SessionExpires,
    /// Min-SE (RFC 4028).
    MinSe,
    /// RSeq (RFC 3262).
    RSeq,
    /// RAck (RFC 3262).
    RAck,
    /// Refer-To, `r` (RFC 3515).
    ReferTo,
    /// Refer-Sub (RFC 4488).
    ReferSub,
    /// Replaces (RFC 3891).
    Replaces,
    /// Diversion (RFC 5806).
    Diversion,
    /// History-Info (RFC 7044).
    HistoryInfo,
    /// Min-Expires.
    MinExpires,
    /// WWW-Authenticate.
    WwwAuthenticate,
    /// Proxy-Authenticate.
    ProxyAuthenticate,
    /// P-Asserted-Identity (RFC 3325).
    AssertedIdentity,
    /// Privacy (RFC 3323).
    Privacy,
    /// Anything else: legal, and not for us.
    Other,
}

/// Long names and, where there is one, the compact form.
const NAMES: &[(&str, &str, Name)] = &[
    ("via", "v", Name::Via),
    ("from", "f", Name::From),
    ("to", "t", Name::To),
    ("call-id", "i", Name::CallId),
    ("cseq", "", Name::CSeq),
    ("contact", "m", Name::Contact),
    ("max-forwards", "", Name::MaxForwards),
    ("content-length", "l", Name::ContentLength),
    ("content-type", "c", Name::ContentType),
    ("content-encoding", "e", Name::ContentEncoding),
    ("record-route", "", Name::RecordRoute),
    ("require", "", Name::Require),
    ("accept", "", Name::Accept),
    ("authorization", "", Name::Authorization),
    ("expires", "", Name::Expires),
    ("supported", "k", Name::Supported),
    ("allow", "", Name::Allow),
    ("retry-after", "", Name::RetryAfter),
    ("session-expires", "x", Name::SessionExpires),
    ("min-se", "", Name::MinSe),
    ("rseq", "", Name::RSeq),
    ("rack", "", Name::RAck),
    ("refer-to", "r", Name::ReferTo),
    ("refer-sub", "", Name::ReferSub),
    ("replaces", "", Name::Replaces),
    ("diversion", "", Name::Diversion),
    ("history-info", "", Name::HistoryInfo),
    ("min-expires", "", Name::MinExpires),
    ("www-authenticate", "", Name::WwwAuthenticate),
    ("proxy-authenticate", "", Name::ProxyAuthenticate),
    ("p-asserted-identity", "", Name::AssertedIdentity),
    ("privacy", "", Name::Privacy),
];

impl Name {
    fn of(text: &str) -> Name {
        let known = NAMES.iter().find(|(long, compact, _)| {
            (text.len() == long.len() && text.eq_ignore_ascii_case(long)) || (text.len() == 1 && text.eq_ignore_ascii_case(compact))
        });
        known.map_or(Name::Other, |(_, _, name)| *name)
    }
}

/// The first line.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Start<'a> {
    /// `METHOD uri version`, each as written.
    Request { method: &'a str, uri: &'a str, version: &'a str },
    /// `SIP/2.0 status reason`.
    Response { status: u16 },
    /// A request line that is none; `method` is its first word, so that an ACK is never answered.
    Broken { method: &'a str },
    /// A status line that is none.
    BrokenResponse,
}

/// One message. Values are trimmed and unfolded; a list header may hold several elements.
pub struct Message<'a> {
    /// The first line.
    pub start: Start<'a>,
    headers: Vec<(Name, &'a str)>,
    /// What follows the empty line.
    pub body: &'a [u8],
    /// Whether a header line could not be read as `name: value`.
    pub broken_header: bool,
}

/// More header lines than any honest message has.
const MOST_HEADERS: usize = 256;

impl<'a> Message<'a> {
    /// Reads a head with CRLF line ends and without folded lines, as `guard` makes it.
    pub fn read(head: &'a str, body: &'a [u8]) -> Message<'a> {
        let mut lines = head.split("\r\n");
        let start = start_line(lines.next().unwrap_or_default());
        let mut message = Message { start, headers: Vec::with_capacity(20), body, broken_header: false };
        for line in lines.filter(|line| !line.is_empty()) {
            match header_line(line) {
                Some(header) if message.headers.len() < MOST_HEADERS => message.headers.push(header),
                _ => message.broken_header = true,
            }
        }
        message
    }

    /// The message with only so much of its body as belongs to it.
    pub fn with_body(mut self, body: &'a [u8]) -> Message<'a> {
        self.body = body;
        self
    }

    /// The first header of a name.
    pub fn first(&self, name: Name) -> Option<&'a str> {
        self.all(name).next()
    }

    /// All headers of a name, in order.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(own, _)| *own == name).map(|(_, value)| *value)
    }

    /// The header of a name that may stand only once; `None` when it is missing or stands twice.
    pub fn only(&self, name: Name) -> Option<&'a str> {
        let mut all = self.all(name);
        let first = all.next();
        if all.next().is_some() { None } else { first }
    }

    /// Whether the body is a session description.
    pub fn has_sdp(&self) -> bool {
        !self.body.is_empty() && self.content_type().eq_ignore_ascii_case("application/sdp")
    }

    /// The media type of the body without its parameters, "" when none is given.
    pub fn content_type(&self) -> &'a str {
        self.first(Name::ContentType).and_then(|value| value.split(';').next()).map_or("", str::trim)
    }

    /// Whether a list header names this token: `Supported` an option tag, `Allow` a method.
    pub fn lists(&self, name: Name, token: &str) -> bool {
        self.all(name).flat_map(|value| value.split(',')).any(|own| own.trim().eq_ignore_ascii_case(token))
    }

    /// The number that a header begins with: RSeq, Min-SE, the seconds of Retry-After and Session-Expires.
    pub fn number(&self, name: Name) -> Option<u32> {
        let value = self.first(name)?;
        let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        value.get(..end)?.parse().ok()
    }

    /// The number and the method of CSeq; `None` when it is missing, doubled, or above 2³¹ (RFC 3261 §8.1.1.5).
    pub fn cseq(&self) -> Option<(u32, &'a str)> {
        let (number, method) = self.only(Name::CSeq)?.split_once([' ', '\t'])?;
        let number: u32 = if number.bytes().all(|byte| byte.is_ascii_digit()) { number.parse().ok()? } else { return None };
        (number < 1 << 31).then_some((number, method.trim()))
    }
}

fn start_line(line: &str) -> Start<'_> {
    if let Some(rest) = line.strip_prefix("SIP/") {
        return status_line(rest).unwrap_or(Start::BrokenResponse);
    }
    let mut parts = line.split(' ');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(method), Some(uri), Some(version), None) if is_token(method) && !uri.is_empty() && is_version(version) => {
            Start::Request { method, uri, version }
        }
        (method, ..) => Start::Broken { method: method.unwrap_or_default() },
    }
}

fn status_line(rest: &str) -> Option<Start<'_>> {
    let rest = rest.strip_prefix("2.0 ")?;
    let status = rest.get(..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let ends = rest.len() == 3 || rest.as_bytes().get(3) == Some(&b' ');
    let status: u16 = status.parse().ok()?;
    (ends && (100..700).contains(&status)).then_some(Start::Response { status })
}

/// `SIP/` and two numbers: the right shape, of whichever version.
fn is_version(text: &str) -> bool {
    let numbers = text.get(..4).filter(|name| name.eq_ignore_ascii_case("SIP/")).and_then(|_| text.get(4..)?.split_once('.'));
    numbers.is_some_and(|(major, minor)| [major, minor].iter().all(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit())))
}

fn header_line(line: &str) -> Option<(Name, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = trim_blanks(name);
    is_token(name).then(|| (Name::of(name), trim_blanks(value)))
}

/// `text` without the spaces and tabs around it, byte by byte: a message has a hundred such places.
fn trim_blanks(text: &str) -> &str {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let from = text.as_bytes().iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let until = text.as_bytes().iter().rposition(|byte| !is_blank(byte)).map_or(from, |last| last + 1);
    text.get(from..until).unwrap_or_default()
}

/// The bytes that a token is made of.
const OF_TOKENS: [bool; 256] = {
    let mut of_tokens = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let is_mark = matches!(byte as u8, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        of_tokens[byte] = (byte as u8).is_ascii_alphanumeric() || is_mark;
        byte += 1;
    }
    of_tokens
};

/// Whether `text` is a token (RFC 3261 §25.1).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| OF_TOKENS[usize::from(byte)])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn start_lines_are_told_apart() {
        let start = |line| start_line(line);
        assert_eq!(start("INVITE sip:109@a SIP/2.0"), Start::Request { method: "INVITE", uri: "sip:109@a", version: "SIP/2.0" });
        assert_eq!(start("ACK  sip:109@a SIP/2.0"), Start::Broken { method: "ACK" }, "two spaces");
        assert_eq!(start("SIP/2.0 200 OK"), Start::Response { status: 200 });
        assert_eq!(start("SIP/2.0 100"), Start::Response { status: 100 });
        assert_eq!(start("SIP/2.0 4294967301 better not"), Start::BrokenResponse);
    }

    /// A second parser, which is not ours, must read the same from messages that both take.
    #[test]
    fn another_parser_reads_the_same() {
        use rsipstack::sip::{HeadersExt, SipMessage};
        let text = "INVITE sip:109@192.0.2.1 SIP/2.0\r\nv: SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK1, SIP/2.0/TCP b;branch=z9hG4bK2\r\nf: \"A, \\\"B\\\"\" <sip:a@x>;tag=t1\r\n\
                    t: sip:109@x\r\nCALL-ID:  c1 \r\nCSeq: 7 INVITE\r\nm: <sip:a@203.0.113.7:5070;transport=tcp>\r\nc: application/sdp\r\nl: 3\r\n\r\nv=0";
        let Ok(SipMessage::Request(theirs)) = SipMessage::try_from(text) else { panic!("the other parser refuses it") };
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let ours = Message::read(head, body.as_bytes());
        assert_eq!(
            ours.start,
            Start::Request { method: theirs.method.to_string().as_str(), uri: theirs.uri.to_string().as_str(), version: "SIP/2.0" }
        );
        assert_eq!(ours.only(Name::CallId), Some(theirs.call_id_header().unwrap().value()));
        assert_eq!(ours.cseq().map(|(number, _)| number), theirs.cseq_header().unwrap().seq().ok());
        assert_eq!(ours.first(Name::Via).map(str::len), Some(theirs.via_header().unwrap().value().len()));
        assert_eq!(ours.only(Name::From), Some(theirs.from_header().unwrap().value()));
        assert_eq!(ours.body, theirs.body);
    }

    #[test]
    fn compact_names_and_the_only_one() {
        let message = Message::read("BYE sip:a SIP/2.0\r\nv: x\r\nVIA : y\r\ni: 1\r\nCSeq: 4294967296 BYE\r\nl: 0\r\n", b"");
        assert_eq!(message.all(Name::Via).collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(message.only(Name::Via), None);
        assert_eq!(message.only(Name::CallId), Some("1"));
        assert_eq!(message.cseq(), None, "more than 31 bits");
    }
}
