//! Do forty callers without heating become one incident, which the forty-first is told of in their language, and everybody once when it is fixed?

use std::time::Duration;

use cityline_phone::judge::prompt::recognise;
use cityline_phone::media::sound::read_wav;
use cityline_phone::phone::Call;
use cityline_phone::{Event, Phone, Side};
use serde_json::{Value, json};

use super::cast::{ONE_OPERATOR, calls, chirping, goes_on, record};
use super::server::{Server, prompt};
use super::supervisor::Supervisor;
use super::{SOON, likeness};

/// The longest greeting and question are over by then.
const SPOKEN: Duration = Duration::from_secs(60);
const REPORTS: usize = 40;

/// Forty calls from forty numbers, and the case that a supervisor writes in each.
fn forty_report(server: &Server, supervisor: &Supervisor<'_>) {
    let phone = Phone::on_loopback().unwrap();
    for n in 0..REPORTS {
        let mut call = calls(server, &phone, "109", chirping(&number(n)));
        call.hang_up().unwrap();
        call.wait_for_end(SOON).unwrap();
    }
    server.rows_until("SELECT count(*) FROM calls WHERE ended_ms IS NOT NULL", SOON, |rows| rows == REPORTS.to_string());
    for call in 1..=REPORTS {
        let place = json!({ "district": "north" });
        let case = json!({ "call": call, "topic": "heating/no-heating", "text": "cold", "draft": format!("form-{call}"), "place": place });
        supervisor.does("POST", "/api/cases", &case);
    }
}

fn number(n: usize) -> String {
    format!("+7701200{n:04}")
}

fn notice() -> Value {
    json!({
        "kk": "Солтүстік ауданда жылу жоқ. Жөндеу жұмыстары кешке аяқталады.",
        "ru": "В Северном районе нет отопления. Ремонт закончат вечером.",
        "uk": "У Північному районі немає опалення. Ремонт закінчать увечері.",
        "en": "There is no heating in the northern district. It will be repaired by the evening.",
    })
}

/// The notice as the server has spoken it, in a language.
fn spoken(server: &Server, language: &str) -> Vec<i16> {
    let file = server.folder.join("var/notices").join(language).join("notice-1-1.wav");
    read_wav(&file).unwrap().swap_remove(0)
}

fn in_step(server: &Server, call: usize, step: &str) {
    let select = format!("SELECT count(*) FROM steps WHERE call_id = {call} AND step = '{step}' AND key IS NULL");
    server.rows_until(&select, SPOKEN, |rows| rows != "0");
}

/// Walks the plan by two keys to the queue step, and listens until everything was said.
fn listens(server: &Server, call: &mut Call, id: usize, keys: [&str; 2], step: &str, language: &str) {
    in_step(server, id, "language");
    call.press(keys[0]).unwrap();
    in_step(server, id, "topics");
    call.press(keys[1]).unwrap();
    in_step(server, id, step);
    let samples = spoken(server, language).len() + prompt(language, "notice-press-one").len();
    // The projection is some moments late: by then all was said, and the second of the three seconds to decide has begun.
    goes_on(call, Duration::from_millis(samples as u64 / 8 + 500));
}

#[test]
fn forty_reports_are_one_incident_told_to_the_next_callers_and_its_end_to_everybody_once() {
    let server = Server::start("incident", ONE_OPERATOR);
    let supervisor = Supervisor::of(&server);
    forty_report(&server, &supervisor);
    server.rows_until("SELECT n, state, cases FROM incidents", SOON, |rows| rows == "1|proposed|40");
    let confirm = json!({ "do": "confirm", "notice": notice() });
    assert_eq!(supervisor.does("POST", "/api/incidents/1/act", &confirm)["state"], "confirmed");
    server.rows_until("SELECT count(*) FROM incident_cases WHERE linked", SOON, |rows| rows == "40");
    server.until_logged(&["callers are told of other incidents"]);

    let phone = Phone::on_loopback().unwrap();
    let mut stranger = calls(&server, &phone, "109", chirping("+77013334455"));
    listens(&server, &mut stranger, REPORTS + 1, ["2", "1"], "heating-queue", "ru");
    stranger.press("1").unwrap();
    assert_eq!(stranger.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    let mut pcm = record(&mut stranger).heard.timeline().pcm;
    // The BYE may overtake the last packets of the thanks: they are looked for with a tenth of a second missing.
    pcm.resize(pcm.len() + 800, 0);
    let [own, other] = ["ru", "kk"].map(|language| recognise(&spoken(&server, language), &pcm));
    let (own, other) = (own.map_or(0.0, |found| found.score()), other.map_or(0.0, |found| found.whole));
    assert!(own >= 0.9 && other < 0.3, "the notice in Russian was recognised with {own}, in Kazakh with {other}");
    let [press_one, thanks] = ["notice-press-one", "notice-subscribed"].map(|id| likeness("ru", id, &pcm));
    assert!(press_one >= 0.8 && thanks >= 0.8, "\"press one\" was recognised with {press_one}, the thanks with {thanks}");
    println!("notice {own:.3}, \"press one\" {press_one:.3}, thanks {thanks:.3}");
    server.rows_until("SELECT count(*) FROM subscriptions", SOON, |rows| rows == "1");

    // One of the forty asks for something else: their district is known, so they are told whatever they chose, and wait then.
    let mut known = calls(&server, &phone, "109", chirping(&number(7)));
    listens(&server, &mut known, REPORTS + 2, ["3", "6"], "general-queue", "en");
    server.rows_until("SELECT queue FROM queue_events WHERE call_id = 42", SOON, |rows| rows == "general");
    known.hang_up().unwrap();
    let pcm = record(&mut known).heard.timeline().pcm;
    let own = recognise(&spoken(&server, "en"), &pcm).map_or(0.0, |found| found.score());
    assert!(own >= 0.9, "the notice in English was recognised with {own}");
    let told = "SELECT call_id, what, name FROM call_events WHERE party = 'notice' ORDER BY call_id, what";
    server.rows_until(told, SOON, |rows| rows == "41|notice_told|1\n41|subscribed|1\n42|notice_told|1");

    let fix = json!({ "do": "fix", "words": "a main had burst" });
    assert_eq!(supervisor.does("POST", "/api/incidents/1/act", &fix)["state"], "fixed");
    assert_eq!(supervisor.ask("POST", "/api/incidents/1/act", &fix).0, 409, "it is fixed once");
    let owed = supervisor.does("GET", "/api/calls-to-make", &Value::Null);
    let mut numbers: Vec<&str> = owed.as_array().unwrap().iter().map(|call| call["number"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((owed.as_array().unwrap().len(), numbers.len()), (REPORTS + 1, REPORTS + 1), "everybody once");
    let russian = owed.as_array().unwrap().iter().find(|call| call["number"] == "+77013334455").unwrap();
    assert!(russian["text"].as_str().unwrap().contains("«Отопление»"), "{russian}");

    // Who calls after that hears nothing of it.
    let log = server.log();
    assert!(log.matches("callers are told of other incidents").count() >= 1);
    let limit = std::time::Instant::now() + SOON;
    while server.log().matches("callers are told of other incidents").count() < 2 {
        assert!(std::time::Instant::now() < limit, "the notice is not taken back:\n{}", server.log());
        super::server::a_moment();
    }
    assert!(server.own_command(&["verify"]).output().unwrap().status.success(), "the history is whole");
}
