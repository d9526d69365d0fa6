//! How do calls end that nobody hangs up? A line that falls silent, and a server that is told to stop.

use std::time::Duration;

use cityline_phone::{Event, Side, Sound, Then};

use super::SOON;
use super::cast::{RESIDENT, Talk, chirping, ended, goes_on, short_city_with_one, talk};
use super::server::Server;

#[test]
fn a_talk_in_which_the_resident_has_fallen_silent_ends() {
    let rules = [("CITYLINE_MEDIA__SILENCE_AFTER_MS", "1000"), ("CITYLINE_LIMITS__NO_SOUND_ENDS_MS", "5000")];
    let server = Server::start_with("silence", &short_city_with_one(), &rules);
    let Talk { mut call, mut answered, operator: _operator, resident: _resident } = talk(&server, chirping("+77010900001"), Then::Answer);
    // A gap that is shorter than the limit ends nothing.
    call.say(Sound::Nothing).unwrap();
    server.rows_until("SELECT sound_lost FROM legs WHERE n = 0", SOON, |rows| rows == "1");
    call.say(Sound::Chirps(RESIDENT)).unwrap();
    goes_on(&mut call, Duration::from_secs(7));
    call.say(Sound::Nothing).unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    assert_eq!(answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    assert_eq!(ended(&server, "end_reason"), "no_sound");
}

#[test]
fn a_server_that_is_told_to_stop_hangs_up_and_keeps_everything() {
    let server = Server::start("stop", &short_city_with_one());
    let Talk { mut call, mut answered, operator: _operator, resident } = talk(&server, chirping("+77010900002"), Then::Answer);
    server.signal("TERM");
    server.until_logged(&["no new calls"]);
    // New calls are refused while those that are up get some seconds.
    let mut late = resident.call(&server.uri("200"), chirping("+77010900003")).unwrap();
    let refused = late.wait_for_end(SOON).unwrap();
    assert!(matches!(refused, Event::Rejected(503)), "{refused:?}");
    goes_on(&mut call, Duration::from_secs(1));
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    assert_eq!(answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    let place = server.terminate();
    assert_eq!(place.rows("SELECT end_reason FROM calls WHERE id = 1"), "interrupted");
    assert_eq!(place.rows("SELECT count(*) FROM recordings WHERE length_ms > 0 AND lost_ms = 0"), "1");
    std::fs::remove_dir_all(&place.folder).unwrap();
}
