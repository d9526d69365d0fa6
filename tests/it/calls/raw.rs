//! How does a test misbehave on purpose? SIP over a bare UDP socket, written and read as text.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

/// A SIP user agent that does nothing by itself.
pub struct Raw {
    socket: UdpSocket,
    /// Where it is.
    pub address: SocketAddrV4,
}

/// A message, as it came.
#[derive(Clone, Debug)]
pub struct Message(pub String);

impl Message {
    /// The request line or status line.
    pub fn first(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> &str {
        let is = |line: &&str| line.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(name));
        self.0.lines().find(is).and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }

    /// "INVITE", "BYE": of the request itself, or of the one that is answered.
    pub fn method(&self) -> &str {
        self.header("CSeq").split_whitespace().last().unwrap_or_default()
    }
}

/// A session description that wants PCMA at this port.
pub fn sdp(port: u16) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
}

impl Raw {
    /// On this address of loopback.
    pub fn on(host: Ipv4Addr) -> Raw {
        let socket = UdpSocket::bind((host, 0)).unwrap();
        let address = SocketAddrV4::new(host, socket.local_addr().unwrap().port());
        Raw { socket, address }
    }

    /// Sends these bytes.
    pub fn send(&self, to: SocketAddrV4, text: &str) {
        self.socket.send_to(text.as_bytes(), to).unwrap();
    }

    /// A request outside of any dialog; `name` makes Call-ID, tag and branch.
    pub fn request(&self, method: &str, uri: &str, name: &str, body: &str) -> String {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };

        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{name};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:+77015550000@{at}>;tag={name}\r\nTo: <{uri}>\r\nCall-ID: {name}\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:raw@{at}>\r\n{kind}Content-Length: {length}\r\n\r\n{body}",
            at = self.address,
            length = body.len()
        )
    }

    /// The ACK or BYE that belongs to the 2xx of our INVITE; `cseq` is 1 for its ACK.
    pub fn within(&self, method: &str, accepted: &Message, cseq: u32) -> String {
        let target = accepted.header("Contact").trim_matches(['<', '>']).to_owned();
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{method}{cseq}{tag};rport\r\nMax-Forwards: 70\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
            at = self.address,
            tag = accepted.header("Call-ID"),
            from = accepted.header("From"),
            to = accepted.header("To"),
            call = accepted.header("Call-ID")
        )
    }

    /// Answers a request.
    pub fn answer(&self, to: SocketAddrV4, request: &Message, status: &str, body: &str) {
        let vias: String =
            request.0.lines().filter(|line| line.to_ascii_lowercase().starts_with("via:")).map(|via| format!("{via}\r\n")).collect();
        let tag = if request.header("To").contains("tag=") { "" } else { ";tag=raw" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        self.send(
            to,
            &format!(
                "SIP/2.0 {status}\r\n{vias}From: {from}\r\nTo: {far}{tag}\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\nContact: <sip:raw@{at}>\r\n\
                 {kind}Content-Length: {length}\r\n\r\n{body}",
                from = request.header("From"),
                far = request.header("To"),
                call = request.header("Call-ID"),
                cseq = request.header("CSeq"),
                at = self.address,
                length = body.len()
            ),
        );
    }

    /// The next message that fits; others are passed over.
    pub fn next(&self, what: &str, limit: Duration, fits: impl Fn(&Message) -> bool) -> Message {
        self.within_time(limit, &fits).unwrap_or_else(|seen| panic!("no {what} within {limit:?}; what came: {seen:?}"))
    }

    /// Sees to it that nothing of the kind comes in this time.
    pub fn never(&self, what: &str, time: Duration, fits: impl Fn(&Message) -> bool) {
        if let Ok(message) = self.within_time(time, &fits) {
            panic!("{what} came: {message:?}");
        }
    }

    fn within_time(&self, limit: Duration, fits: &impl Fn(&Message) -> bool) -> Result<Message, Vec<String>> {
        let until = Instant::now() + limit;
        let mut seen = Vec::new();
        let mut datagram = [0; 65_535];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(seen);
            }
            self.socket.set_read_timeout(Some(left)).unwrap();
            let Ok(length) = self.socket.recv(&mut datagram) else { continue };
            let message = Message(String::from_utf8_lossy(&datagram[..length]).into_owned());
            if fits(&message) {
                return Ok(message);
            }
            seen.push(message.first().to_owned());
        }
    }
}

/// A request of that method.
pub fn asks(method: &'static str) -> impl Fn(&Message) -> bool {
    move |message| message.first().starts_with(method) && message.first().ends_with("SIP/2.0")
}

/// An answer with that status to a request of that method.
pub fn answers(status: u16, method: &'static str) -> impl Fn(&Message) -> bool {
    move |message| message.first().starts_with(&format!("SIP/2.0 {status}")) && message.method() == method
}
