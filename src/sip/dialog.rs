//! What must both ends of a call remember of each other? The state of a dialog and the requests that it makes (RFC 3261 §12).

use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::guard::{Request, Response};
use super::message::{Method, Name};
use super::peer::{Carrier, Peer};
use super::uri::{NameAddr, Uri, param, split_outside};

/// What we show of ourselves.
#[derive(Clone, Debug)]
pub struct Own {
    /// The UDP socket's address.
    pub udp: Option<SocketAddr>,
    /// The TCP listener's address.
    pub tcp: Option<SocketAddr>,
    /// The TLS listener's address.
    pub tls: Option<SocketAddr>,
    /// The address in place of the listening one, from the settings.
    pub shown: Option<IpAddr>,
    /// The address of this machine that the default route uses, for sockets that listen on all.
    pub routed: IpAddr,
}

impl Own {
    /// Finds the address that a socket bound to all addresses shows; no packet is sent for it.
    pub fn new(udp: Option<SocketAddr>, tcp: Option<SocketAddr>, tls: Option<SocketAddr>, shown: Option<IpAddr>) -> Own {
        let routed = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
            socket.connect("192.0.2.1:9")?;
            socket.local_addr()
        });
        let routed = routed.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip());
        Own { udp, tcp, tls, shown, routed }
    }

    /// Our address for a peer, as Via and Contact show it.
    pub fn address(&self, peer: Peer) -> SocketAddr {
        let bound = match peer.carrier {
            Carrier::Udp => self.udp.or(self.tcp).or(self.tls),
            Carrier::Tcp(_) => self.tcp.or(self.udp).or(self.tls),
            Carrier::Tls(_) => self.tls.or(self.tcp).or(self.udp),
        };
        let bound = bound.unwrap_or_else(|| (self.routed, 5060).into());
        let ip = match self.shown {
            _ if peer.addr.ip().is_loopback() && bound.ip().is_unspecified() => peer.addr.ip(),
            Some(shown) if !peer.addr.ip().is_loopback() => shown,
            _ if bound.ip().is_unspecified() => self.routed,
            _ => bound.ip(),
        };
        SocketAddr::new(ip, bound.port())
    }

    /// The Contact line for a peer.
    pub fn contact(&self, peer: Peer) -> String {
        format!("Contact: <{}>\r\n", self.uri("cityline", peer))
    }

    /// Our address for a peer, with this user.
    pub fn uri(&self, user: &str, peer: Peer) -> String {
        format!("sip:{user}@{}{}", self.address(peer), peer.transport_param())
    }
}

/// One dialog. It is serialisable because a call outlives the process; it never prints itself, because it names people.
#[derive(Clone, Serialize, Deserialize)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: String,
    /// Our side as From and To write it, tag included.
    pub local: String,
    /// The other side, with its tag once it is known.
    pub remote: String,
    /// Our tag.
    pub local_tag: String,
    /// Its tag; "" before the first answer of a dialled leg, and for RFC 2543 callers.
    pub remote_tag: String,
    /// The CSeq of our last request.
    pub local_cseq: u32,
    /// The CSeq of its last INVITE, if it has sent one; a first one may be 0.
    pub remote_cseq: Option<u32>,
    /// Whether the Call-ID is of our making (RFC 3261 §14.1).
    #[serde(default)]
    pub ours: bool,
    /// Route set, in the order in which our requests name it.
    pub routes: Vec<String>,
    /// Where requests are addressed to: the other side's Contact, byte for byte.
    pub target: String,
    /// Where the last message came from.
    pub peer: Peer,
    /// Whether requests go to `peer` whatever `target` says: phones behind NAT (RFC 5626 §5.3 in spirit).
    pub pinned: bool,
    /// What the far end last described, as a number that tells one description from another; 0 before the first.
    #[serde(default)]
    pub described: u64,
}

impl Dialog {
    /// The dialog of a received INVITE (RFC 3261 §12.1.1).
    pub fn of_invite(request: &Request<'_>, local_tag: String) -> Dialog {
        let header = |name| request.message.first(name).unwrap_or_default();
        let routes = request.message.all(Name::RecordRoute).flat_map(|line| split_outside(line, b',')).map(str::to_owned).collect();
        Dialog {
            call_id: request.call_id.to_owned(),
            local: format!("{};tag={local_tag}", header(Name::To)),
            remote: header(Name::From).to_owned(),
            local_tag,
            remote_tag: request.from.tag().unwrap_or_default().to_owned(),
            local_cseq: 0,
            remote_cseq: Some(request.cseq),
            ours: false,
            routes,
            target: request.contact.map_or_else(|| format!("sip:{}", request.from_peer.addr), |uri| uri.text.to_owned()),
            peer: request.from_peer,
            pinned: false,
            described: 0,
        }
    }

