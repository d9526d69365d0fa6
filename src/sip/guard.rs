//! Is a datagram a message that may go further? Cleans what can be cleaned and refuses, without any state, what is malformed.

use super::message::{Message, Method, Name, Start};
use super::peer::Peer;
use super::reply::ReplyHead;
use super::uri::{NameAddr, Scheme, Uri, Via, split_outside};

/// The extensions that may be required of us: RFC 3262, RFC 4028, RFC 4488, RFC 3891.
const EXTENSIONS: [&str; 4] = ["100rel", "timer", "norefersub", "replaces"];

/// A request whose mandatory parts have been read.
pub struct Request<'a> {
    /// All of it.
    pub message: Message<'a>,
    /// Its method.
    pub method: Method,
    /// Its Request-URI.
    pub uri: Uri<'a>,
    /// Its topmost Via.
    pub via: Via<'a>,
    /// From, with its tag (RFC 2543 senders have none).
    pub from: NameAddr<'a>,
    /// To; a tag means that it belongs to a dialog.
    pub to: NameAddr<'a>,
    /// Call-ID.
    pub call_id: &'a str,
    /// The number of CSeq.
    pub cseq: u32,
    /// The address of the first Contact.
    pub contact: Option<Uri<'a>>,
    /// Where it came from.
    pub from_peer: Peer,
}

/// A response whose parts that matching needs have been read.
pub struct Response<'a> {
    /// All of it.
    pub message: Message<'a>,
    /// Its status.
    pub status: u16,
    /// The branch of its topmost Via.
    pub branch: &'a str,
    /// To with its tag.
    pub to: NameAddr<'a>,
    /// The method of CSeq.
    pub method: &'a str,
    /// The number of CSeq.
    pub cseq: u32,
    /// The address of the first Contact.
    pub contact: Option<Uri<'a>>,
    /// Where it came from.
    pub from_peer: Peer,
}

/// What became of the bytes.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack while one message is handled; a box would be an allocation a message")]
pub enum Verdict<'a> {
    /// A sound request.
    Request(Request<'a>),
    /// A sound response.
    Response(Response<'a>),
    /// Malformed or not ours: answered at once, nothing is kept.
    Refuse(Refusal),
    /// Nothing that could be answered: keep-alives, broken responses, noise.
    Nothing,
}

/// A refusal that needs no state.
pub struct Refusal {
    /// What it copies.
    pub head: ReplyHead,
    /// Its status.
    pub status: u16,
    /// Header lines that go with the status.
    pub headers: String,
}

/// Judges one datagram, or one framed message of a stream. `scratch` holds the cleaned head where cleaning is needed.
pub fn judge<'a>(raw: &'a [u8], scratch: &'a mut String, peer: Peer) -> Verdict<'a> {
    let raw = skip_blank(raw);
    if raw.len() < 12 {
        return Verdict::Nothing;
    }
    let (head, body) = split_body(raw);
    let message = match plain(head) {
        Some(head) => Message::read(head, body),
        None => {
            clean(head, scratch);
            Message::read(scratch, body)
        }
    };
    match message.start {
        Start::Response { status } => response(message, status, peer).map_or(Verdict::Nothing, Verdict::Response),
        Start::BrokenResponse => Verdict::Nothing,
        Start::Broken { method } if method.eq_ignore_ascii_case("ACK") => Verdict::Nothing,
        Start::Broken { .. } => refuse(&message, peer, Fault::malformed()),
        Start::Request { method, uri, version } => {
            let Parts { method, essentials } = match parts(&message, method, uri, version) {
                Ok(parts) => parts,
                Err(_) if method == "ACK" => return Verdict::Nothing,
                Err(fault) => return refuse(&message, peer, fault),
            };
            let Essentials { uri, via, from, to, call_id, cseq, contact, body } = essentials;
            let message = message.with_body(body);
            Verdict::Request(Request { message, method, uri, via, from, to, call_id, cseq, contact, from_peer: peer })
        }
    }
}

fn skip_blank(raw: &[u8]) -> &[u8] {
    let start = raw.iter().position(|byte| !matches!(byte, b'\r' | b'\n' | 0)).unwrap_or(raw.len());
    raw.get(start..).unwrap_or_default()
}

/// Head and body; a message without an empty line is all head.
fn split_body(raw: &[u8]) -> (&[u8], &[u8]) {
    let (end, body) = end_of_head(raw).unwrap_or((raw.len(), raw.len()));
    (raw.get(..end).unwrap_or_default(), raw.get(body..).unwrap_or_default())
}

/// Where the head ends and where the body begins, for CRLF and for bare LF line ends.
pub fn end_of_head(raw: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some(lf) = raw.get(at..)?.iter().position(|byte| *byte == b'\n') {
        let next = at + lf + 1;
        match raw.get(next..)? {
            [b'\n', ..] => return Some((next, next + 1)),
            [b'\r', b'\n', ..] => return Some((next, next + 2)),
            _ => at = next,
        }
    }
    None
}

/// The head as it is, if it is UTF-8 with CRLF line ends and no folded line: the common case, not copied.
fn plain(head: &[u8]) -> Option<&str> {
    let pairs = head.iter().zip(head.get(1..).unwrap_or_default());
    // Without a way out in the middle, so that many bytes are looked at in one step.
    let odd = pairs.fold(false, |odd, (before, byte)| {
        let folded = (*before == b'\n') & ((*byte == b' ') | (*byte == b'\t'));
        let bare = (*byte == b'\n') != (*before == b'\r');
        odd | folded | bare
    });
    if odd { None } else { std::str::from_utf8(head).ok() }
}

/// Makes line ends CRLF, joins folded lines (RFC 3261 §7.3.1), and puts `_` for bytes that are no UTF-8.
fn clean(head: &[u8], out: &mut String) {
    out.clear();
    for chunk in head.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' => {}
                '\n' => out.push_str("\r\n"),
                ' ' | '\t' if out.ends_with("\r\n") => {
                    out.truncate(out.len() - 2);
                    out.push(' ');
                }
                other => out.push(other),
            }
        }
        if !chunk.invalid().is_empty() {
            out.push('_');
        }
    }
}

