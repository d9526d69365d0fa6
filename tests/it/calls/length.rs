//! Is a recording as long as the talk, with both sides in step to its end? Three quarters of a minute here, ten minutes in `make soak`.

use std::time::Duration;

use cityline_phone::Then;
use cityline_phone::judge::recording;
use cityline_phone::media::sound::read_wav;

use super::SOON;
use super::cast::{Talk, chirping, goes_on, record, short_city_with_one, talk};
use super::crash::report;
use super::server::Server;

/// How long the talk is; `SOAK_TALK_S` makes it longer.
fn talk_s() -> u64 {
    std::env::var("SOAK_TALK_S").map_or(45, |seconds| seconds.parse().unwrap())
}

#[test]
fn a_recording_is_as_long_as_the_talk_and_its_channels_stay_in_step() {
    let server = Server::start("length", &short_city_with_one());
    let Talk { mut call, mut answered, operator: _operator, resident: _resident } = talk(&server, chirping("+77010600001"), Then::Answer);
    goes_on(&mut call, Duration::from_secs(talk_s()));
    call.hang_up().unwrap();
    let (at_resident, at_operator) = (record(&mut call), record(&mut answered));
    let length_ms: u64 =
        server.rows_until("SELECT length_ms FROM recordings WHERE length_ms IS NOT NULL", SOON, |rows| !rows.is_empty()).parse().unwrap();
    // The talk as the operator's phone had it: from the first packet of the resident to the last.
    let arrivals = &at_operator.heard.arrivals;
    let talk_ms = (arrivals.last_ns - arrivals.first_ns) / 1_000_000 + 20;
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
