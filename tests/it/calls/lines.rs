//! Which lines and phones are served? Registrations good and bad, their end, and TCP on both sides.

use std::net::Ipv4Addr;
use std::time::Duration;

use cityline_phone::line::Account;
use cityline_phone::phone::PhoneError;
use cityline_phone::sip::digest::Credentials;
use cityline_phone::sip::transport::Peer;
use cityline_phone::{CallOptions, Event, Phone, Side, Then};

use super::cast::{OPERATOR, RESIDENT, calls, chirping, ended, goes_on, phone_of, record, rings, short_city_with_one, until_operator_is};
use super::raw::{Raw, answers};
use super::server::Server;
use super::{SOON, heard};

#[test]
fn a_wrong_password_registers_nothing() {
    let server = Server::start("password", &short_city_with_one());
    let phone = Phone::on_loopback().unwrap();
    for (user, password) in [("202", "guess"), ("999", "secret-202")] {
        match phone.register(user, password, server.sip, Duration::from_secs(300)) {
            Err(PhoneError::Registration { code: 401 | 403, .. }) => {}
            other => panic!("{user}: {other:?}"),
        }
    }
    let bare = Raw::on(Ipv4Addr::LOCALHOST);
    bare.send(server.sip, &bare.request("REGISTER", &server.uri("202"), "no-digest", ""));
    let challenge = bare.next("401", SOON, answers(401, "REGISTER"));
    assert!(challenge.header("WWW-Authenticate").starts_with("Digest"), "{challenge:?}");
    assert_eq!(server.rows("SELECT count(*) FROM agent_states WHERE state = 'ready'"), "0");
}

#[test]
fn a_registration_ends_when_the_phone_says_so() {
    let server = Server::start("unregister", &short_city_with_one());
    let phone = phone_of(&server, "202", rings(0, Then::Answer, OPERATOR));
    until_operator_is(&server, "daniyar", "ready", SOON);
    phone.unregister(SOON).unwrap();
    until_operator_is(&server, "daniyar", "offline", SOON);
}

#[test]
fn a_registration_that_is_not_refreshed_expires() {
    let server = Server::start("expiry", &short_city_with_one());
    let phone = Phone::on_loopback().unwrap();
    let granted = phone.register("202", "secret-202", server.sip, Duration::from_secs(60)).unwrap();
    assert_eq!(granted, Duration::from_secs(60), "the shortest registration that is granted");
    until_operator_is(&server, "daniyar", "ready", SOON);
    drop(phone);
    until_operator_is(&server, "daniyar", "offline", Duration::from_secs(75));
}

#[test]
fn caller_and_operator_may_both_come_by_tcp() {
    let server = Server::start("tcp", &short_city_with_one());
    let operator = Phone::on_loopback().unwrap();
    operator.on_call(rings(100, Then::Answer, OPERATOR)).unwrap();
    operator
        .register_as(Account {
            credentials: Credentials { user: "202".into(), password: "secret-202".into() },
            domain: "127.0.0.1".into(),
            registrar: Peer::Tcp(server.sip),
            expires: Duration::from_secs(300),
        })
        .unwrap();
    let resident = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &resident, "200", CallOptions { tcp: true, ..chirping("+77010400001") });
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    goes_on(&mut call, Duration::from_secs(2));
    call.hang_up().unwrap();
    assert_eq!(answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    assert!(heard(&record(&mut call).heard.timeline().pcm, OPERATOR).is_some());
    assert!(heard(&record(&mut answered).heard.timeline().pcm, RESIDENT).is_some());
    assert_eq!(ended(&server, "end_reason"), "caller_hung_up");
}