/// Why a request is refused before anything is kept for it.
struct Fault {
    status: u16,
    headers: String,
}

impl Fault {
    fn malformed() -> Fault {
        Fault::with(400)
    }

    fn with(status: u16) -> Fault {
        Fault { status, headers: String::new() }
    }
}

fn refuse(message: &Message<'_>, peer: Peer, fault: Fault) -> Verdict<'static> {
    if message.first(Name::Via).is_none() {
        return Verdict::Nothing;
    }
    metrics::counter!("cityline_sip_refused_total", "status" => fault.status.to_string()).increment(1);
    Verdict::Refuse(Refusal { head: ReplyHead::of(message, peer), status: fault.status, headers: fault.headers })
}

struct Parts<'a> {
    method: Method,
    essentials: Essentials<'a>,
}

struct Essentials<'a> {
    uri: Uri<'a>,
    via: Via<'a>,
    from: NameAddr<'a>,
    to: NameAddr<'a>,
    call_id: &'a str,
    cseq: u32,
    contact: Option<Uri<'a>>,
    body: &'a [u8],
}

/// The order of RFC 3261 §8.2 and §21: version, syntax, method, URI scheme, extensions.
fn parts<'a>(message: &Message<'a>, method: &str, uri: &'a str, version: &str) -> Result<Parts<'a>, Fault> {
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(Fault::with(505));
    }
    let essentials = essentials(message, uri).ok_or_else(Fault::malformed)?;
    let Some(known) = Method::of(method) else {
        return Err(Fault { status: 501, headers: format!("Allow: {}\r\n", Method::ALLOW) });
    };
    if message.cseq().is_none_or(|(_, named)| named != method) {
        return Err(Fault::malformed());
    }
    if essentials.uri.scheme == Scheme::Other {
        return Err(Fault::with(416));
    }
    if essentials.to.uri.scheme == Scheme::Other && known == Method::Register {
        return Err(Fault::malformed());
    }
    if known != Method::Ack && known != Method::Cancel {
        extensions(message)?;
    }
    Ok(Parts { method: known, essentials })
}

