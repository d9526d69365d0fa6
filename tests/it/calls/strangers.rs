//! Who is not listened to? Strangers' calls and packets, garbage, floods; calls that are up go on.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream, UdpSocket};
use std::time::Duration;

use cityline_phone::judge::chirp;
use cityline_phone::media::g711::Law;
use cityline_phone::sip::transport::Peer;
use cityline_phone::{CallOptions, Event, Phone, Side, Then};
use cityline_relay::{Impairment, Relay};

use super::cast::{OPERATOR, RESIDENT, STRANGER, Talk, calls, chirping, goes_on, record, rings, short_city, short_city_with_one, talk};
use super::raw::{Raw, answers, sdp};
use super::server::Server;
use super::{SOON, heard};

/// Another host on loopback.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

#[test]
fn a_source_that_is_no_trunk_gets_403_and_a_number_that_is_none_of_ours_404() {
    let server = Server::start("refused", &(short_city("") + "[trunks.city]\nfrom = [\"127.0.0.1\"]\n"));
    let stranger = Phone::bind(SocketAddrV4::new(ELSEWHERE, 0)).unwrap();
    let mut call = stranger.call(&server.uri("200"), CallOptions::default()).unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Rejected(403));
    let phone = Phone::on_loopback().unwrap();
    let mut call = phone.call(&server.uri("911"), CallOptions::default()).unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Rejected(404));
    let to = SocketAddrV4::new(*server.sip.ip(), server.sip.port());
    assert_eq!(phone.ask_options(&server.uri("200"), Peer::Udp(to), SOON).unwrap(), 200);
    assert_eq!(phone.ask_options(&server.uri("200"), Peer::Tcp(to), SOON).unwrap(), 200);
}

#[test]
fn too_many_new_calls_get_503_and_the_others_are_served() {
    let settings = short_city_with_one();
    let server = Server::start_with("rate", &settings, &[("CITYLINE_SIP__CALLS_PER_SECOND", "2")]);
    let bare = Raw::on(Ipv4Addr::LOCALHOST);
    for n in 0..8 {
        bare.send(server.sip, &bare.request("INVITE", &server.uri("200"), &format!("rate{n}"), &sdp(bare.address.port())));
    }
    let shed = bare.next("503", SOON, answers(503, "INVITE"));
    assert!(!shed.header("Retry-After").is_empty(), "{shed:?}");
    server.rows_until("SELECT count(*) >= 2 FROM calls WHERE answered_ms IS NOT NULL", SOON, |rows| rows == "1");
    let taken: u32 = server.rows("SELECT count(*) FROM calls").parse().unwrap();
    assert!((2..=4).contains(&taken), "{taken} of 8 calls of one moment were taken, at 2 a second");
}

#[test]
fn sound_may_come_from_another_port_than_described_and_foreign_packets_are_not_heard() {
    let server = Server::start("symmetric", &short_city_with_one());
    let relay = Relay::start(Ipv4Addr::LOCALHOST, Impairment::default(), 1).unwrap();
    let operator = super::cast::phone_of(&server, "202", rings(100, Then::Answer, OPERATOR));
    let resident = Phone::on_loopback().unwrap();
    // The resident's sound takes a way that the description does not name, from its first packet on.
    let silent = CallOptions { from: "+77010300001".into(), sound: cityline_phone::Sound::Nothing, ..CallOptions::default() };
    let mut call = calls(&server, &resident, "200", silent);
    let far = call.far().unwrap().unwrap().address;
    call.send_sound_to(relay.open(0, far).unwrap()).unwrap();
    call.say(cityline_phone::Sound::Chirps(RESIDENT)).unwrap();
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    // Strangers chirp into the same port, from another host and from another port of the same host.
    let [elsewhere, beside] = [ELSEWHERE, Ipv4Addr::LOCALHOST].map(|host| UdpSocket::bind((host, 0)).unwrap());
    for (sequence, samples) in (0_u16..).zip(chirp::pcm(STRANGER, 10).chunks(160)) {
        let payload: Vec<u8> = samples.iter().map(|sample| Law::Alaw.encode(*sample)).collect();
        let mut packet = vec![0x80, 8];
        packet.extend(sequence.to_be_bytes());
        packet.extend((u32::from(sequence) * 160).to_be_bytes());
        packet.extend(0xfeed_u32.to_be_bytes());
        packet.extend(payload);
        elsewhere.send_to(&packet, far).unwrap();
        beside.send_to(&packet, far).unwrap();
        goes_on(&mut call, Duration::from_millis(20));
    }
    call.hang_up().unwrap();
    assert_eq!(answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    let at_operator = record(&mut answered).heard.timeline().pcm;
    let hearing = heard(&at_operator, RESIDENT).expect("the resident is heard");
    assert!(hearing.missing == 0 && hearing.chirps.len() >= 8, "{hearing:?}");
    assert!(heard(&at_operator, STRANGER).is_none(), "a stranger was heard");
    let back = record(&mut call).heard.timeline().pcm;
    assert!(heard(&back, OPERATOR).is_some(), "sound goes back the way it came");
    assert!(relay.counts().taken > 100);
}

#[test]
fn garbage_does_not_touch_a_call_that_is_up() {
    let server = Server::start("garbage", &short_city_with_one());
    let Talk { mut call, mut answered, operator: _operator, resident: _resident } = talk(&server, chirping("+77010300002"), Then::Answer);
    let far = call.far().unwrap().unwrap().address;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let bare = Raw::on(Ipv4Addr::LOCALHOST);
    let whole = bare.request("INVITE", &server.uri("200"), "torn", &sdp(4000));
    let mut random = bytes_of(20_260_109);
    for n in 0..400_usize {
        let noise: Vec<u8> = (0..1 + n % 300).map(|_| random()).collect();
        socket.send_to(&noise, server.sip).unwrap();
        socket.send_to(&noise, far).unwrap();
        socket.send_to(&[&[0x80, 8][..], &noise].concat(), far).unwrap();
        let torn: String = whole.chars().take(whole.len() * n / 400).collect();
        bare.send(server.sip, &torn);
        if n % 40 == 0 {
            let mut stream = TcpStream::connect(server.sip).unwrap();
            let _ = stream.write_all(&noise);
            let _ = stream.write_all(torn.as_bytes());
        }
    }
    goes_on(&mut call, Duration::from_secs(2));
    call.hang_up().unwrap();
    assert_eq!(answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    for (ear, voice) in [(&mut call, OPERATOR), (&mut answered, RESIDENT)] {
        let hearing = heard(&record(ear).heard.timeline().pcm, voice).expect("both are heard");
        assert_eq!((hearing.missing, hearing.repeated, hearing.disordered), (0, 0, 0), "{hearing:?}");
    }
    assert_eq!(server.get("/livez").unwrap().0, 200);
}

/// Bytes that look random, the same in every run (xorshift).
fn bytes_of(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    }
}
