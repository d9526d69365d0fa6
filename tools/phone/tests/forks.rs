//! What does the phone do when two phones answer one INVITE, when an answer comes again, and when it gives up early?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use cityline_phone::sip::message::Message;
use cityline_phone::{CallOptions, Event, Phone, Side};

const SOON: Duration = Duration::from_secs(5);
const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n";

struct Server(UdpSocket);

impl Server {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self(socket)
    }

    fn uri(&self) -> String {
        format!("sip:109@{}", self.0.local_addr().unwrap())
    }

    /// The next request of that method; others are passed over.
    fn take(&self, method: &str) -> (Message, SocketAddr) {
        let mut buffer = [0; 4096];
        loop {
            let (length, from) = self.0.recv_from(&mut buffer).unwrap_or_else(|error| panic!("no {method}: {error}"));
            let message = Message::parse(&buffer[..length]).unwrap();
            if message.method() == method {
                return (message, from);
            }
        }
    }

    fn answer(&self, request: &Message, to: SocketAddr, code: u16, tag: &str) {
        let mut reply = request.reply(code, "Answer", tag);
        if code / 100 == 2 && request.method() == "INVITE" {
            reply.push("Contact", format!("<sip:{tag}@{}>", self.0.local_addr().unwrap()));
            reply = reply.with_body("application/sdp", SDP.to_vec());
        }
        self.0.send_to(&reply.to_bytes(), to).unwrap();
    }
}

#[test]
fn the_second_phone_that_answers_gets_ack_and_bye() {
    let (server, phone) = (Server::new(), Phone::on_loopback().unwrap());
    let mut call = phone.call(&server.uri(), CallOptions::default()).unwrap();
    let (invite, from) = server.take("INVITE");
    server.answer(&invite, from, 180, "first");
    server.answer(&invite, from, 200, "first");
    server.answer(&invite, from, 200, "second");
    assert_eq!(server.take("ACK").0.tag("To"), Some("first"));
    assert_eq!(server.take("ACK").0.tag("To"), Some("second"));
    let (bye, from) = server.take("BYE");
    assert_eq!(bye.tag("To"), Some("second"));
    server.answer(&bye, from, 200, "second");
    server.answer(&invite, from, 200, "first");
    assert_eq!(server.take("ACK").0.tag("To"), Some("first"));
    call.wait_for(Event::Answered, SOON).unwrap();
    call.hang_up().unwrap();
    let (bye, from) = server.take("BYE");
    assert_eq!(bye.tag("To"), Some("first"));
    server.answer(&bye, from, 200, "first");
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Us));
}

#[test]
fn cancel_waits_for_the_first_answer() {
    let (server, phone) = (Server::new(), Phone::on_loopback().unwrap());
    let mut call = phone.call(&server.uri(), CallOptions::default()).unwrap();
    let (invite, from) = server.take("INVITE");
    call.hang_up().unwrap();
    server.answer(&invite, from, 100, "");
    let (cancel, from) = server.take("CANCEL");
    assert_eq!((cancel.branch(), cancel.cseq().0), (invite.branch(), invite.cseq().0));
    server.answer(&cancel, from, 200, "a");
    server.answer(&invite, from, 487, "a");
    assert_eq!(server.take("ACK").0.branch(), invite.branch());
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Us));
}

#[test]
fn an_answer_that_crosses_the_cancel_is_ended() {
    let (server, phone) = (Server::new(), Phone::on_loopback().unwrap());
    let mut call = phone.call(&server.uri(), CallOptions::default()).unwrap();
    let (invite, from) = server.take("INVITE");
    server.answer(&invite, from, 180, "a");
    call.wait_for(Event::Progress(180), SOON).unwrap();
    call.hang_up().unwrap();
    server.take("CANCEL");
    server.answer(&invite, from, 200, "a");
    server.take("ACK");
    let (bye, from) = server.take("BYE");
    server.answer(&bye, from, 200, "a");
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Us));
}
