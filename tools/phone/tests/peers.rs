//! Does the phone understand programs that are not ours: SIPp and baresip?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cityline_phone::judge::chirp::Voice;
use cityline_phone::judge::find;
use cityline_phone::phone::PhoneError;
use cityline_phone::ports::free_port;
use cityline_phone::{AnswerOptions, Behaviour, CallOptions, Event, Phone, Side, Sound, Then};

const SOON: Duration = Duration::from_secs(10);

/// Ends its program when the test is over, however it ends.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, arguments: &[&str]) -> Peer {
    let quiet = |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Peer(quiet(Command::new(program).args(arguments)).unwrap_or_else(|error| panic!("{program} must be installed: {error}")))
}

/// Waits until something answers OPTIONS there.
fn until_it_answers(phone: &Phone, port: u16) {
    let to = cityline_phone::sip::transport::Peer::Udp(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
    phone.ask_options(&format!("sip:a@127.0.0.1:{port}"), to, SOON).unwrap();
}

#[test]
fn sipp_answers_our_call() {
    let port = free_port();
    let _peer = start("sipp", &["-sn", "uas", "-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin"]);
    let phone = Phone::on_loopback().unwrap();
    let mut call = phone.call(&format!("sip:service@127.0.0.1:{port}"), CallOptions::default()).unwrap();
    call.wait_for(Event::Answered, SOON).unwrap();
    call.hang_up().unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Us));
}

#[test]
fn we_answer_the_calls_of_sipp() {
    let phone = Phone::on_loopback().unwrap();
    phone.on_call(Behaviour { ring_for: Duration::from_millis(30), then: Then::Answer, answer: AnswerOptions::default() }).unwrap();
    let target = phone.address().to_string();
    let port = free_port().to_string();
    let mut peer = start("sipp", &["-sn", "uac", "-i", "127.0.0.1", "-p", &port, "-m", "20", "-r", "100", "-nostdin", &target]);
    for _ in 0..20 {
        let mut call = phone.next_call(SOON).unwrap();
        call.wait_for(Event::Confirmed, SOON).unwrap();
        assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    }
    assert_eq!(peer.0.wait().unwrap().code(), Some(0), "SIPp counts a failed call");
}

/// A folder with the settings of a baresip that answers by itself and says again what it hears.
fn baresip_settings(port: u16) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cityline-phone-baresip-{port}"));
    fs::create_dir_all(&folder).unwrap();
    let modules = "/usr/lib/baresip/modules";
    let settings = format!(
        "sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\nmodule_path {modules}\nmodule g711.so\nmodule aubridge.so\nmodule_app account.so\n\
         module_app menu.so\naudio_source aubridge,loop\naudio_player aubridge,loop\n"
    );
    fs::write(folder.join("config"), settings).unwrap();
    fs::write(folder.join("accounts"), format!("<sip:robot@127.0.0.1:{port}>;regint=0;answermode=auto;audio_codecs=PCMA/8000/1\n"))
        .unwrap();
    folder
}

#[test]
fn baresip_answers_and_sends_our_chirps_back() {
    let port = free_port();
    let folder = baresip_settings(port);
    let _peer = start("baresip", &["-f", folder.to_str().unwrap()]);
    let phone = Phone::on_loopback().unwrap();
    until_it_answers(&phone, port);
    let voice = Voice::new(2, 42);
    let options = CallOptions { sound: Sound::Chirps(voice), ..CallOptions::default() };
    let mut call = phone.call(&format!("sip:robot@127.0.0.1:{port}"), options).unwrap();
    call.wait_for(Event::Answered, SOON).unwrap();
    call.wait_for(Event::FirstSound, SOON).unwrap();
    let ended = call.wait_until("nothing for two seconds", Duration::from_secs(2), Event::is_last);
    assert!(matches!(ended, Err(PhoneError::NotInTime { .. })), "{ended:?}");
    call.hang_up().unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Us));
    let record = call.record().unwrap();
    let timeline = record.heard.timeline();
    let hearings = find::hearings(&find::chirps(&timeline.pcm, &[0, 1, 2, 3]));
    let hearing = hearings.get(&voice).expect("our own chirps come back");
    let delays = hearing.delays(&timeline, &record.said);
    assert!(hearing.chirps.len() >= 5 && delays.iter().all(|delay| *delay < Duration::from_millis(500)), "{hearing:?} {delays:?}");
    fs::remove_dir_all(folder).unwrap();
}
