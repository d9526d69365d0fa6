//! Is a case lost, doubled or a number skipped when fifty write at once and the process is killed in between?

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::sync::Mutex;
use std::time::Instant;

use cityline_bases::Server as Postgres;
use serde_json::{Value, json};

use super::SOON;
use super::cast::short_city_with_one;
use super::desk::{cookie, make_account_with};
use super::server::{Server, a_moment};

const WRITERS: usize = 50;
const EACH: usize = 4;
/// The process is killed after so many cases were acknowledged.
const KILLED_AFTER: [usize; 3] = [20, 70, 130];

/// Sends a case; `None` where the server died, or has not come back.
fn sent(web: SocketAddrV4, cookie: &str, draft: &str) -> Option<String> {
    let body = json!({ "service": "109", "topic": "heating", "text": "cold", "draft": draft }).to_string();
    let mut stream = TcpStream::connect(web).ok()?;
    stream.set_read_timeout(Some(SOON)).ok()?;
    let head =
        format!("POST /api/cases HTTP/1.1\r\nHost: {web}\r\nCookie: {cookie}\r\nConnection: close\r\nContent-Type: application/json\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    // Too busy for a moment is an answer too; anything else that is no 201 is a fault.
    if head.starts_with("HTTP/1.1 503") {
        return None;
    }
    assert!(head.starts_with("HTTP/1.1 201"), "{answer}");
    let case: Value = serde_json::from_str(body).ok()?;
    Some(case["number"].as_str()?.to_owned())
}

/// One writer: the same draft again and again until its number is there.
fn writes(web: SocketAddrV4, cookie: &str, writer: usize, numbers: &Mutex<Vec<(String, String)>>) {
    for form in 0..EACH {
        let draft = format!("{writer}-{form}");
        let limit = Instant::now() + SOON * 6;
        let number = loop {
            if let Some(number) = sent(web, cookie, &draft) {
                break number;
            }
            assert!(Instant::now() < limit, "{draft} was never written");
            a_moment();
        };
        numbers.lock().unwrap().push((draft, number));
    }
}

fn kills_cost_no_case_and_no_number(name: &str, environment: &[(&str, &str)]) {
    let server = Server::start_with(name, &short_city_with_one(), environment);
    make_account_with(&server, "boss", "supervisor", environment);
    let (web, numbers) = (server.web(), Mutex::new(Vec::new()));
    let cookie = cookie(web, "boss");
    let server = std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (cookie, numbers) = (&cookie, &numbers);
            scope.spawn(move || writes(web, cookie, writer, numbers));
        }
        KILLED_AFTER.into_iter().fold(server, |server, acknowledged| {
            while numbers.lock().unwrap().len() < acknowledged {
                a_moment();
            }
            Server::start_again_with(server.kill(), &short_city_with_one(), environment)
        })
    });
    let numbers: BTreeSet<String> = numbers.into_inner().unwrap().into_iter().map(|(_, number)| number).collect();
    let year = numbers.first().unwrap().split('-').nth(1).unwrap().to_owned();
    let expected: BTreeSet<String> = (1..=WRITERS * EACH).map(|n| format!("109-{year}-{n:06}")).collect();
    assert_eq!(numbers, expected, "a number for each form, and none left out");
    let place = server.terminate();
    let seals = place.folder.join("var/seals.txt");
    let mut verify = place.own_command(&["verify", "--seal"]);
    let out = verify.arg(&seals).envs(environment.iter().copied()).output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && told.contains(&format!("{} cases", WRITERS * EACH)), "{told}{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn kills_cost_no_case_and_no_number_on_sqlite() {
    kills_cost_no_case_and_no_number("register-kill", &[]);
}

#[test]
fn kills_cost_no_case_and_no_number_on_postgresql() {
    let postgres = Postgres::start();
    let address = format!("{:?}", postgres.make("city"));
    kills_cost_no_case_and_no_number("register-kill-pg", &[("CITYLINE_DATA__DATABASE", address.as_str())]);
}