fn essentials<'a>(message: &Message<'a>, uri: &'a str) -> Option<Essentials<'a>> {
    if message.broken_header {
        return None;
    }
    let uri = Uri::read(uri).filter(|uri| uri.headers.is_empty())?;
    let via = Via::read(message.first(Name::Via)?)?;
    let from = NameAddr::read(message.only(Name::From)?)?;
    let to = NameAddr::read(message.only(Name::To)?)?;
    let call_id = call_id(message)?;
    let (cseq, _) = message.cseq()?;
    if message.all(Name::MaxForwards).nth(1).is_some() {
        return None;
    }
    let contact = first_contact(message).ok()?;
    Some(Essentials { uri, via, from, to, call_id, cseq, contact, body: body(message)? })
}

/// The body as long as Content-Length says; the rest of a datagram is noise (RFC 3261 §18.3), less than announced is an error.
fn body<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    if message.first(Name::ContentLength).is_none() {
        return Some(message.body);
    }
    let length = message.only(Name::ContentLength).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    message.body.get(..length.parse().ok()?)
}

/// Every Contact must be sound; the first one counts. `*` counts as none.
fn first_contact<'a>(message: &Message<'a>) -> Result<Option<Uri<'a>>, ()> {
    let mut first = None;
    for value in message.all(Name::Contact).flat_map(|header| split_outside(header, b',')) {
        if value != "*" {
            let contact = NameAddr::read(value).ok_or(())?;
            first = first.or(Some(contact.uri));
        }
    }
    Ok(first)
}

/// No extension may be required of us but those that we know (RFC 3261 §8.2.2.3).
fn extensions(message: &Message<'_>) -> Result<(), Fault> {
    let known = |tag: &&str| EXTENSIONS.iter().any(|own| own.eq_ignore_ascii_case(tag));
    let required = message.all(Name::Require).flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
    let unknown: Vec<&str> = required.filter(|tag| !known(tag)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Fault { status: 420, headers: format!("Unsupported: {}\r\n", unknown.join(", ")) }) }
}

fn call_id<'a>(message: &Message<'a>) -> Option<&'a str> {
    message.only(Name::CallId).filter(|id| !id.is_empty() && !id.contains([' ', '\t']))
}

