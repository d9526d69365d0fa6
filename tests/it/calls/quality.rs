//! Is it known how good a call sounds? Loss on the line is measured, marked and shown, and a dead line is noticed.

use std::net::Ipv4Addr;
use std::time::Duration;

use cityline_phone::{CallOptions, Event, Phone, Sound};
use cityline_relay::{Impairment, Relay, Ways};

use super::SOON;
use super::baresip::Baresip;
use super::cast::{OPERATOR, RESIDENT, calls, goes_on, short_city, short_city_with_one, until_operator_is};
use super::server::Server;

#[test]
fn loss_on_the_line_is_measured_and_marked() {
    let server = Server::start("quality", &short_city(""));
    let bad = Impairment { lose: 0.1, burst: 2.0, ..Impairment::default() };
    let relay = Relay::start(Ipv4Addr::LOCALHOST, Ways { to_target: bad, from_target: Impairment::default() }, 9).unwrap();
    let phone = Phone::on_loopback().unwrap();
    let options = |from: &str| CallOptions { from: from.to_owned(), sound: Sound::Nothing, ..CallOptions::default() };
    let mut poor = calls(&server, &phone, "300", options("+77010800001"));
    poor.send_sound_to(relay.open(0, poor.far().unwrap().unwrap().address).unwrap()).unwrap();
    poor.say(Sound::Silence).unwrap();
    let mut good = calls(&server, &phone, "300", CallOptions { sound: Sound::Silence, ..options("+77010800002") });
    goes_on(&mut good, Duration::from_secs(8));
    for call in [&mut poor, &mut good] {
        call.hang_up().unwrap();
        call.wait_for_end(SOON).unwrap();
    }
    let select = "SELECT loss_10k, burst_100th, mos_100th, secured FROM leg_quality ORDER BY call_id";
    let rows = server.rows_until(select, SOON, |rows| rows.lines().count() == 2);
    let figures: Vec<Vec<u32>> = rows.lines().map(|row| row.split('|').map(|figure| figure.parse().unwrap()).collect()).collect();
    let [poor, good] = figures.as_slice() else { panic!("{rows}") };
    assert!((400..1_800).contains(&poor[0]) && poor[1] >= 120, "{poor:?}");
    assert!(good[0] <= 100 && good[2] >= 400 && poor[2] + 40 < good[2], "{poor:?} {good:?}");
    let (_, metrics) = server.get("/metrics").unwrap();
    assert!(metrics.contains("cityline_leg_mos") && metrics.contains("cityline_leg_loss_ratio"), "{metrics}");
}

#[test]
fn a_foreign_phone_reports_and_its_round_trip_is_known() {
    let server = Server::start("quality-rtcp", &short_city_with_one());
    let account = format!("<sip:202@{}>;auth_pass=secret-202;answermode=auto;regint=300", server.sip);
    let _operator = Baresip::start("rtcp-operator", &account, OPERATOR);
    until_operator_is(&server, "daniyar", "ready", SOON);
    let account = format!("<sip:+77010800003@{}>;regint=0", server.sip);
    let resident = Baresip::start("rtcp-resident", &account, RESIDENT);
    resident.order("dial", &server.uri("200"));
    let talk = || cityline_phone::media::sound::read_wav(&server.recording(1, 1)).is_ok_and(|channels| channels[0].len() >= 14 * 8_000);
    resident.until("talk of fourteen seconds", talk);
    resident.order("hangup", "");
    let select = "SELECT rtt_ms < 200, far_loss_10k < 300, far_mos_100th > 400 FROM leg_quality ORDER BY n";
    let rows = server.rows_until(select, SOON, |rows| rows.lines().count() == 2);
    assert_eq!(rows, "1|1|1\n1|1|1");
}

#[test]
fn a_line_whose_far_end_refuses_our_sound_is_noticed_within_ten_seconds() {
    let server = Server::start("refused", &short_city(""));
    let phone = Phone::on_loopback().unwrap();
    let mut call =
        calls(&server, &phone, "300", CallOptions { from: "+77010800004".to_owned(), sound: Sound::Silence, ..CallOptions::default() });
    call.wait_for(Event::FirstPacket, SOON).unwrap();
    // The phone dies: its ports are closed without a word.
    drop(call);
    drop(phone);
    server.rows_until("SELECT unheard FROM legs", Duration::from_secs(10), |rows| rows == "1");
    server.rows_until("SELECT sound_lost FROM legs", SOON, |rows| rows == "1");
}
