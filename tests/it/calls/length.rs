//! Is a recording as long as the talk, with both sides in step to its end, on a poor line too? Three quarters of a minute here, ten minutes in `make soak`.

use std::net::Ipv4Addr;
use std::time::Duration;

use cityline_phone::judge::recording;
use cityline_phone::line::Record;
use cityline_phone::media::sound::read_wav;
use cityline_phone::{Event, Phone, Then};
use cityline_relay::Relay;

use super::SOON;
use super::cast::{OPERATOR, Talk, chirping, goes_on, phone_of, record, rings, short_city_with_one, talk};
use super::crash::report;
use super::poor::POOR;
use super::server::Server;

/// How long the talk is; `SOAK_TALK_S` makes it longer.
fn talk_s() -> u64 {
    std::env::var("SOAK_TALK_S").map_or(45, |seconds| seconds.parse().unwrap())
}

/// Of the recording, as the database has it.
fn length_ms(server: &Server) -> u64 {
    server.rows_until("SELECT length_ms FROM recordings WHERE length_ms IS NOT NULL", SOON, |rows| !rows.is_empty()).parse().unwrap()
}

/// The talk as the operator's phone had it: from the first packet of the resident to the last.
fn talk_ms(at_operator: &Record) -> u64 {
    let arrivals = &at_operator.heard.arrivals;
    (arrivals.last_ns - arrivals.first_ns) / 1_000_000 + 20
}

/// 5 % of the resident's packets are lost in bursts, 50 ms of jitter, some overtaken, some twice: signalling and sound.
#[test]
fn a_recording_over_a_poor_line_is_as_long_as_the_talk() {
    let server = Server::start("length-poor", &short_city_with_one());
    let relay = Relay::start(Ipv4Addr::LOCALHOST, POOR, 109).unwrap();
    let front = relay.open_signalling(0, server.sip).unwrap();
    let operator = phone_of(&server, "202", rings(100, Then::Answer, OPERATOR));
    let resident = Phone::on_loopback().unwrap();
    let mut call = resident.call(&format!("sip:200@{front}"), chirping("+77010600002")).unwrap();
    call.wait_for(Event::Answered, SOON).unwrap();
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    goes_on(&mut call, Duration::from_secs(talk_s()));
    call.hang_up().unwrap();
    call.wait_for_end(SOON).unwrap();
    let at_operator = record(&mut answered);
    let (length_ms, talk_ms) = (length_ms(&server), talk_ms(&at_operator));
    let (off_ms, lost) = (length_ms.abs_diff(talk_ms), relay.counts().lost as f64 / relay.counts().taken as f64);
    let share = off_ms as f64 / talk_ms as f64 * 100.0;
    report(&format!(
        "| recording of a talk of {:.1} s over a poor line ({:.1} % of packets lost) | {off_ms} ms off in length, {share:.2} % |",
        Duration::from_millis(talk_ms).as_secs_f64(),
        lost * 100.0
    ));
    assert!((0.03..0.07).contains(&lost), "{lost}");
    assert!(share <= 1.0, "the recording has {length_ms} ms, the talk had {talk_ms} ms");
    assert_eq!(read_wav(&server.recording(1, 1)).unwrap()[0].len() as u64 / 8, length_ms, "the file is as long as the database says");
}

#[test]
fn a_recording_is_as_long_as_the_talk_and_its_channels_stay_in_step() {
    let server = Server::start("length", &short_city_with_one());
    let Talk { mut call, mut answered, operator: _operator, resident: _resident } = talk(&server, chirping("+77010600001"), Then::Answer);
    goes_on(&mut call, Duration::from_secs(talk_s()));
    call.hang_up().unwrap();
    let (at_resident, at_operator) = (record(&mut call), record(&mut answered));
    let (length_ms, talk_ms) = (length_ms(&server), talk_ms(&at_operator));
    let off_ms = length_ms.abs_diff(talk_ms);
    let channels = read_wav(&server.recording(1, 1)).unwrap();
    let [left, right] = channels.as_slice() else { panic!("two channels, not {}", channels.len()) };
    let judged = recording::judge(left, right, &at_resident.said, &at_operator.said);
    let skew = judged.skew_ms.unwrap();
    // How far chirps stray from their even row within the file; what the phones' own lateness adds to the drift is not in it.
    let slip_ms = judged.left.slip.max(judged.right.slip) / 8;
    report(&format!(
        "| recording of a talk of {:.1} s | {off_ms} ms off in length, channels {:.1} ms apart, rows even to {slip_ms} ms, {} chirps missing |",
        Duration::from_millis(talk_ms).as_secs_f64(),
        skew.abs(),
        judged.left.missing + judged.right.missing
    ));
    assert!(off_ms <= 100, "the recording has {length_ms} ms, the talk had {talk_ms} ms");
    assert_eq!(left.len() as u64 / 8, length_ms, "the file is as long as the database says");
    assert!(skew.abs() <= 40.0 && slip_ms <= 40, "channels {skew} ms apart, rows even to {slip_ms} ms");
    assert!(judged.strangers.is_empty());
    assert_eq!((judged.left.missing, judged.right.missing), (0, 0), "every chirp of both sides is in the recording");
}
