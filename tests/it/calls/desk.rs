//! How does an operator's page take part in a call? Signed in as a browser is, over the desk's socket, echoes and all.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

use super::SOON;
use super::server::Server;

/// The socket is looked at and orders are sent at least so often.
const TURN: Duration = Duration::from_millis(10);

/// An open desk. Dropping it closes the page.
pub struct Desk {
    name: String,
    orders: Sender<Value>,
    messages: Receiver<Value>,
}

impl Desk {
    /// Signs `name` in, whose account is made on the way; `role` is the word of the command line.
    pub fn open(server: &Server, name: &str, role: &str) -> Desk {
        make_account(server, name, role);
        let web = server.web();
        let mut request = format!("ws://{web}/desk").into_client_request().unwrap();
        request.headers_mut().insert("Cookie", cookie(web, name).parse().unwrap());
        request.headers_mut().insert("Origin", format!("http://{web}").parse().unwrap());
        let stream = TcpStream::connect(web).unwrap();
        let (socket, _) = tokio_tungstenite::tungstenite::client(request, stream).unwrap();
        socket.get_ref().set_read_timeout(Some(TURN)).unwrap();
        let (orders, ordered) = channel();
        let (heard, messages) = channel();
        std::thread::spawn(move || attend(socket, &ordered, &heard));
        let mut desk = Desk { name: name.to_owned(), orders, messages };
        desk.until("welcome", |message| message["type"] == "welcome");
        desk
    }

    /// The same, and the operator takes calls.
    pub fn ready(server: &Server, name: &str) -> Desk {
        let mut desk = Desk::open(server, name, "operator");
        desk.order(json!({ "type": "ready" }));
        desk.until("ready", |message| message["type"] == "state" && message["state"] == "ready");
        desk
    }

    /// Sends a wish.
    pub fn order(&self, wish: Value) {
        self.orders.send(wish).unwrap();
    }

    /// Sends a wish about a call, and waits until the page is told that the call is in this state.
    pub fn brings(&mut self, wish: Value, state: &str) {
        self.order(wish);
        self.until(state, |message| message["type"] == "call_state" && message["state"] == state);
    }

    /// Waits for a message that fits; those before it are passed over, a refusal is a failure.
    pub fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let limit = Instant::now() + SOON;
        let mut passed = Vec::new();
        loop {
            match self.messages.recv_timeout(limit.saturating_duration_since(Instant::now())) {
                Ok(message) if fits(&message) => return message,
                Ok(message) => {
                    assert!(message["type"] != "refused", "{}: {what} was refused: {message}", self.name);
                    passed.extend((message["type"] != "board").then_some(message));
                }
                Err(RecvTimeoutError::Timeout) => panic!("{}: no {what}, but {passed:?}", self.name),
                Err(RecvTimeoutError::Disconnected) => panic!("{}: the socket is closed, no {what}", self.name),
            }
        }
    }
}

/// The page: answers echoes, hands everything else on, sends what is ordered.
fn attend(mut socket: WebSocket<TcpStream>, ordered: &Receiver<Value>, heard: &Sender<Value>) {
    loop {
        match ordered.try_recv() {
            Ok(wish) => {
                if socket.send(Message::text(wish.to_string())).is_err() {
                    return;
                }
                continue;
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        match socket.read() {
            Ok(Message::Text(text)) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                let sent = match message["type"].as_str() {
                    Some("echo") => socket.send(Message::text(json!({ "type": "echo", "n": message["n"] }).to_string())).is_ok(),
                    _ => heard.send(message).is_ok(),
                };
                if !sent {
                    return;
                }
            }
            Ok(_) => {}
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

pub fn password(name: &str) -> String {
    format!("secret of {name}")
}

pub fn make_account(server: &Server, name: &str, role: &str) {
    make_account_with(server, name, role, &[]);
}

/// The same with settings of the environment.
pub fn make_account_with(server: &Server, name: &str, role: &str, environment: &[(&str, &str)]) {
    let mut command = server.own_command(&["user", "add", name, "--role", role]);
    let mut process =
        command.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    writeln!(process.stdin.take().unwrap(), "{}", password(name)).unwrap();
    let out = process.wait_with_output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

pub fn cookie(web: SocketAddrV4, name: &str) -> String {
    let body = json!({ "name": name, "password": password(name) }).to_string();
    let mut stream = TcpStream::connect(web).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let head = format!(
        "POST /api/login HTTP/1.1\r\nHost: {web}\r\nOrigin: http://{web}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    );
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let mut lines = answer.lines().filter_map(|line| line.split_once(": "));
    let cookie = lines.find(|(header, _)| header.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| value.to_owned());
    let cookie = cookie.unwrap_or_else(|| panic!("{name} is not signed in: {answer}"));
    cookie.split(';').next().unwrap().to_owned()
}