    /// What a request of ours outside any other dialog begins; `local` with its tag.
    pub fn outgoing(call_id: String, local: String, local_tag: String, remote: String, target: String, peer: Peer) -> Dialog {
        Dialog {
            call_id,
            local,
            remote,
            local_tag,
            remote_tag: String::new(),
            local_cseq: 0,
            remote_cseq: None,
            ours: true,
            routes: Vec::new(),
            target,
            peer,
            pinned: false,
            described: 0,
        }
    }

    /// Takes over what a 2xx to our INVITE says (RFC 3261 §12.1.2).
    pub fn answered(&mut self, response: &Response<'_>) {
        self.remote = response.message.first(Name::To).unwrap_or_default().to_owned();
        self.remote_tag = response.to.tag().unwrap_or_default().to_owned();
        let mut routes: Vec<String> =
            response.message.all(Name::RecordRoute).flat_map(|line| split_outside(line, b',')).map(str::to_owned).collect();
        routes.reverse();
        self.routes = routes;
        if let Some(contact) = response.contact {
            self.target = contact.text.to_owned();
        }
        if self.pinned || self.peer.is_reliable() {
            self.peer = response.from_peer;
        }
    }

    /// Takes note of what the far end describes; whether that is other than before. Its `o=` line does not count: some count up for nothing.
    pub fn describes(&mut self, sdp: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        sdp.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"o=")).for_each(|line| hasher.write(line));
        let described = hasher.finish().max(1);
        std::mem::replace(&mut self.described, described) != described
    }

    /// A Contact in a later message names the target anew (RFC 3261 §12.2).
    pub fn refresh(&mut self, contact: Option<Uri<'_>>) {
        if let Some(contact) = contact
            && contact.text != self.target
        {
            contact.text.clone_into(&mut self.target);
        }
    }

    /// The dialog that an answer to our INVITE makes, when nobody waits for it any more; it lives for one ACK and one BYE.
    /// `pinned` is that of the INVITE's own dialog.
    pub fn of_stray(response: &Response<'_>, pinned: bool) -> Dialog {
        let header = |name| response.message.first(name).unwrap_or_default().to_owned();
        let mut dialog = Dialog {
            call_id: header(Name::CallId),
            local: header(Name::From),
            remote: String::new(),
            local_tag: String::new(),
            remote_tag: String::new(),
            local_cseq: response.cseq,
            remote_cseq: None,
            ours: true,
            routes: Vec::new(),
            target: format!("sip:{}", response.from_peer.addr),
            peer: response.from_peer,
            pinned,
            described: 0,
        };
        dialog.answered(response);
        dialog
    }

    /// Where the next request goes: the first route, else the target; what is no literal address goes where messages came from.
    pub fn next_hop(&self) -> Peer {
        if self.pinned {
            return self.peer;
        }
        let hop = match self.routes.first() {
            Some(route) => NameAddr::read(route).map(|route| route.uri),
            None => Uri::read(&self.target),
        };
        match hop.and_then(|uri| Some(Peer { addr: uri.socket()?, carrier: uri.carrier() })) {
            None => self.peer,
            Some(hop) if hop.addr == self.peer.addr => self.peer,
            Some(hop) if hop.addr.ip() == self.peer.addr.ip() && self.peer.is_reliable() => Peer { addr: hop.addr, ..self.peer },
            Some(hop) => hop,
        }
    }

    /// The Contact line of this dialog: `sips:` to a far end that is named so (RFC 3261 §8.1.1.8, §12.1.1).
    pub fn contact(&self, own: &Own) -> String {
        let contact = own.contact(self.peer);
        if self.target.starts_with("sips:") { contact.replacen("<sip:", "<sips:", 1) } else { contact }
    }

    /// Whether a message of the other side with these tags belongs to this dialog.
    pub fn is_of(&self, call_id: &str, remote_tag: &str) -> bool {
        self.call_id == call_id && self.remote_tag == remote_tag
    }

    /// A new request of ours; ACK and CANCEL keep the CSeq of their INVITE, all others count it up.
    pub fn request(&mut self, method: Method, branch: &str, own: &Own, more: More<'_>) -> Bytes {
        let cseq = match more.cseq {
            Some(cseq) => cseq,
            None => {
                self.local_cseq += 1;
                self.local_cseq
            }
        };
        let peer = more.peer;
        let (target, routes) = self.request_target();
        let mut out = String::with_capacity(700 + more.sdp.map_or(0, str::len));
        let _ = write!(
            out,
            "{0} {target} SIP/2.0\r\nVia: SIP/2.0/{1} {2};branch={branch};rport\r\n",
            method.name(),
            peer.transport(),
            own.address(peer)
        );
        if method != Method::Cancel {
            for route in routes {
                let _ = write!(out, "Route: {route}\r\n");
            }
        }
        let _ = write!(
            out,
            "Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {}\r\n",
            self.local,
            self.remote,
            self.call_id,
            method.name()
        );
        out.push_str(more.headers);
        if more.sdp.is_some() && !more.headers.contains("Content-Type: ") {
            out.push_str("Content-Type: application/sdp\r\n");
        }
        let sdp = more.sdp.unwrap_or_default();
        let _ = write!(out, "Content-Length: {}\r\n\r\n{sdp}", sdp.len());
        Bytes::from(out)
    }

    /// Request-URI and Route lines: a first route without `lr` is a strict router and takes the Request-URI (RFC 3261 §12.2.1.1).
    fn request_target(&self) -> (String, Vec<String>) {
        let strict = self.routes.first().and_then(|first| NameAddr::read(first)).filter(|first| param(first.uri.params, "lr").is_none());
        match strict {
            Some(first) => {
                let behind = self.routes.iter().skip(1).cloned().chain([format!("<{}>", self.target)]).collect();
                (first.uri.text.to_owned(), behind)
            }
            None => (self.target.clone(), self.routes.clone()),
        }
    }
}

