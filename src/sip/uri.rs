//! Whom does a SIP address name? URIs, name-addr values and Via elements, borrowed and kept exactly as written (RFC 3261 §19, §20, §25).

use std::net::{IpAddr, SocketAddr};

use super::message::is_token;
use super::peer::Carrier;

/// What kind of address a URI is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
    /// Well-formed, and none of ours.
    Other,
}

/// A URI; `text` is all of it, byte for byte, because a remote target goes back as it came.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Uri<'a> {
    /// The whole of it.
    pub text: &'a str,
    /// Its scheme.
    pub scheme: Scheme,
    /// The user part, escapes not resolved; of `tel:` the number.
    pub user: Option<&'a str>,
    /// The host, an IPv6 address without its brackets; "" for `tel:` and others.
    pub host: &'a str,
    /// The port, where one is given.
    pub port: Option<u16>,
    /// Parameters, from after the first `;`.
    pub params: &'a str,
    /// Headers, from after the `?`.
    pub headers: &'a str,
}

impl<'a> Uri<'a> {
    /// Reads a URI; `None` when it is malformed.
    pub fn read(text: &'a str) -> Option<Uri<'a>> {
        // Without a way out in the middle, so that many bytes are looked at in one step.
        let odd = |byte| (byte <= b' ') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == b'\x7f');
        if text.bytes().fold(false, |any, byte| any | odd(byte)) {
            return None;
        }
        let (scheme, rest) = text.split_once(':')?;
        let mut uri = Uri { text, scheme: Scheme::Other, user: None, host: "", port: None, params: "", headers: "" };
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            uri.scheme = if scheme.len() == 3 { Scheme::Sip } else { Scheme::Sips };
            return uri.with_address(rest);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            let (number, params) = rest.split_once(';').unwrap_or((rest, ""));
            return (!number.is_empty()).then_some(Uri { scheme: Scheme::Tel, user: Some(number), params, ..uri });
        }
        let first_is_letter = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
        let legal = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        (first_is_letter && legal && !rest.is_empty()).then_some(uri)
    }

    fn with_address(mut self, rest: &'a str) -> Option<Uri<'a>> {
        let (user, rest) = match rest.split_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        let (rest, headers) = rest.split_once('?').unwrap_or((rest, ""));
        let (address, params) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = host_port(address)?;
        if user == Some("") {
            return None;
        }
        (self.user, self.host, self.port, self.params, self.headers) =
            (user.map(|user| user.split_once(':').map_or(user, |(user, _)| user)), host, port, params, headers);
        Some(self)
    }

    /// The socket address of a host that is a literal IP address, at the port of its transport where none is given.
    pub fn socket(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(ip, self.port.unwrap_or(default_port(self.carrier()))))
    }

    /// The way that is asked for by `sips:` or `;transport=`; UDP where nothing is said (RFC 3263 §4.1).
    pub fn carrier(&self) -> Carrier {
        let asked = param(self.params, "transport").unwrap_or_default();
        if self.scheme == Scheme::Sips || asked.eq_ignore_ascii_case("tls") {
            Carrier::Tls(None)
        } else if asked.eq_ignore_ascii_case("tcp") {
            Carrier::Tcp(None)
        } else {
            Carrier::Udp
        }
    }

    /// The user part with its escapes resolved; escapes that make no printable text stay as they are.
    pub fn user_text(&self) -> String {
        let user = self.user.unwrap_or_default();
        if user.contains('%') { unescape(user) } else { user.to_owned() }
    }
}

/// The port of a transport (RFC 3261 §19.1.2).
pub fn default_port(carrier: Carrier) -> u16 {
    if let Carrier::Tls(_) = carrier { 5061 } else { 5060 }
}

