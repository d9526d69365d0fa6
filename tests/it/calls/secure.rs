//! Is sound protected where that is wanted? baresip calls and answers by SDES-SRTP, plain phones talk with it, and the recording is in the clear.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use cityline_phone::media::sound::read_wav;
use cityline_phone::{AnswerOptions, Behaviour, Event, Phone, Sound};

use super::baresip::Baresip;
use super::cast::{OPERATOR, RESIDENT, calls, chirping, ended, goes_on, record, short_city, short_city_with_one, until_operator_is};
use super::ears::{Ear, Hears, room};
use super::linphone::Linphone;
use super::server::{Server, free_port};
use super::{SOON, heard};
use crate::certificates::Certificates;

/// The short city with daniyar at a phone that is reached securely.
fn secure_city() -> String {
    short_city("")
        + "[operators.daniyar]\nskills = [\"kk\", \"ru\"]\nready_when_registered = true\n\
           phone = { user = \"202\", password = \"secret-202\", secure = true }\n"
}

fn talks_of(server: &Server, seconds: usize) -> bool {
    read_wav(&server.recording(1, 1)).is_ok_and(|channels| channels[0].len() >= seconds * 8_000)
}

/// Both voices are in the recording, each on its side.
fn is_recorded(server: &Server, chirps: usize) {
    server.rows_until("SELECT length_ms FROM recordings WHERE length_ms > 0", SOON, |rows| !rows.is_empty());
    let channels = read_wav(&server.recording(1, 1)).unwrap();
    let [left, right] = channels.as_slice() else { panic!("two channels, not {}", channels.len()) };
    assert!(heard(left, RESIDENT).is_some_and(|hearing| hearing.chirps.len() >= chirps) && heard(left, OPERATOR).is_none());
    assert!(heard(right, OPERATOR).is_some_and(|hearing| hearing.chirps.len() >= chirps) && heard(right, RESIDENT).is_none());
}

#[test]
fn two_foreign_phones_talk_by_srtp_and_are_recorded() {
    let server = Server::start("srtp", &secure_city());
    let account = format!("<sip:202@{}>;auth_pass=secret-202;answermode=auto;regint=300;mediaenc=srtp-mand", server.sip);
    let operator = Baresip::start("srtp-operator", &account, OPERATOR);
    until_operator_is(&server, "daniyar", "ready", SOON);
    let account = format!("<sip:+77010700001@{}>;regint=0;mediaenc=srtp-mand", server.sip);
    let resident = Baresip::start("srtp-resident", &account, RESIDENT);
    resident.order("dial", &server.uri("200"));
    operator.until("talk of four seconds", || talks_of(&server, 4));
    resident.order("hangup", "");
    assert_eq!(ended(&server, "end_reason"), "caller_hung_up");
    let (of_operator, of_resident) = (heard(&resident.heard(), OPERATOR), heard(&operator.heard(), RESIDENT));
    assert!(of_operator.is_some_and(|hearing| hearing.chirps.len() >= 12), "the resident hears the operator");
    assert!(of_resident.is_some_and(|hearing| hearing.chirps.len() >= 12), "the operator hears the resident");
    is_recorded(&server, 12);
    let legs = server.rows_until("SELECT secured FROM leg_quality ORDER BY n", SOON, |rows| rows.lines().count() == 2);
    assert_eq!(legs, "1\n1", "both legs were protected");
    assert!(!server.log().contains("inline:"), "no key is logged");
}

#[test]
fn a_protected_talk_goes_on_after_kill_9() {
    let settings = secure_city();
    let server = Server::start("srtp-kept", &settings);
    let account = format!("<sip:202@{}>;auth_pass=secret-202;answermode=auto;regint=300;mediaenc=srtp-mand", server.sip);
    let operator = Baresip::start("srtp-kept-operator", &account, OPERATOR);
    until_operator_is(&server, "daniyar", "ready", SOON);
    let account = format!("<sip:+77010700005@{}>;regint=0;mediaenc=srtp-mand;audio_codecs=PCMA/8000/1", server.sip);
    let resident = Baresip::start("srtp-kept-resident", &account, RESIDENT);
    resident.order("dial", &server.uri("200"));
    operator.until("talk of two seconds", || talks_of(&server, 2));
    let [hears_operator, hears_resident] = [OPERATOR, RESIDENT].map(|voice| [voice]);
    room("before", &[(&resident, Hears::Voices(&hears_operator)), (&operator, Hears::Voices(&hears_resident))]);
    let server = Server::start_at(server.kill(), &settings);
    server.rows_until("SELECT count(*) FROM recordings", SOON, |rows| rows == "2");
    room("after", &[(&resident, Hears::Voices(&hears_operator)), (&operator, Hears::Voices(&hears_resident))]);
    resident.order("hangup", "");
    assert_eq!(ended(&server, "end_reason"), "caller_hung_up");
    let legs = server.rows_until("SELECT secured FROM leg_quality ORDER BY n", SOON, |rows| rows.lines().count() == 2);
    assert_eq!(legs, "1\n1", "both legs are protected as before");
    assert!(!server.log().contains("inline:"), "no key is logged");
}

