//! Do programs that are not ours find their way? baresip calls 109 and baresip answers it; SIPp calls by the dozen.

use std::process::{Command, Stdio};
use std::time::Duration;

use cityline_phone::Then;
use cityline_phone::media::sound::read_wav;

use super::baresip::Baresip;
use super::cast::{ONE_OPERATOR, OPERATOR, RESIDENT, ended, phone_of, rings, short_city_with_one, until_operator_is};
use super::server::{Server, free_port};
use super::{SOON, heard, likeness, score};
use crate::certificates::Certificates;

/// The longest greeting and question are over by then.
const SPOKEN: Duration = Duration::from_secs(40);

#[test]
fn a_resident_and_an_operator_with_baresip_go_the_whole_way() {
    let server = Server::start("baresip", ONE_OPERATOR);
    let account = format!("<sip:202@{}>;auth_pass=secret-202;answermode=auto;regint=300;audio_codecs=PCMA/8000/1", server.sip);
    let operator = Baresip::start("operator", &account, OPERATOR);
    until_operator_is(&server, "daniyar", "ready", SOON);
    let account = format!("<sip:+77010500001@{}>;regint=0;audio_codecs=PCMA/8000/1", server.sip);
    let resident = Baresip::start("resident", &account, RESIDENT);
    resident.order("dial", &server.uri("109"));
    let in_step = |step: &str| server.rows_until(&format!("SELECT count(*) FROM steps WHERE step = '{step}'"), SPOKEN, |rows| rows != "0");
    in_step("language");
    resident.order("sndcode", "2");
    in_step("topics");
    resident.order("sndcode", "1");
    // The resident's call is up for more than 32 s then: an ACK that was not understood would have ended it (RFC 3261 §13.3.1.4).
    let in_file = || read_wav(&server.recording(1, 1)).is_ok_and(|channels| channels[0].len() >= 14 * 8000);
    operator.until("talk of fourteen seconds", in_file);
    resident.order("hangup", "");
    assert_eq!(ended(&server, "language, queue, agent, end_reason"), "ru|heating|daniyar|caller_hung_up");
    server.rows_until("SELECT length_ms FROM recordings WHERE length_ms > 0", SOON, |rows| !rows.is_empty());

    let at_resident = resident.heard();
    let greeting = score("kk", "welcome-109", &at_resident);
    assert!(greeting >= 0.9, "the greeting was recognised with {greeting}");
    let notice = score("ru", "recorded-notice", &at_resident);
    assert!(notice >= 0.9, "the notice in Russian was recognised with {notice}");
    for (language, id) in [("en", "welcome-109"), ("uk", "welcome-1520"), ("kk", "recorded-notice"), ("en", "recorded-notice")] {
        let other = likeness(language, id, &at_resident);
        assert!(other < 0.3, "{id} in {language} was recognised with {other}");
    }
    let at_operator = operator.heard();
    let (of_operator, of_resident) = (heard(&at_resident, OPERATOR), heard(&at_operator, RESIDENT));
    assert!(of_operator.is_some_and(|hearing| hearing.chirps.len() >= 20), "the resident hears the operator");
    assert!(of_resident.is_some_and(|hearing| hearing.chirps.len() >= 20), "the operator hears the resident");
    let channels = read_wav(&server.recording(1, 1)).unwrap();
    let [left, right] = channels.as_slice() else { panic!("two channels, not {}", channels.len()) };
    assert!(heard(left, RESIDENT).is_some_and(|hearing| hearing.chirps.len() >= 30) && heard(left, OPERATOR).is_none());
    assert!(heard(right, OPERATOR).is_some_and(|hearing| hearing.chirps.len() >= 30) && heard(right, RESIDENT).is_none());
    println!("baresip: greeting {greeting:.3}, notice {notice:.3}");
}