/// `text` with its escapes resolved; those that make no printable text stay as they are.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii_graphic);
        match code {
            Some(code) => {
                out.push(char::from(code));
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`. RFC 5118 §4.10 asks to bear three colons, so the inside of brackets is only checked for its letters.
fn host_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = if let Some(inner) = text.strip_prefix('[') {
        let (host, rest) = inner.split_once(']')?;
        let legal = host.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.');
        (Some(host).filter(|_| legal)?, rest)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        let (host, rest) = text.split_at(end);
        let legal = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        (Some(host).filter(|_| legal)?, rest)
    };
    if host.is_empty() {
        return None;
    }
    match rest.strip_prefix(':') {
        None => rest.is_empty().then_some((host, None)),
        Some(port) => Some((host, Some(port.trim().parse().ok()?))),
    }
}

/// The value of a parameter in `a=1;b;c="x"`; "" for one without a value, quotes taken off.
pub fn param<'a>(params: &'a str, name: &str) -> Option<&'a str> {
    split_outside(params, b';').find_map(|part| {
        let (own, value) = part.split_once('=').unwrap_or((part, ""));
        own.trim_ascii().eq_ignore_ascii_case(name).then(|| value.trim_ascii().trim_matches('"'))
    })
}

/// A From, To or Contact value: a name, an address and parameters of the header itself.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct NameAddr<'a> {
    /// The display name without quotes, "" when there is none.
    pub display: &'a str,
    /// The address.
    pub uri: Uri<'a>,
    /// Parameters behind the address.
    pub params: &'a str,
}

impl<'a> NameAddr<'a> {
    /// Reads one value; `None` when it is malformed.
    pub fn read(text: &'a str) -> Option<NameAddr<'a>> {
        let text = text.trim();
        let (display, rest) = match text.strip_prefix('"') {
            Some(inner) => {
                let end = end_of_quoted(inner)?;
                (inner.get(..end)?, inner.get(end + 1..)?.trim_start())
            }
            None => match text.find('<') {
                Some(at) => (text.get(..at)?.trim_end(), text.get(at..)?),
                None => return Self::bare(text),
            },
        };
        if !text.starts_with('"') && !is_unquoted_name(display) {
            return None;
        }
        let (uri, params) = rest.strip_prefix('<')?.split_once('>')?;
        Some(NameAddr { display, uri: Uri::read(uri)?, params: params_behind(params)? })
    }

    /// An address without brackets: what follows `;` belongs to the header, and `?` may not stand (RFC 3261 §20.10).
    fn bare(text: &'a str) -> Option<NameAddr<'a>> {
        let at = text.find(';').unwrap_or(text.len());
        let (uri, params) = text.split_at(at);
        let uri = uri.trim_end();
        if uri.contains(['?', ',']) {
            return None;
        }
        Some(NameAddr { display: "", uri: Uri::read(uri)?, params: params_behind(params)? })
    }

    /// The tag, if there is one.
    pub fn tag(&self) -> Option<&'a str> {
        param(self.params, "tag").filter(|tag| !tag.is_empty())
    }
}

/// Tokens and spaces; letters of any script are borne, because many lines send them unquoted.
fn is_unquoted_name(name: &str) -> bool {
    name.split([' ', '\t'])
        .filter(|word| !word.is_empty())
        .all(|word| word.split(|c: char| !c.is_ascii()).all(|part| part.is_empty() || is_token(part)))
}

/// Parameters behind an address, checked: each begins with `;` and none is empty.
fn params_behind(text: &str) -> Option<&str> {
    let text = text.trim();
    if text.is_empty() {
        return Some("");
    }
    let params = text.strip_prefix(';')?;
    split_outside(params, b';').all(is_param).then_some(params)
}

fn is_param(part: &str) -> bool {
    let (name, value) = part.split_once('=').unwrap_or((part, "-"));
    let value = value.trim_ascii();
    is_token(name.trim_ascii()) && !value.is_empty() && (value.starts_with('"') || !value.contains([' ', '\t', '<', '>']))
}

/// Where a quoted string ends, its opening quote taken off; `None` when it never does.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// Splits at a separator that stands outside quotes and angle brackets.
pub fn split_outside(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = next_outside(text, separator);
        rest = at.and_then(|at| text.get(at + 1..));
        Some(text.get(..at.unwrap_or(text.len())).unwrap_or_default().trim_ascii())
    })
}

fn next_outside(text: &str, separator: u8) -> Option<usize> {
    let encloses = |byte| (byte == b'"') | (byte == b'<') | (byte == b'>');
    if !text.bytes().fold(false, |any, byte| any | encloses(byte)) {
        return text.bytes().position(|byte| byte == separator);
    }
    let (mut quoted, mut escaped, mut depth) = (false, false, 0u32);
    text.bytes().position(|byte| {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b'<' if !quoted => depth += 1,
            b'>' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = byte == b'\\' && quoted && !escaped;
        byte == separator && !quoted && depth == 0
    })
}

/// The topmost Via: which transaction a request belongs to and where its answer goes (RFC 3261 §18.2.2, RFC 3581).
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Via<'a> {
    /// The element as written, without its parameters.
    pub sent: &'a str,
    /// Host of sent-by.
    pub host: &'a str,
    /// Port of sent-by.
    pub port: Option<u16>,
    /// Its parameters.
    pub params: &'a str,
    /// What else the header holds: further elements.
    pub rest: &'a str,
}

impl<'a> Via<'a> {
    /// Reads the first element of a Via header; `None` when it is malformed.
    pub fn read(header: &'a str) -> Option<Via<'a>> {
        let at = next_outside(header, b',').unwrap_or(header.len());
        let (element, rest) = header.split_at(at);
        let (sent, params) = element.split_once(';').map_or((element, None), |(sent, params)| (sent, Some(params)));
        let mut parts = sent.trim().splitn(3, '/');
        let (protocol, version, rest_of_sent) = (parts.next()?.trim(), parts.next()?.trim(), parts.next()?.trim_start());
        let (transport, address) = rest_of_sent.split_once([' ', '\t'])?;
        let (host, port) = host_port_spaced(address.trim())?;
        let sound = protocol.eq_ignore_ascii_case("SIP") && version == "2.0" && is_token(transport);
        let params_sound = params.is_none_or(|params| split_outside(params, b';').all(is_param));
        (sound && params_sound).then_some(Via { sent: sent.trim(), host, port, params: params.unwrap_or("").trim(), rest })
    }

    /// The branch, "" when there is none.
    pub fn branch(&self) -> &'a str {
        param(self.params, "branch").unwrap_or_default()
    }

    /// Whether the sender asks for the answer at the port that it sent from (RFC 3581 §4).
    pub fn wants_rport(&self) -> bool {
        param(self.params, "rport").is_some()
    }
}

/// As [`host_port`], spaces around the colon allowed (RFC 4475 §3.1.1.1).
fn host_port_spaced(text: &str) -> Option<(&str, Option<u16>)> {
    if text.starts_with('[') || !text.contains([' ', '\t']) {
        return host_port(text);
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let port = port.map(|port| port.trim().parse().ok());
    match port {
        Some(None) => None,
        other => host_port(host.trim()).map(|(host, _)| (host, other.flatten())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_way_is_asked_for_by_scheme_or_parameter() {
        let way = |text: &str| {
            let uri = Uri::read(text).unwrap();
            (uri.carrier(), uri.socket().unwrap().port())
        };
        assert_eq!(way("sip:a@192.0.2.1"), (Carrier::Udp, 5060));
        assert_eq!(way("sip:a@192.0.2.1;transport=TCP"), (Carrier::Tcp(None), 5060));
        assert_eq!(way("sip:a@192.0.2.1;transport=tls"), (Carrier::Tls(None), 5061));
        assert_eq!(way("sips:a@192.0.2.1:5071;transport=tcp"), (Carrier::Tls(None), 5071));
    }

    #[test]
    fn semicolons_and_question_marks_may_stand_in_a_user() {
        let uri = Uri::read("sip:user;par=u%40example.net@example.com;lr").unwrap();
        assert_eq!((uri.user, uri.host, uri.params), (Some("user;par=u%40example.net"), "example.com", "lr"));
        let uri = Uri::read("sip:crazy?,/;;*:&it+has@[2001:db8::1]:5070?a=b").unwrap();
        assert_eq!((uri.host, uri.port, uri.headers), ("2001:db8::1", Some(5070), "a=b"));
    }

    #[test]
    fn malformed_uris_are_refused() {
        for bad in ["sip:", "sip:@a", "sip:a@", "sip:2001:db8::10", "sip:a b", "<sip:a>", "109", "sip:a:99999"] {
            assert_eq!(Uri::read(bad), None, "{bad}");
        }
        assert_eq!(Uri::read("soap.beep://a/b").unwrap().scheme, Scheme::Other);
        assert_eq!(Uri::read("tel:+7701;phone-context=x").unwrap().user, Some("+7701"));
    }

    #[test]
    fn escapes_never_make_control_characters() {
        assert_eq!(Uri::read("sip:%31%30%39@a").unwrap().user_text(), "109");
        assert_eq!(Uri::read("sip:null-%00-null@a").unwrap().user_text(), "null-%00-null");
    }

    #[test]
    fn names_and_tags() {
        let party = NameAddr::read("\"Bell \\\"<A>\\\", Alexander\" <sip:a.g.bell@example.org>;tag=43").unwrap();
        assert_eq!((party.uri.user, party.tag()), (Some("a.g.bell"), Some("43")));
        assert_eq!(NameAddr::read("caller<sip:caller@example.com>;tag=323").unwrap().display, "caller");
        assert_eq!(NameAddr::read("sip:a@b;tag=7").unwrap().tag(), Some("7"));
        assert_eq!(NameAddr::read("Айгүл <sip:a@b>").unwrap().display, "Айгүл");
        for bad in ["\"Mr <sip:a@b>", "Bell, A <sip:a@b>", "< sip:a@b >", "<sip:a@b>;;", "sip:a@b?Route=x", "<sip:a@b"] {
            assert_eq!(NameAddr::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn vias() {
        let via = Via::read("SIP  /   2.0  /UDP  192.0.2.2:5061 ; branch = x ;rport, SIP/2.0/UDP b").unwrap();
        assert_eq!((via.host, via.port, via.branch(), via.wants_rport()), ("192.0.2.2", Some(5061), "x", true));
        assert_eq!(via.rest, ", SIP/2.0/UDP b");
        assert_eq!(Via::read("SIP/2.0/UDP 192.0.2.15;;,;,,"), None);
        assert!(Via::read("SIP/2.0/UNKNOWN [::1]:7;branch=1;received=[2001:db8::9:255]").is_some());
    }
}
