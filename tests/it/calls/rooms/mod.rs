//! Who hears whom in each room, when the phones are not ours? The city that these rooms are in, its phones, and what is kept of a call.

mod by_desk;
mod by_phone;
mod colleagues;
mod discretion;
mod early;

use std::time::Instant;

use cityline_phone::judge::chirp::{self, Voice};
use cityline_phone::media::sound::read_wav;

use super::SOON;
use super::baresip::Baresip;
use super::cast::{OPERATOR, RESIDENT, ended, short_city};
use super::desk::Desk;
use super::ears::{Hears, voices};
use super::server::{Server, a_moment};

pub use super::cast::{CENTRE_112 as COLLEAGUE, STRANGER as FOURTH};

/// Whom residents call from, and who is called outside.
pub const CALLER: &str = "+77010600001";
pub const OUTSIDE: &str = "+77010600002";

/// A second voice in the band of the first: the two are in no room together.
pub const FIFTH: Voice = Voice::new(1, 55);

/// A trace of a voice may be this far below the same voice where it is to be heard.
pub const NO_TRACE_DB: f64 = -60.0;

/// A city whose number 200 is answered by aigul, the queue `roads` by daniyar, and nothing by olena unless she is asked; numbers
/// outside are reached at `carrier`.
pub fn city(carrier: u16) -> String {
    let operators: String = [("aigul", "first", "201"), ("daniyar", "second", "202"), ("olena", "third", "203")]
        .map(|(name, skill, user)| {
            format!("[operators.{name}]\nskills = [\"{skill}\"]\nphone = {{ user = \"{user}\", password = \"secret-{user}\" }}\n")
        })
        .concat();
    format!(
        "{}[queues.roads]\nskills = [\"second\"]\nlanguage_required = false\nwrap_up_ms = 500\nannounce_every_ms = 0\n{operators}\
         [trunks.city]\nfrom = [\"127.0.0.0/8\"]\nto = \"127.0.0.1:{carrier}\"\ncheck_s = 0\n",
        short_city("").replace("skills = []", "skills = [\"first\"]")
    )
}

/// The phone of an operator, which picks up by itself.
pub fn phone(server: &Server, user: &str, voice: Voice) -> Baresip {
    let phone = Baresip::start(&format!("{user}-{}", server.sip.port()), &account(server, user), voice);
    phone.until("registration", || phone.log().contains("[1 binding]"));
    phone
}

pub fn account(server: &Server, user: &str) -> String {
    format!("<sip:{user}@{}>;auth_pass=secret-{user};answermode=auto;regint=300;audio_codecs=PCMA/8000/1", server.sip)
}

/// A resident's phone.
pub fn resident(server: &Server, voice: Voice) -> Baresip {
    let account = format!("<sip:{CALLER}@{}>;regint=0;audio_codecs=PCMA/8000/1", server.sip);
    Baresip::start(&format!("resident-{}", server.sip.port()), &account, voice)
}

/// Whoever answers at the number outside.
pub fn outside(server: &Server, carrier: u16, voice: Voice) -> Baresip {
    let account = format!("<sip:{OUTSIDE}@127.0.0.1>;regint=0;answermode=auto;audio_codecs=PCMA/8000/1");
    let speech = chirp::pcm(voice, 600);
    Baresip::listening_at(carrier, &format!("outside-{}", server.sip.port()), &account, &speech)
}

/// A resident and aigul in a talk; her desk.
pub fn talk(server: &Server) -> (Baresip, Baresip, Desk) {
    let operator = phone(server, "201", OPERATOR);
    let resident = resident(server, RESIDENT);
    let desk = begin(server, &resident);
    (resident, operator, desk)
}

/// The resident calls, and aigul, whose phone is there, takes the call.
pub fn begin(server: &Server, resident: &Baresip) -> Desk {
    let mut desk = Desk::ready(server, "aigul");
    resident.order("dial", &server.uri("200"));
    desk.until("talk", |message| message["type"] == "call_state" && message["state"] == "connected");
    desk
}

/// The resident hangs up, and all that is kept of the call is there.
pub fn ends(server: &Server, resident: &Baresip) {
    resident.order("hangup", "");
    ended(server, "id");
    let open = "SELECT count(*) FROM recordings WHERE length_ms IS NULL";
    server.rows_until(open, SOON, |rows| rows == "0");
}

/// What was done with the call, as `what leg agent name`, a line each.
pub fn events(server: &Server) -> Vec<String> {
    let rows = server.rows("SELECT what, ifnull(agent, '-'), ifnull(name, '-') FROM call_events ORDER BY position, place");
    rows.lines().map(|row| row.replace('|', " ")).collect()
}

/// Waits until exactly this was done with the call.
pub fn events_become(server: &Server, wanted: &[&str]) {
    let limit = Instant::now() + SOON;
    while events(server) != wanted && Instant::now() < limit {
        a_moment();
    }
    assert_eq!(events(server), wanted);
}

/// Who took part, and how each part ended.
pub const LEGS: &str = "SELECT n, party, ifnull(name, '-'), end_reason FROM legs ORDER BY n";

/// Recording `n` holds the resident alone on the left, and these voices and no others on the right.
pub fn recorded(server: &Server, n: u16, right: &[Voice]) -> [Vec<i16>; 2] {
    let channels = read_wav(&server.recording(1, n)).unwrap();
    let [on_left, on_right] = <[Vec<i16>; 2]>::try_from(channels).unwrap();
    let names = |pcm: &[i16]| voices(pcm).into_iter().filter(|(_, count)| *count >= 4).map(|(voice, _)| voice).collect::<Vec<_>>();
    assert_eq!(names(&on_left), [RESIDENT], "left of recording {n}: {:?}", voices(&on_left));
    assert_eq!(names(&on_right), right, "right of recording {n}: {:?}", voices(&on_right));
    assert_eq!(voices(&on_left).len(), 1, "nobody else is on the left of recording {n}: {:?}", voices(&on_left));
    [on_left, on_right]
}

pub const fn only(voices: &[Voice]) -> Hears<'_> {
    Hears::Voices(voices)
}
