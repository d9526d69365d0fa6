//! What does a waiting caller hear? Music without a gap or a click, around its loop and across an announcement.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cityline_phone::media::g711::Law;
use cityline_phone::media::sound::write_wav;
use cityline_phone::{CallOptions, Event, Phone};

use super::cast::{calls, goes_on, record, short_city};
use super::server::{Server, prompt, prompts};
use super::{SOON, score};

/// A loop of this many samples, so that it comes round soon: whole packets, as music is.
const LOOP: usize = 8_000;

/// In so many samples the music is lowered or comes back, and more.
const SLOPE: usize = 4_000;

/// The prompts, with music that is short. Every other file is a link.
fn prompts_with_short_music(server: &str) -> (PathBuf, Vec<i16>) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("short-music-{server}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    link(prompts(), &folder);
    let music = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).find(|path| path.ends_with("music.wav")).unwrap();
    let samples = cityline_phone::media::sound::read_wav(&music).unwrap().swap_remove(0)[..LOOP].to_vec();
    fs::remove_file(&music).unwrap();
    write_wav(&music, &samples).unwrap();
    (folder, samples)
}

fn link(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { link(&entry.path(), &target) } else { fs::hard_link(entry.path(), target).unwrap() }
    }
}

/// How many samples from `at` on are the music from place `from` on, and where the music stands then.
fn follows(heard: &[i16], at: usize, music: &[i16], from: usize) -> (usize, usize) {
    let same = |(n, sample): (usize, &i16)| {
        let expected = Law::Alaw.decode(Law::Alaw.encode(music[(from + n) % music.len()]));
        (sample - expected).abs() <= 16 + expected.abs() / 16
    };
    let count = heard[at..].iter().enumerate().take_while(|pair| same((pair.0, pair.1))).count();
    (count, (from + count) % music.len())
}

/// What a caller hears who waits for twelve seconds in a queue with this rule and this music: announced after four.
fn waits_for_twelve_seconds(name: &str, rule: &str, folder: &Path) -> Vec<i16> {
    let settings = short_city(rule).replace("announce_every_ms = 0", "announce_every_ms = 60000");
    let server = Server::start_with(name, &settings, &[("CITYLINE_DATA__PROMPTS", &format!("{folder:?}"))]);
    let phone = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &phone, "200", CallOptions { from: "+77010200001".into(), ..CallOptions::default() });
    call.wait_for(Event::FirstPacket, SOON).unwrap();
    goes_on(&mut call, Duration::from_secs(12));
    call.hang_up().unwrap();
    let record = record(&mut call);
    assert_eq!((record.heard.arrivals.lost, record.heard.arrivals.late_or_twice), (0, 0));
    record.heard.timeline().pcm
}

/// Where the music begins, for how many samples it is whole, and where in the loop it stands then.
fn music_before(heard: &[i16], music: &[i16]) -> (usize, usize, usize) {
    let start = (0..heard.len()).find(|at| follows(heard, *at, music, 0).0 >= LOOP).expect("music is heard");
    let (before, place) = follows(heard, start, music, 0);
    assert!(before >= 3 * LOOP, "the music was whole for {before} samples only of the 4 s before the announcement");
    (start, before, place)
}

#[test]
fn music_goes_on_without_gap_or_click_around_its_loop_and_across_an_announcement() {
    let (folder, music) = prompts_with_short_music("hold");
    let heard = waits_for_twelve_seconds("hold", "over_music = false", &folder);
    let (start, before, place) = music_before(&heard, &music);
    let told = &heard[start + before..];
    // The place is looked for from a little before: its first samples may continue the music by chance.
    assert!(score("kk", "position", &heard[start + before - 160..]) >= 0.9, "the place is told");
    let after = (1..told.len()).find(|at| follows(told, *at, &music, place).0 >= 2 * LOOP).expect("the music goes on where it stood");
    assert_eq!(follows(told, after, &music, place).0, told.len() - after, "it goes on whole to the end of the call");
    println!("music: {before} samples, an announcement of {after}, then {} from sample {place} of the loop on", told.len() - after);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn music_is_lowered_beneath_an_announcement_and_is_back_where_it_would_be() {
    let (folder, music) = prompts_with_short_music("lowered");
    let heard = waits_for_twelve_seconds("lowered", "", &folder);
    let (start, before, place) = music_before(&heard, &music);
    let told = &heard[start + before..];
    let at = |n: usize| f32::from(music[(place + n) % LOOP]);
    let after = (1..told.len()).find(|n| follows(told, *n, &music, (place + n) % LOOP).0 >= 2 * LOOP);
    let after = after.expect("the music is as loud as before, where it would be had nothing been said");
    assert_eq!(follows(told, after, &music, (place + after) % LOOP).0, told.len() - after, "it goes on whole to the end of the call");
    // Between the slopes the music's part of the sound is its projection: speech knows nothing of it.
    let between = SLOPE..after - SLOPE;
    let (part, whole) = between.fold((0.0, 0.0), |(part, whole), n| (part + f32::from(told[n]) * at(n), whole + at(n) * at(n)));
    let lowered = 20.0 * (part / whole).log10();
    assert!((-18.0..=-12.0).contains(&lowered), "the music lies at {lowered:.1} dB beneath what is said");
    // What is said, less the lowered music, is the prompt to the noise of A-law. It begins where the music first differs, or a little before.
    let prompt = prompt("kk", "position");
    let rest = |n: usize| f32::from(told[n]) - at(n) * part / whole;
    let power = |sound: &mut dyn Iterator<Item = f32>| sound.map(|sample| sample * sample).sum::<f32>();
    let apart = (0..800).map(|ago| {
        let said = |n: usize| f32::from(prompt[n + ago]);
        let judged = SLOPE..prompt.len() - ago;
        10.0 * (power(&mut judged.clone().map(said)) / power(&mut judged.clone().map(|n| rest(n) - said(n)))).log10()
    });
    let apart = apart.fold(f32::MIN, f32::max);
    assert!(apart >= 20.0, "the place is told: what is not the prompt lies {apart:.1} dB beneath it");
    println!(
        "music: {before} samples, {after} of them lowered by {lowered:.1} dB; what else is in what is said lies {apart:.1} dB beneath it"
    );
    fs::remove_dir_all(folder).unwrap();
}