#[test]
fn a_plain_line_and_a_secure_phone_talk() {
    let server = Server::start("srtp-plain", &secure_city());
    let account = format!("<sip:202@{}>;auth_pass=secret-202;answermode=auto;regint=300;mediaenc=srtp-mand", server.sip);
    let operator = Baresip::start("srtp-bridged", &account, OPERATOR);
    until_operator_is(&server, "daniyar", "ready", SOON);
    let resident = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &resident, "200", chirping("+77010700002"));
    call.wait_for(Event::FirstPacket, SOON).unwrap();
    operator.until("talk of three seconds", || talks_of(&server, 3));
    call.hang_up().unwrap();
    let at_resident = record(&mut call).heard.timeline().pcm;
    assert!(heard(&at_resident, OPERATOR).is_some_and(|hearing| hearing.chirps.len() >= 8), "the resident hears the operator");
    assert!(heard(&operator.heard(), RESIDENT).is_some_and(|hearing| hearing.chirps.len() >= 8), "the operator hears the resident");
    is_recorded(&server, 8);
    let legs = server.rows_until("SELECT n, secured FROM leg_quality ORDER BY n", SOON, |rows| rows.lines().count() == 2);
    assert_eq!(legs, "0|0\n1|1");
}

#[test]
fn a_phone_that_cannot_be_reached_securely_is_not_reached_at_all() {
    let server = Server::start("srtp-refused", &secure_city());
    let operator = Phone::on_loopback().unwrap();
    let answer = AnswerOptions { sound: Sound::Chirps(OPERATOR), ..AnswerOptions::default() };
    operator.on_call(Behaviour { ring_for: Duration::ZERO, then: cityline_phone::Then::Answer, answer }).unwrap();
    operator.register("202", "secret-202", server.sip, Duration::from_secs(300)).unwrap();
    until_operator_is(&server, "daniyar", "ready", SOON);
    let resident = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &resident, "200", chirping("+77010700003"));
    // This phone does not know SRTP, and answers with plain RTP all the same: its answer is none.
    server.rows_until("SELECT count(*) FROM offers WHERE how = 'failed'", SOON, |rows| rows != "0");
    goes_on(&mut call, Duration::from_millis(500));
    call.hang_up().unwrap();
    assert!(heard(&record(&mut call).heard.timeline().pcm, OPERATOR).is_none());
}

#[test]
fn linphone_answers_over_tls_with_protected_sound() {
    let own = Certificates::new("linphone");
    let tls = SocketAddrV4::new(Ipv4Addr::LOCALHOST, free_port());
    let address = format!("\"{tls}\"");
    let [certificate, key] = ["server.pem", "server.key"].map(|file| format!("{:?}", own.path(file)));
    let secure = [("CITYLINE_SIP__TLS", address.as_str()), ("CITYLINE_SIP__CERTIFICATE", &certificate), ("CITYLINE_SIP__KEY", &key)];
    let server = Server::start_with("linphone-tls", &short_city_with_one(), &secure);
    let operator = Linphone::secure_operator(tls.port(), &own.path("ca.pem"), "202", OPERATOR);
    until_operator_is(&server, "daniyar", "ready", SOON);
    let resident = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &resident, "200", chirping("+77010700004"));
    call.wait_for(Event::FirstPacket, SOON).unwrap();
    operator.until("talk of four seconds", || talks_of(&server, 4));
    call.hang_up().unwrap();
    let at_resident = record(&mut call).heard.timeline().pcm;
    assert!(heard(&at_resident, OPERATOR).is_some_and(|hearing| hearing.chirps.len() >= 10), "the resident hears the operator");
    assert!(heard(&operator.heard_so_far(), RESIDENT).is_some_and(|hearing| hearing.chirps.len() >= 10), "the operator hears the resident");
    is_recorded(&server, 10);
    let legs = server.rows_until("SELECT n, secured FROM leg_quality ORDER BY n", SOON, |rows| rows.lines().count() == 2);
    assert_eq!(legs, "0|0\n1|1", "the operator's leg was protected");
}
