//! How does a supervisor ask the server, as their page does?

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::SOON;
use super::desk::{cookie, make_account};
use super::server::Server;

/// A supervisor's page, as far as it asks.
pub struct Supervisor<'s> {
    server: &'s Server,
    cookie: String,
}

impl<'s> Supervisor<'s> {
    /// A new account, signed in.
    pub fn of(server: &'s Server) -> Self {
        make_account(server, "dana", "supervisor");
        Self { server, cookie: cookie(server.web(), "dana") }
    }

    /// The answer's status and body.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (web, body) = (self.server.web(), body.to_string());
        let mut stream = TcpStream::connect(web).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {web}\r\nOrigin: http://{web}\r\nCookie: {}\r\nConnection: close\r\n", self.cookie);
        write!(stream, "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Asks for what must be done.
    pub fn does(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }
}
