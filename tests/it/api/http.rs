//! A small HTTP/1.1 client for tests: one request a connection.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The session's cookie, as it is sent back.
    pub fn cookie(&self) -> Option<String> {
        Some(self.header("set-cookie")?.split(';').next()?.to_owned())
    }
}

/// Sends one request; `headers` are whole lines.
pub async fn request(to: SocketAddr, method: &str, path: &str, headers: &[String], body: Option<&str>) -> Answer {
    exchange(TcpStream::connect(to).await.unwrap(), to, method, path, headers, body).await
}

/// The same over a connection that is there, whatever it is made of.
pub async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[String],
    body: Option<&str>,
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if let Some(body) = body {
        text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or_default());
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    // A stream that never ends (server-sent events) is judged by its beginning.
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(Ok(length)) = tokio::time::timeout(std::time::Duration::from_secs(10), stream.read(&mut chunk)).await {
        if length == 0 {
            break;
        }
        received.extend_from_slice(&chunk[..length]);
        if received.windows(25).any(|part| part == b"content-type: text/event-") && received.windows(5).any(|part| part == b"data:") {
            break;
        }
    }
    parse(&received)
}

fn parse(received: &[u8]) -> Answer {
    let end = received.windows(4).position(|part| part == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let (first, headers) = head.split_once("\r\n").unwrap();
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, headers: headers.to_owned(), body: received[end + 4..].to_vec() }
}
