//! Who calls and who answers? Residents and operators with voices of their own, and the settings that they meet under.

use std::time::Duration;

use cityline_phone::judge::chirp::Voice;
use cityline_phone::line::Record;
use cityline_phone::phone::{Call, PhoneError};
use cityline_phone::{AnswerOptions, Behaviour, CallOptions, Event, Phone, Sound, Then};

use super::SOON;
use super::server::{Place, Server};

pub const RESIDENT: Voice = Voice::new(0, 7);
pub const OPERATOR: Voice = Voice::new(1, 9);
pub const CENTRE_112: Voice = Voice::new(2, 112);
pub const STRANGER: Voice = Voice::new(3, 66);

/// The embedded city with one operator, who works without a desk.
pub const ONE_OPERATOR: &str = "[operators.daniyar]\nskills = [\"kk\", \"ru\", \"heating\"]\nready_when_registered = true\n\
    phone = { user = \"202\", password = \"secret-202\" }\n";

/// A short city: number 200 leads straight to the queue `general`, 300 counts keys. `rules` are further rules of the queue.
pub fn short_city(rules: &str) -> String {
    let plans = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/plans");
    format!(
        "dialplans = [\"{plans}/straight.toml\", \"{plans}/keys.toml\"]\n[queues.general]\nskills = []\nlanguage_required = false\n\
         wrap_up_ms = 500\nannounce_every_ms = 0\n{rules}\n"
    )
}

/// Operators without a desk, by name and phone.
pub fn operators(who: &[(&str, &str)]) -> String {
    let one = |(name, user): &(&str, &str)| {
        format!(
            "[operators.{name}]\nskills = [\"kk\", \"ru\"]\nready_when_registered = true\n\
             phone = {{ user = \"{user}\", password = \"secret-{user}\" }}\n"
        )
    };
    who.iter().map(one).collect()
}

/// The short city with one operator, daniyar, at phone 202.
pub fn short_city_with_one() -> String {
    short_city("") + &operators(&[("daniyar", "202")])
}

/// Rings for a moment, then this; an answer speaks in chirps.
pub fn rings(ring_ms: u64, then: Then, voice: Voice) -> Behaviour {
    let answer = AnswerOptions { sound: Sound::Chirps(voice), ..AnswerOptions::default() };
    Behaviour { ring_for: Duration::from_millis(ring_ms), then, answer }
}

/// An operator's phone that is registered.
pub fn phone_of(server: &Server, user: &str, behaviour: Behaviour) -> Phone {
    let phone = Phone::on_loopback().unwrap();
    phone.on_call(behaviour).unwrap();
    phone.register(user, &format!("secret-{user}"), server.sip, Duration::from_secs(300)).unwrap();
    phone
}

/// Waits until an operator is in this state.
pub fn until_operator_is(place: &Place, agent: &str, state: &str, limit: Duration) {
    let select = format!("SELECT state FROM agent_states WHERE agent = '{agent}' AND until_ms IS NULL");
    place.rows_until(&select, limit, |rows| rows == state);
}

/// How a resident who speaks in chirps calls.
pub fn chirping(from: &str) -> CallOptions {
    CallOptions { from: from.to_owned(), sound: Sound::Chirps(RESIDENT), ..CallOptions::default() }
}

/// A resident's call that is answered.
pub fn calls(server: &Server, phone: &Phone, number: &str, options: CallOptions) -> Call {
    let mut call = phone.call(&server.uri(number), options).unwrap();
    call.wait_for(Event::Answered, SOON).unwrap();
    call
}

/// Lets a call go on for so long; it must not end meanwhile.
pub fn goes_on(call: &mut Call, time: Duration) {
    let ended = call.wait_until("the end of the call", time, Event::is_last);
    assert!(matches!(ended, Err(PhoneError::NotInTime { .. })), "{ended:?}");
}

/// What a call that has been hung up leaves behind.
pub fn record(call: &mut Call) -> Record {
    call.wait_for_end(SOON).unwrap();
    call.record().unwrap()
}

/// A resident and an operator who are talking.
pub struct Talk {
    pub resident: Phone,
    pub operator: Phone,
    pub call: Call,
    pub answered: Call,
}

/// Number 200, where operator 202 answers; both hear each other.
pub fn talk(server: &Server, options: CallOptions, then: Then) -> Talk {
    let operator = phone_of(server, "202", rings(100, then, OPERATOR));
    let resident = Phone::on_loopback().unwrap();
    let call = calls(server, &resident, "200", options);
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::Confirmed, SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    Talk { resident, operator, call, answered }
}

/// The row of the call that has ended.
pub fn ended(place: &Place, columns: &str) -> String {
    place.rows_until(&format!("SELECT {columns} FROM calls WHERE ended_ms IS NOT NULL"), SOON, |rows| !rows.is_empty())
}