fn response(message: Message<'_>, status: u16, peer: Peer) -> Option<Response<'_>> {
    if message.broken_header || message.all(Name::Via).nth(1).is_some() {
        return None;
    }
    let via = Via::read(message.only(Name::Via)?).filter(|via| via.rest.is_empty())?;
    // Who answers a call that nobody waits for gets both back in an ACK.
    NameAddr::read(message.only(Name::From)?)?;
    call_id(&message)?;
    let to = NameAddr::read(message.only(Name::To)?)?;
    let (cseq, method) = message.cseq()?;
    let contact = first_contact(&message).unwrap_or_default();
    let body = body(&message)?;
    let message = message.with_body(body);
    Some(Response { status, branch: via.branch(), to, method, cseq, contact, from_peer: peer, message })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::sip::peer::Carrier;
    use crate::sip::reply::Reply;

    const HEADERS: &str = "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:109@c>\r\nCall-ID: c1\r\n";

    fn judged(raw: &[u8]) -> String {
        let peer = Peer { addr: "127.0.0.1:5070".parse().unwrap(), carrier: Carrier::Udp };
        let mut scratch = String::new();
        match judge(raw, &mut scratch, peer) {
            Verdict::Request(request) => {
                format!("{} from {:?} with {}", request.method.name(), request.from.display, String::from_utf8_lossy(request.message.body))
            }
            Verdict::Response(response) => format!("response {}", response.status),
            Verdict::Refuse(refusal) => {
                let reply = refusal.head.write(Reply { status: refusal.status, tag: "t", headers: &refusal.headers, ..Reply::default() });
                String::from_utf8_lossy(&reply).lines().next().unwrap().to_owned()
            }
            Verdict::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn a_name_in_another_encoding_does_not_lose_the_call() {
        let raw = [
            b"INVITE sip:109@c SIP/2.0\r\n".as_slice(),
            &HEADERS.replace("<sip:a@b>", "\"X\" <sip:a@b>").into_bytes(),
            b"CSeq: 1 INVITE\r\n\r\nv=0",
        ]
        .concat();
        let raw: Vec<u8> = raw.iter().map(|byte| if *byte == b'X' { 0xc0 } else { *byte }).collect();
        assert_eq!(judged(&raw), "INVITE from \"_\" with v=0");
    }

    /// Found by fuzzing: they would come back in an ACK or a PRACK of ours.
    #[test]
    fn an_answer_names_its_call_and_who_made_it() {
        let text = |headers: &str| format!("SIP/2.0 200 OK\r\n{headers}CSeq: 1 INVITE\r\n\r\n");
        assert_eq!(judged(text(HEADERS).as_bytes()), "response 200");
        for broken in [
            HEADERS.replace("c1", ""),
            HEADERS.replace("Call-ID", "X"),
            HEADERS.replace("<sip:a@b>;tag=1", "<"),
            HEADERS.replace("From", "X"),
        ] {
            assert_eq!(judged(text(&broken).as_bytes()), "nothing", "{broken}");
        }
    }

    #[test]
    fn bare_lf_and_folding_are_borne() {
        let text = format!("INVITE sip:109@c SIP/2.0\r\nSubject: a\r\n b\r\n{HEADERS}CSeq: 1 INVITE\r\n\r\nv=0").replace("\r\n", "\n");
        assert_eq!(judged(text.as_bytes()), "INVITE from \"\" with v=0");
    }

    #[test]
    fn the_body_ends_where_content_length_says() {
        let text =
            |length: &str| format!("INVITE sip:109@c SIP/2.0\r\n{HEADERS}CSeq: 1 INVITE\r\nContent-Length: {length}\r\n\r\nv=0noise");
        assert_eq!(judged(text("3").as_bytes()), "INVITE from \"\" with v=0");
        for bad in ["-1", "99", "x", "3\r\nl: 4", "99999999999999999999999"] {
            assert_eq!(judged(text(bad).as_bytes()), "SIP/2.0 400 Bad Request", "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let text = |first: &str, rest: &str| format!("{first}\r\n{HEADERS}{rest}\r\n\r\n");
        assert_eq!(judged(text("INVITE sip:109@c SIP/7.0", "CSeq: 1 INVITE").as_bytes()), "SIP/2.0 505 Version Not Supported");
        assert_eq!(judged(text("DANCE sip:109@c SIP/2.0", "CSeq: 1 INVITE").as_bytes()), "SIP/2.0 501 Not Implemented");
        assert_eq!(judged(text("OPTIONS sip:109@c SIP/2.0", "CSeq: 1 INVITE").as_bytes()), "SIP/2.0 400 Bad Request");
        assert_eq!(judged(text("OPTIONS isbn:12 SIP/2.0", "CSeq: 1 OPTIONS").as_bytes()), "SIP/2.0 416 Unsupported URI Scheme");
        assert_eq!(judged(text("OPTIONS sip:c SIP/2.0", "CSeq: 1 OPTIONS\r\nRequire: x").as_bytes()), "SIP/2.0 420 Bad Extension");
        assert_eq!(judged(text("ACK  sip:c SIP/2.0", "CSeq: 1 ACK").as_bytes()), "nothing", "an ACK is never answered");
        assert_eq!(judged(b"\r\n\r\n"), "nothing");
        assert_eq!(judged(b"SIP/2.0 99999 x\r\n\r\n"), "nothing");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(raw in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600), cut in 0usize..400) {
            judged(&raw);
            let text = format!("INVITE sip:109@c SIP/2.0\r\n{HEADERS}CSeq: 1 INVITE\r\nContact: \"a\" <sip:a@b>;x=\"y\"\r\n\r\nv=0");
            let mut broken = text.into_bytes();
            for (at, byte) in raw.iter().take(3).enumerate() {
                let place = (cut + at * 7) % broken.len();
                broken[place] = *byte;
            }
            judged(&broken);
        }
    }
}