/// What a request carries besides the dialog's own headers.
#[derive(Clone, Copy)]
pub struct More<'a> {
    /// Where it goes.
    pub peer: Peer,
    /// The CSeq of the INVITE that it belongs to; `None` for a new one.
    pub cseq: Option<u32>,
    /// Header lines, each with its CRLF.
    pub headers: &'a str,
    /// A session description, or a body of the type that `headers` name.
    pub sdp: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn dialog(target: &str, routes: &[&str]) -> Dialog {
        Dialog {
            call_id: "c".into(),
            local: "<sip:109@x>;tag=us".into(),
            remote: "<sip:a@b>;tag=them".into(),
            local_tag: "us".into(),
            remote_tag: "them".into(),
            local_cseq: 0,
            remote_cseq: Some(1),
            ours: false,
            routes: routes.iter().map(|route| (*route).to_owned()).collect(),
            target: target.into(),
            peer: Peer { addr: "203.0.113.9:40000".parse().unwrap(), carrier: Carrier::Udp },
            pinned: false,
            described: 0,
        }
    }

    fn bye(dialog: &mut Dialog) -> String {
        let own =
            Own { udp: Some("127.0.0.1:5060".parse().unwrap()), tcp: None, tls: None, shown: None, routed: "127.0.0.1".parse().unwrap() };
        let more = More { peer: dialog.next_hop(), cseq: None, headers: "", sdp: None };
        String::from_utf8(dialog.request(Method::Bye, "z9hG4bK1", &own, more).to_vec()).unwrap()
    }

    #[test]
    fn requests_follow_the_route_set() {
        let mut loose = dialog("sip:a@10.0.0.1", &["<sip:10.0.0.9:5080;lr>", "<sip:10.0.0.8;lr>"]);
        assert_eq!(loose.next_hop().addr.to_string(), "10.0.0.9:5080");
        let text = bye(&mut loose);
        assert!(
            text.starts_with("BYE sip:a@10.0.0.1 SIP/2.0\r\n")
                && text.contains("Route: <sip:10.0.0.9:5080;lr>\r\nRoute: <sip:10.0.0.8;lr>\r\n"),
            "{text}"
        );
        let mut strict = dialog("sip:a@10.0.0.1", &["<sip:10.0.0.9>"]);
        let text = bye(&mut strict);
        assert!(text.starts_with("BYE sip:10.0.0.9 SIP/2.0\r\n") && text.contains("Route: <sip:a@10.0.0.1>\r\n"), "{text}");
    }

    #[test]
    fn the_target_is_echoed_and_found() {
        let mut plain = dialog("sip:user;par=u%40x@10.0.0.1:5066;ob", &[]);
        assert_eq!(plain.next_hop().addr.to_string(), "10.0.0.1:5066");
        assert!(bye(&mut plain).starts_with("BYE sip:user;par=u%40x@10.0.0.1:5066;ob SIP/2.0\r\n"));
        assert_eq!(plain.local_cseq, 1);
        assert_eq!(dialog("sip:a@host.example", &[]).next_hop().addr.to_string(), "203.0.113.9:40000", "a name goes to the source");
        let natted = Dialog { pinned: true, ..dialog("sip:a@192.168.1.7", &[]) };
        assert_eq!(natted.next_hop().addr.to_string(), "203.0.113.9:40000");
    }
}
