//! What does an operator hear of somebody who has not answered? Phones that are not ours ring, or speak before they answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cityline_phone::judge::chirp::{self, Voice};
use cityline_phone::media::g711::Law;
use serde_json::json;

use super::{FIFTH, OUTSIDE, city, ends, events, only, recorded, talk};
use crate::calls::baresip::Baresip;
use crate::calls::cast::{OPERATOR, RESIDENT};
use crate::calls::ears::{Hears, lately, room, until, voices};
use crate::calls::server::{Server, free_port};

/// A far end outside that is heard before it answers, twice over: SIPp, and the folder of its files.
struct Early {
    process: Child,
    folder: PathBuf,
}

impl Early {
    fn at(carrier: u16, voice: Voice) -> Early {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("early-{carrier}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let speech = folder.join("speech.alaw");
        fs::write(&speech, chirp::pcm(voice, 600).into_iter().map(|sample| Law::Alaw.encode(sample)).collect::<Vec<u8>>()).unwrap();
        let scenario = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/sipp/early_media.xml"));
        fs::write(folder.join("early.xml"), scenario.replace("SPEECH,", &format!("{},", speech.display()))).unwrap();
        // SIPp takes the ports above its first one as well.
        let [media, ..] = [free_port(), free_port(), free_port(), free_port()];
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(folder.join("early.xml")).args(["-p", &carrier.to_string(), "-i", "127.0.0.1", "-m", "2", "-nostdin"]);
        command.args(["-mp", &media.to_string()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.current_dir(&folder).spawn().unwrap_or_else(|error| panic!("sipp must be installed: {error}"));
        Early { process, folder }
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// How much of this sound is the ringing tone: the time of its parts of 20 ms in which 425 Hz is most of what there is.
fn tone(pcm: &[i16]) -> Duration {
    let is_tone = |part: &&[i16]| {
        let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
        for (n, sample) in part.iter().enumerate() {
            let (turn, value) = (std::f64::consts::TAU * 425.0 * n as f64 / 8000.0, f64::from(*sample));
            (re, im, all) = (re + value * turn.cos(), im + value * turn.sin(), all + value * value);
        }
        let length = part.len() as f64;
        all / length > 10_000.0 && 2.0 * (re * re + im * im) / (length * all) > 0.8
    };
    Duration::from_millis(20) * pcm.chunks_exact(160).filter(is_tone).count() as u32
}

#[test]
fn an_operator_hears_the_ringing_tone_until_the_answer() {
    let carrier = free_port();
    let server = Server::start("room-tone", &city(carrier));
    let account = format!("<sip:{OUTSIDE}@127.0.0.1>;regint=0;answermode=manual;audio_codecs=PCMA/8000/1");
    let outside = Baresip::listening_at(carrier, &format!("rings-{}", server.sip.port()), &account, &chirp::pcm(FIFTH, 600));
    let (resident, operator, mut desk) = talk(&server);
    desk.brings(json!({ "type": "consult", "call": 1, "with": { "number": OUTSIDE } }), "asking");
    until("the ringing tone", || tone(&lately(&operator, Duration::from_secs(1))) >= Duration::from_millis(700));
    assert!(voices(&lately(&operator, Duration::from_millis(800))).is_empty(), "nobody is heard beside the tone");
    room("it rings", &[(&resident, Hears::Music)]);
    outside.order("accept", "");
    desk.until("the answer", |message| message["type"] == "call_state" && message["state"] == "consulting");
    room("after the answer", &[(&resident, Hears::Music), (&operator, only(&[FIFTH])), (&outside, only(&[OPERATOR]))]);
    desk.brings(json!({ "type": "end_consult", "call": 1 }), "alone");
    room("alone again", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    desk.brings(json!({ "type": "hold", "call": 1 }), "held");
    room("a hold later", &[(&resident, Hears::Music), (&operator, Hears::Silence)]);
    ends(&server, &resident);
}

#[test]
fn an_operator_hears_what_a_far_end_says_before_it_answers() {
    let carrier = free_port();
    let server = Server::start("room-early", &city(carrier));
    let _outside = Early::at(carrier, FIFTH);
    let (resident, operator, mut desk) = talk(&server);
    let heard = || voices(&lately(&operator, Duration::from_secs(1))).iter().any(|(voice, _)| *voice == FIFTH);
    desk.brings(json!({ "type": "consult", "call": 1, "with": { "number": OUTSIDE } }), "asking");
    until("sound before the answer", heard);
    room("before the answer", &[(&resident, Hears::Music), (&operator, only(&[FIFTH]))]);
    until("the question alone, for nobody has answered", || events(&server).len() == 1);
    desk.until("the answer", |message| message["type"] == "call_state" && message["state"] == "consulting");
    room("after the answer", &[(&resident, Hears::Music), (&operator, only(&[FIFTH]))]);
    desk.order(json!({ "type": "complete_consult", "call": 1 }));
    until("the talk outside", || server.rows("SELECT count(*) FROM recordings") == "2");
    room("outside", &[(&resident, only(&[FIFTH]))]);
    ends(&server, &resident);
    recorded(&server, 2, &[FIFTH]);

    desk.order(json!({ "type": "call_out", "number": OUTSIDE, "queue": null, "shown": null }));
    until("a new call at the operator's phone", || lately(&operator, Duration::from_secs(9)).len() < 8 * 8000);
    until("sound of the resident before the answer", heard);
    room("a resident who is called", &[(&operator, only(&[FIFTH]))]);
    server.rows_become("SELECT answered_ms IS NULL FROM calls WHERE id = 2", "1");
    desk.until("the answer", |message| message["type"] == "call_state" && message["call"] == 2 && message["state"] == "connected");
    room("the call out", &[(&operator, only(&[FIFTH]))]);
}
