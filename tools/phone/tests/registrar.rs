//! Does the phone register with digest as it should, and does it repeat and give up in time? Against a registrar of a few lines.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::thread::JoinHandle;
use std::time::Duration;

use cityline_phone::Phone;
use cityline_phone::phone::PhoneError;
use cityline_phone::sip::digest::{self, Asked, Credentials};
use cityline_phone::sip::message::Message;

/// Takes so many requests and answers each as told; gives the requests back.
fn registrar(answers: Vec<fn(&Message) -> Option<Message>>) -> (SocketAddrV4, JoinHandle<Vec<Message>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let SocketAddr::V4(address) = socket.local_addr().unwrap() else { panic!("not IPv4") };
    let serve = move || {
        let take = |answer: fn(&Message) -> Option<Message>| {
            let mut buffer = [0; 4096];
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let request = Message::parse(&buffer[..length]).unwrap();
            if let Some(reply) = answer(&request) {
                socket.send_to(&reply.to_bytes(), from).unwrap();
            }
            request
        };
        answers.into_iter().map(take).collect()
    };
    (address, std::thread::spawn(serve))
}

const CHALLENGE: &str = "Digest realm=\"city\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";

fn challenge(request: &Message) -> Option<Message> {
    let mut reply = request.reply(401, "Unauthorized", "t");
    reply.push("WWW-Authenticate", CHALLENGE);
    reply.push("WWW-Authenticate", "Digest realm=\"city\", nonce=\"n1\", qop=\"auth\"");
    Some(reply)
}

fn grant(request: &Message) -> Option<Message> {
    let mut reply = request.reply(200, "OK", "t");
    reply.push("Contact", format!("{};expires=2", request.header("Contact").unwrap()));
    Some(reply)
}

fn refuse(request: &Message) -> Option<Message> {
    Some(request.reply(403, "Forbidden", "t"))
}

#[test]
fn proves_itself_after_a_lost_request_and_renews_in_time() {
    let (address, requests) = registrar(vec![|_| None, challenge, grant, challenge, grant]);
    let phone = Phone::on_loopback().unwrap();
    assert_eq!(phone.register("op1", "pw1", address, Duration::from_secs(60)).unwrap(), Duration::from_secs(2));
    let requests = requests.join().unwrap();
    assert_eq!(requests[0], requests[1]);
    let value = requests[2].header("Authorization").unwrap();
    let who = Credentials { user: "op1".to_owned(), password: "pw1".to_owned() };
    let (uri, cnonce) = (digest::field(value, "uri").unwrap(), digest::field(value, "cnonce").unwrap());
    let expected = digest::answer([CHALLENGE].into_iter(), &who, Asked { method: "REGISTER", uri: &uri, cnonce: &cnonce });
    assert_eq!(expected.as_deref(), Some(value));
    let numbers: Vec<_> = requests.iter().map(|request| request.cseq().0).collect();
    assert_eq!(numbers, [1, 1, 2, 3, 4]);
}

#[test]
fn leaves_when_told_to() {
    let (address, requests) = registrar(vec![grant, grant]);
    let phone = Phone::on_loopback().unwrap();
    phone.register("op1", "pw1", address, Duration::from_secs(60)).unwrap();
    phone.unregister(Duration::from_secs(5)).unwrap();
    assert_eq!(requests.join().unwrap()[1].header("Expires"), Some("0"));
}

#[test]
fn a_refusal_is_told_with_its_code() {
    let (address, _) = registrar(vec![challenge, refuse]);
    let refused = Phone::on_loopback().unwrap().register("op1", "wrong", address, Duration::from_secs(60));
    assert!(matches!(refused, Err(PhoneError::Registration { code: 403, .. })));
    let (address, _) = registrar(vec![challenge, challenge]);
    let refused = Phone::on_loopback().unwrap().register("op1", "wrong", address, Duration::from_secs(60));
    assert!(matches!(refused, Err(PhoneError::Registration { code: 401, .. })));
}
