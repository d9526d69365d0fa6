//! How does a whole call take the bad path? SIP messages are rewritten on their way, so that each end knows the other by the relay's ports.

use std::net::{Ipv4Addr, SocketAddrV4};

/// Headers that say where later requests of a dialog go.
const ROUTING: [&str; 4] = ["contact", "m", "route", "record-route"];

/// One address in place of another.
pub type Swap = (SocketAddrV4, SocketAddrV4);

/// The message with the addresses of `swaps` exchanged in its request line and its routing headers, and with every stream of its session
/// description led over `detour`. `None` for what is no SIP message: it goes on as it is.
pub fn rewrite(message: &[u8], swaps: &[Swap], detour: impl FnMut(SocketAddrV4) -> Option<SocketAddrV4>) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(message).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let (first, headers) = head.split_once("\r\n")?;
    let request = first.ends_with("SIP/2.0");
    if !request && !first.starts_with("SIP/2.0 ") {
        return None;
    }
    let body = if body.starts_with("v=0") { description(body, detour) } else { body.to_owned() };
    let mut out = if request { swapped(first, swaps) } else { first.to_owned() };
    for line in headers.split("\r\n") {
        out.push_str("\r\n");
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "content-length" | "l" => out.push_str(&format!("Content-Length: {}", body.len())),
            routing if ROUTING.contains(&routing) => out.push_str(&swapped(line, swaps)),
            _ => out.push_str(line),
        }
    }
    out.push_str("\r\n\r\n");
    out.push_str(&body);
    Some(out.into_bytes())
}

/// The first swap that is found is made; what one has put in no other changes.
fn swapped(line: &str, swaps: &[Swap]) -> String {
    for (from, to) in swaps {
        let from = from.to_string();
        let whole = |at: &usize| !line.get(at + from.len()..).is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()));
        let places: Vec<usize> = line.match_indices(&from).map(|(at, _)| at).filter(whole).collect();
        if let Some(first) = places.first() {
            let (before, rest) = line.split_at(*first);
            return format!("{before}{to}{}", rest.get(from.len()..).unwrap_or_default());
        }
    }
    line.to_owned()
}

/// A session description whose streams go to the relay.
fn description(text: &str, mut detour: impl FnMut(SocketAddrV4) -> Option<SocketAddrV4>) -> String {
    let mut sections = text.split("\r\nm=");
    let session = sections.next().unwrap_or_default();
    let session_host = host_of(session);
    let mut host = None;
    let mut streams = Vec::new();
    for section in sections {
        let by = stream_of(section).zip(host_of(section).or(session_host)).filter(|(port, host)| *port != 0 && !host.is_unspecified());
        let by = by.and_then(|(port, host)| detour(SocketAddrV4::new(host, port)).map(|by| (port, by)));
        host = host.or(by.map(|(_, by)| *by.ip()));
        streams.push(by.map_or_else(|| section.to_owned(), |(port, by)| stream_by(section, port, by)));
    }
    let mut out = host.map_or_else(|| session.to_owned(), |host| with_host(session, host));
    for stream in streams {
        out.push_str("\r\nm=");
        out.push_str(&stream);
    }
    out
}

/// The port of `audio 4000 RTP/AVP 8`.
fn stream_of(section: &str) -> Option<u16> {
    section.split_whitespace().nth(1)?.parse().ok()
}

fn host_of(section: &str) -> Option<Ipv4Addr> {
    section.lines().find_map(|line| line.strip_prefix("c=IN IP4 ")?.trim().parse().ok())
}

fn with_host(section: &str, host: Ipv4Addr) -> String {
    let line = |line: &str| {
        if line.starts_with("c=IN IP4 ") && !line.ends_with(" 0.0.0.0") { format!("c=IN IP4 {host}") } else { line.to_owned() }
    };
    section.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n")
}

fn stream_by(section: &str, port: u16, by: SocketAddrV4) -> String {
    let line = |(number, line): (usize, &str)| match line.strip_prefix("a=rtcp:") {
        Some(_) => format!("a=rtcp:{}", by.port().saturating_add(1)),
        None if number == 0 => line.replacen(&format!(" {port} "), &format!(" {} ", by.port()), 1),
        None => line.to_owned(),
    };
    let lines: Vec<String> = section.split("\r\n").enumerate().map(line).collect();
    with_host(&lines.join("\r\n"), *by.ip())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
    }

    #[test]
    fn a_call_is_led_over_the_relay() {
        let body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\na=rtcp:4001\r\n";
        let invite = format!(
            "INVITE sip:109@127.0.0.1:7000 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;rport\r\nContact: <sip:me@127.0.0.1:5062>\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let swaps = [(at(7000), at(5060)), (at(5062), at(9000))];
        let out =
            rewrite(invite.as_bytes(), &swaps, |media| (media == at(4000)).then(|| SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), 8000)));
        let out = String::from_utf8(out.unwrap()).unwrap();
        assert!(out.starts_with("INVITE sip:109@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;rport\r\n"), "{out}");
        assert!(out.contains("Contact: <sip:me@127.0.0.1:9000>\r\n"));
        assert!(out.contains("c=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 8000 RTP/AVP 8\r\na=rtcp:8001\r\n"));
        let (head, body) = out.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
    }

    #[test]
    fn holds_and_refused_streams_stay_and_longer_ports_are_others() {
        let body = "v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\n";
        let message = format!("SIP/2.0 200 OK\r\nContact: <sip:me@127.0.0.1:50601>\r\nl: 0\r\n\r\n{body}");
        let out = rewrite(message.as_bytes(), &[(at(5060), at(1))], |_| Some(at(9))).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("127.0.0.1:50601") && out.ends_with(body), "{out}");
    }

    #[test]
    fn what_is_no_message_is_not_touched() {
        for odd in [&b"\r\n\r\n"[..], b"\x80\x08\x00\x01", b"HELLO\r\nTo: x\r\n\r\n"] {
            assert_eq!(rewrite(odd, &[], |_| None), None);
        }
    }
}
