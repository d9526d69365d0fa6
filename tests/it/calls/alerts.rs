//! Does a limit that real calls pass reach whoever is to hear of it, once when it is raised and once when it ends?

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use cityline_phone::{CallOptions, Event, Phone};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::SOON;
use super::cast::{calls, short_city};
use super::server::Server;

const SECRET: &str = "of the city's duty officer";

/// What is posted: the head, and the body.
type Posted = (String, String);

/// Somebody's own system, which takes whatever is posted to it until the test ends.
fn duty_officer() -> (u16, Receiver<Posted>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, posted) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut said = Vec::new();
            let mut more = [0; 4_096];
            let whole = loop {
                let text = String::from_utf8_lossy(&said).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n")
                    && head.contains(&format!("Content-Length: {}\r\n", body.len()))
                {
                    break (head.to_owned(), body.to_owned());
                }
                match stream.read(&mut more) {
                    Ok(count) if count > 0 => said.extend(&more[..count]),
                    _ => return,
                }
            };
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            if told.send(whole).is_err() {
                return;
            }
        }
    });
    (port, posted)
}

fn signature(body: &str) -> String {
    let mut of = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    of.update(body.as_bytes());
    of.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The next thing that is told: whether it is raised or ended, and the alert.
fn next(posted: &Receiver<Posted>) -> (String, Value) {
    let (head, body) = posted.recv_timeout(SOON).expect("a message about an alert");
    assert!(head.contains(&format!("Cityline-Signature: sha256={}", signature(&body))), "{head}");
    let message: Value = serde_json::from_str(&body).unwrap();
    (message["event"]["what"].as_str().unwrap().to_owned(), message["event"]["alert"].clone())
}

#[test]
fn a_caller_who_waits_raises_an_alert_that_ends_with_the_wait() {
    let (port, posted) = duty_officer();
    let settings = format!(
        "{}\n[[alerts]]\nkind = \"waiting\"\nqueue = \"general\"\nabove = 0\nfor_s = 1\ncalm_s = 1\n\
         [outbox]\nalerts_webhook = \"http://127.0.0.1:{port}/alerts\"\nalerts_secret = \"{SECRET}\"\n",
        short_city("")
    );
    let server = Server::start("alerts", &settings);
    let phone = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &phone, "200", CallOptions { from: "+77010200002".into(), ..CallOptions::default() });
    call.wait_for(Event::FirstSound, SOON).unwrap();
    let (what, raised) = next(&posted);
    assert_eq!(what, "raised", "{raised}");
    assert_eq!((&raised["kind"], &raised["queue"], &raised["value"]), (&"waiting".into(), &"general".into(), &1.into()));
    assert!(raised["ended_ms"].is_null(), "{raised}");
    call.hang_up().unwrap();
    call.wait_for_end(SOON).unwrap();
    let (what, ended) = next(&posted);
    assert_eq!((what.as_str(), &ended["id"]), ("ended", &raised["id"]));
    assert!(ended["ended_ms"].as_u64() > raised["raised_ms"].as_u64(), "{ended}");
    assert!(!raised.to_string().contains("77010200002"), "no caller is named: {raised}");
    let counted = server.get("/metrics").unwrap().1;
    assert!(counted.contains("cityline_alerts_total{what=\"raised\"} 1") && counted.contains("cityline_alerts_total{what=\"ended\"} 1"));
    let inputs = counted.lines().find_map(|line| line.strip_prefix("cityline_core_inputs_total ")).unwrap();
    assert!(inputs.parse::<u64>().unwrap() > 0, "what the core costs is told");
}