#[test]
fn an_operator_with_baresip_may_hang_up() {
    let server = Server::start("baresip-ends", &short_city_with_one());
    let account = format!("<sip:202@{}>;auth_pass=secret-202;answermode=auto;regint=300", server.sip);
    let operator = Baresip::start("ends", &account, OPERATOR);
    until_operator_is(&server, "daniyar", "ready", SOON);
    let account = format!("<sip:+77010500002@{};transport=tcp>;regint=0", server.sip);
    let resident = Baresip::start("tcp", &account, RESIDENT);
    resident.order("dial", &format!("{};transport=tcp", server.uri("200")));
    operator.until("talk of two seconds", || read_wav(&server.recording(1, 1)).is_ok_and(|channels| channels[0].len() >= 2 * 8000));
    operator.order("hangup", "");
    assert_eq!(ended(&server, "end_reason"), "operator_hung_up");
    assert!(heard(&resident.heard(), OPERATOR).is_some_and(|hearing| hearing.chirps.len() >= 4));
}

#[test]
fn baresip_speaks_over_tls_and_srtp_at_both_ends() {
    let own = Certificates::new("calls");
    let port = free_port();
    let (address, certificate, key) =
        (format!("\"127.0.0.1:{port}\""), format!("{:?}", own.path("server.pem")), format!("{:?}", own.path("server.key")));
    let secure = [("CITYLINE_SIP__TLS", address.as_str()), ("CITYLINE_SIP__CERTIFICATE", &certificate), ("CITYLINE_SIP__KEY", &key)];
    let server = Server::start_with("tls", &short_city_with_one(), &secure);
    let account = format!("<sip:202@127.0.0.1:{port};transport=tls>;auth_pass=secret-202;answermode=auto;regint=300;mediaenc=srtp-mand");
    let operator = Baresip::start("tls-operator", &account, OPERATOR);
    until_operator_is(&server, "daniyar", "ready", SOON);
    let account = format!("<sip:+77010500003@127.0.0.1:{port};transport=tls>;regint=0;mediaenc=srtp-mand");
    let resident = Baresip::start("tls-resident", &account, RESIDENT);
    resident.order("dial", &format!("sip:200@127.0.0.1:{port};transport=tls"));
    operator.until("talk of three seconds", || read_wav(&server.recording(1, 1)).is_ok_and(|channels| channels[0].len() >= 3 * 8000));
    resident.order("hangup", "");
    assert_eq!(ended(&server, "end_reason"), "caller_hung_up");
    let (at_resident, at_operator) = (heard(&resident.heard(), OPERATOR), heard(&operator.heard(), RESIDENT));
    assert!(at_resident.is_some_and(|hearing| hearing.chirps.len() >= 4), "the resident hears the operator");
    assert!(at_operator.is_some_and(|hearing| hearing.chirps.len() >= 4), "the operator hears the resident");
    server.rows_until("SELECT count(*) FROM leg_quality WHERE secured = 1", SOON, |rows| rows == "2");
}

#[test]
fn sipp_calls_by_the_dozen_and_one_operator_serves_them_in_turn() {
    let server = Server::start("sipp", &short_city_with_one().replace("wrap_up_ms = 500", "wrap_up_ms = 0"));
    let _operator = phone_of(&server, "202", rings(20, Then::AnswerFor(Duration::from_secs(60)), OPERATOR));
    until_operator_is(&server, "daniyar", "ready", SOON);
    let (port, target) = (free_port().to_string(), server.sip.to_string());
    let arguments = ["-sn", "uac", "-i", "127.0.0.1", "-p", &port, "-s", "200", "-m", "24", "-r", "12", "-d", "700", "-nostdin", &target];
    let status = Command::new("sipp").args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("sipp must be installed: {error}"));
    assert_eq!(status.code(), Some(0), "SIPp counts a failed call");
    server.rows_until("SELECT count(*) FROM calls WHERE ended_ms IS NOT NULL", SOON, |rows| rows == "24");
    assert_eq!(server.rows("SELECT count(*) FROM calls WHERE end_reason NOT IN ('abandoned', 'caller_hung_up')"), "0");
    assert_ne!(server.rows("SELECT count(*) FROM calls WHERE agent = 'daniyar'"), "0");
}
