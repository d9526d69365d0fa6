//! Do packets, keys and calls come through the relay as the weather says?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use cityline_phone::{Behaviour, CallOptions, Event, Phone, Side, Sound};
use cityline_relay::{Impairment, Relay, Ways};

const SOON: Duration = Duration::from_secs(20);

fn socket() -> (UdpSocket, SocketAddrV4) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let SocketAddr::V4(address) = socket.local_addr().unwrap() else { panic!("not IPv4") };
    (socket, address)
}

/// What of 200 numbered packets comes out.
fn row(impairment: Impairment, seed: u64) -> Vec<u8> {
    let relay = Relay::start(Ipv4Addr::LOCALHOST, impairment, seed).unwrap();
    let ((near, _), (far, target)) = (socket(), socket());
    let front = relay.open(0, target).unwrap();
    (0..200).for_each(|number| assert_eq!(near.send_to(&[number], front).unwrap(), 1));
    let mut buffer = [0; 9];
    std::iter::from_fn(|| far.recv_from(&mut buffer).ok().map(|_| buffer[0])).collect()
}

#[test]
fn the_same_seed_loses_the_same_packets() {
    let bad = Impairment { lose: 0.2, duplicate: 0.1, ..Impairment::default() };
    let first = row(bad, 5);
    assert_eq!(first, row(bad, 5));
    assert!((150..205).contains(&first.len()), "{}", first.len());
    let late = Impairment { reorder: 0.1, reorder_by: Duration::from_millis(40), ..Impairment::default() };
    let mixed = row(late, 5);
    assert_eq!(mixed.len(), 200);
    assert!(!mixed.is_sorted());
}

#[test]
fn answers_find_back() {
    let relay = Relay::start(Ipv4Addr::LOCALHOST, Impairment { delay: Duration::from_millis(20), ..Impairment::default() }, 1).unwrap();
    let ((near, _), (far, target)) = (socket(), socket());
    near.send_to(b"ask", relay.open(0, target).unwrap()).unwrap();
    let mut buffer = [0; 9];
    let (_, from) = far.recv_from(&mut buffer).unwrap();
    far.send_to(b"answer", from).unwrap();
    assert_eq!(near.recv(&mut buffer).unwrap(), 6);
    assert_eq!(relay.counts().taken, 2);
}

#[test]
fn a_call_is_made_although_a_third_of_its_messages_is_lost() {
    let relay = Relay::start(Ipv4Addr::LOCALHOST, Impairment { lose: 0.3, ..Impairment::default() }, 11).unwrap();
    let (caller, callee) = (Phone::on_loopback().unwrap(), Phone::on_loopback().unwrap());
    callee.on_call(Behaviour::answering(Duration::ZERO, Sound::Silence)).unwrap();
    let via = Some(relay.open(0, callee.address()).unwrap());
    let mut call = caller.call(&callee.uri("109"), CallOptions { via, ..CallOptions::default() }).unwrap();
    call.wait_for(Event::Answered, SOON).unwrap();
    callee.next_call(SOON).unwrap().wait_for(Event::Confirmed, SOON).unwrap();
    call.hang_up().unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Us));
}

#[test]
fn keys_survive_loss_and_none_comes_twice() {
    let relay = Relay::start(Ipv4Addr::LOCALHOST, Impairment { lose: 0.05, duplicate: 0.05, ..Impairment::default() }, 3).unwrap();
    let (caller, callee) = (Phone::on_loopback().unwrap(), Phone::on_loopback().unwrap());
    callee.on_call(Behaviour::answering(Duration::ZERO, Sound::Silence)).unwrap();
    let mut call = caller.call(&callee.uri("109"), CallOptions::default()).unwrap();
    let mut taken = callee.next_call(SOON).unwrap();
    call.wait_for(Event::Answered, SOON).unwrap();
    let far = call.far().unwrap().unwrap();
    call.send_sound_to(relay.open(0, far.address).unwrap()).unwrap();
    call.press("1234567890*#").unwrap();
    taken.wait_for(Event::Digit('#'), SOON).unwrap();
    let keys: String = taken.record().unwrap().heard.digits.iter().map(|(_, key)| *key).collect();
    assert_eq!(keys, "1234567890*#");
}

#[test]
fn a_call_and_its_sound_take_the_relay_in_both_directions() {
    let relay = Relay::start(Ipv4Addr::LOCALHOST, Impairment::default(), 5).unwrap();
    let (caller, callee) = (Phone::on_loopback().unwrap(), Phone::on_loopback().unwrap());
    callee.on_call(Behaviour::answering(Duration::ZERO, Sound::Silence)).unwrap();
    let front = relay.open_signalling(0, callee.address()).unwrap();
    let mut call = caller.call(&format!("sip:109@{front}"), CallOptions::default()).unwrap();
    call.wait_for(Event::Answered, SOON).unwrap();
    let mut taken = callee.next_call(SOON).unwrap();
    taken.wait_for(Event::Confirmed, SOON).unwrap();
    let named = [call.far().unwrap().unwrap().address, taken.far().unwrap().unwrap().address];
    assert!(named[0] != named[1] && named.iter().all(|address| address.port() % 2 == 0));
    let before = relay.counts().taken;
    call.press("5").unwrap();
    taken.wait_for(Event::Digit('5'), SOON).unwrap();
    taken.press("6").unwrap();
    call.wait_for(Event::Digit('6'), SOON).unwrap();
    assert!(relay.counts().taken >= before + 2, "both ways");
    taken.hang_up().unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
}

#[test]
fn one_direction_may_be_worse_than_the_other() {
    let lost = Impairment { lose: 1.0, ..Impairment::default() };
    let relay = Relay::start(Ipv4Addr::LOCALHOST, Ways { to_target: Impairment::default(), from_target: lost }, 5).unwrap();
    let ((near, _), (far, target)) = (socket(), socket());
    near.send_to(b"ask", relay.open(0, target).unwrap()).unwrap();
    let mut buffer = [0; 9];
    let (_, from) = far.recv_from(&mut buffer).unwrap();
    far.send_to(b"answer", from).unwrap();
    assert!(near.recv(&mut buffer).is_err());
}
