//! How do operators make rooms of three? Each has an open page: it asks a service while the resident waits, then takes all three together.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cityline_phone::sip::digest::Credentials;
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message, WebSocket};

use crate::window::{Phase, Window};

/// A page looks whether the run is over at least so often.
const TURN: Duration = Duration::from_secs(1);

/// Signs an operator in and attends to the page on a thread of its own until the run is over.
///
/// # Errors
/// When the server does not let the operator in.
pub fn open(web: SocketAddrV4, user: &Credentials, service: &str, window: Arc<Window>) -> Result<(), String> {
    let failed =
        |why: &dyn std::fmt::Display| format!("{} has no desk at {web}: {why}; add the account with `cityline user add`", user.user);
    let cookie = sign_in(web, user).map_err(|error| failed(&error))?.ok_or_else(|| failed(&"the password was not taken"))?;
    let mut request = format!("ws://{web}/desk").into_client_request().map_err(|error| failed(&error))?;
    for (name, value) in [("Cookie", cookie), ("Origin", format!("http://{web}"))] {
        request.headers_mut().insert(name, value.parse().map_err(|error| failed(&error))?);
    }
    let stream = TcpStream::connect(web).map_err(|error| failed(&error))?;
    let (socket, _) = tungstenite::client(request, stream).map_err(|error| failed(&error))?;
    socket.get_ref().set_read_timeout(Some(TURN)).map_err(|error| failed(&error))?;
    let service = service.to_owned();
    std::thread::spawn(move || attend(socket, &service, &window));
    Ok(())
}

/// The session's cookie; none when the server lets nobody in.
fn sign_in(web: SocketAddrV4, user: &Credentials) -> std::io::Result<Option<String>> {
    let body = json!({ "name": user.user, "password": user.password }).to_string();
    let mut stream = TcpStream::connect(web)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "POST /api/login HTTP/1.1\r\nHost: {web}\r\nOrigin: http://{web}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let mut headers = answer.lines().filter_map(|line| line.split_once(": "));
    let cookie = headers.find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    Ok(cookie.and_then(|(_, value)| value.split(';').next()).map(str::to_owned))
}

fn attend(mut socket: WebSocket<TcpStream>, service: &str, window: &Window) {
    while window.phase() != Phase::End {
        let answer = match socket.read() {
            Ok(Message::Text(text)) => serde_json::from_str(&text).ok().and_then(|message| answer_to(&message, service, window)),
            Ok(_) => None,
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(_) => return,
        };
        if answer.is_some_and(|answer| socket.send(Message::text(answer.to_string())).is_err()) {
            return;
        }
    }
}

/// What the page says to a message of the server.
fn answer_to(message: &Value, service: &str, window: &Window) -> Option<Value> {
    let call = &message["call"];
    match (message["type"].as_str()?, message["state"].as_str()) {
        ("echo", _) => Some(json!({ "type": "echo", "n": message["n"] })),
        ("call_state", Some("connected")) => Some(json!({ "type": "consult", "call": call, "with": { "service": service } })),
        ("call_state", Some("consulting")) => Some(json!({ "type": "conference", "call": call })),
        ("call_state", Some("conference")) => {
            window.rooms.fetch_add(1, Ordering::Relaxed);
            None
        }
        _ => None,
    }
}
