//! What does a PostgreSQL that stops, or answers nobody, cost in the middle of calls? No call, and no fact.

use std::time::{Duration, Instant};

use cityline_bases::Server as Postgres;
use cityline_phone::{Event, Phone, Then};

use super::SOON;
use super::cast::{calls, chirping, goes_on, short_city_with_one, talk};
use super::crash::report;
use super::server::{Place, Server, a_moment};

/// How long it lasts; `SOAK_OUTAGE_S` makes it longer.
fn outage() -> Duration {
    Duration::from_secs(std::env::var("SOAK_OUTAGE_S").map_or(6, |text| text.parse().unwrap()))
}

/// What a frozen server has begun may still have to run into its limits, and the pauses between two tries grow to ten seconds.
const CATCHES_UP: Duration = Duration::from_secs(60);

fn rows_become(postgres: &Postgres, server: &Place, select: &str, wanted: &str) {
    let limit = Instant::now() + CATCHES_UP;
    while postgres.sql("city", select) != wanted {
        assert!(Instant::now() < limit, "{select} gave {:?}, not {wanted:?}\n{}", postgres.sql("city", select), server.log());
        a_moment();
    }
}

/// Everything that happened is in the database, once.
fn facts_are_complete(postgres: &Postgres, place: &Place, calls: &str) {
    rows_become(postgres, place, "SELECT count(*) FROM calls WHERE ended_ms IS NOT NULL", calls);
    rows_become(postgres, place, "SELECT count(DISTINCT number) FROM callers", calls);
    for (select, wanted) in [
        ("SELECT count(*) FROM calls", calls),
        ("SELECT count(*) FROM calls WHERE agent = 'daniyar' AND connected_ms > 0", calls),
        ("SELECT count(*) FROM calls WHERE end_reason <> 'caller_hung_up'", "0"),
        ("SELECT count(*) FROM legs WHERE ended_ms IS NULL", "0"),
        ("SELECT count(*) FROM legs WHERE n = 0", calls),
        ("SELECT count(*) FROM queue_events", calls),
        ("SELECT count(*) FROM queue_events WHERE left_ms IS NULL", "0"),
        ("SELECT count(*) FROM recordings WHERE length_ms > 0", calls),
        ("SELECT count(*) FROM agent_states WHERE until_ms IS NULL", "1"),
    ] {
        rows_become(postgres, place, select, wanted);
    }
}

/// One talk goes on, one caller waits and is served, one comes and goes, all while the database is away.
fn an_outage_costs_nothing(name: &str, goes: fn(&Postgres), comes: fn(&Postgres)) {
    let postgres = Postgres::start();
    let address = format!("{:?}", postgres.make("city"));
    let server = Server::start_with(name, &short_city_with_one(), &[("CITYLINE_DATA__DATABASE", &address)]);
    let mut talk = talk(&server, chirping("+77010810001"), Then::Answer);
    goes(&postgres);
    goes_on(&mut talk.call, Duration::from_millis(500));
    let phone = Phone::on_loopback().unwrap();
    let mut other = calls(&server, &phone, "200", chirping("+77010810002"));
    goes_on(&mut talk.call, outage());
    talk.call.hang_up().unwrap();
    talk.call.wait_for_end(SOON).unwrap();
    let mut answered = talk.operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    other.hang_up().unwrap();
    other.wait_for_end(SOON).unwrap();
    let mut third = calls(&server, &phone, "200", chirping("+77010810003"));
    let mut answered = talk.operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    third.hang_up().unwrap();
    third.wait_for_end(SOON).unwrap();
    comes(&postgres);
    facts_are_complete(&postgres, &server, "3");
    report(&format!("| PostgreSQL {name} for {} s in mid-call | no call dropped, every fact there once |", outage().as_secs()));
}

/// The next process takes the talk up without the database, and the database learns all of it later.
#[test]
fn a_crash_while_the_database_is_away_costs_no_call_and_no_fact() {
    let postgres = Postgres::start();
    let address = format!("{:?}", postgres.make("city"));
    let environment = [("CITYLINE_DATA__DATABASE", address.as_str())];
    let server = Server::start_with("crash-away", &short_city_with_one(), &environment);
    let mut talk = talk(&server, chirping("+77010820001"), Then::Answer);
    rows_become(&postgres, &server, "SELECT count(*) FROM callers", "1");
    postgres.stop();
    let place = server.kill();
    let server = Server::start_again_with(place, &short_city_with_one(), &environment);
    goes_on(&mut talk.call, outage());
    talk.call.hang_up().unwrap();
    talk.call.wait_for_end(SOON).unwrap();
    let phone = Phone::on_loopback().unwrap();
    let mut other = calls(&server, &phone, "200", chirping("+77010820002"));
    let mut answered = talk.operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    other.hang_up().unwrap();
    other.wait_for_end(SOON).unwrap();
    postgres.start_again();
    rows_become(&postgres, &server, "SELECT count(*) FROM calls WHERE ended_ms IS NOT NULL AND end_reason = 'caller_hung_up'", "2");
    rows_become(&postgres, &server, "SELECT count(*) FROM calls", "2");
    rows_become(&postgres, &server, "SELECT count(*) FROM callers", "2");
    rows_become(&postgres, &server, "SELECT count(*) FROM legs WHERE ended_ms IS NULL", "0");
}

#[test]
fn a_postgresql_that_stops_costs_no_call_and_no_fact() {
    an_outage_costs_nothing("stopped", Postgres::stop, Postgres::start_again);
}

#[test]
fn a_postgresql_that_answers_nobody_costs_no_call_and_no_fact() {
    an_outage_costs_nothing("frozen", Postgres::freeze, Postgres::thaw);
}
