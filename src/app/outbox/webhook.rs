//! How is a message posted to an organisation's own system? One HTTP/1.1 POST a message, signed by the organisation's secret.
//!
//! `Cityline-Signature: sha256=HEX` is the HMAC-SHA-256 (RFC 2104) of the body by the secret: the SHA-256 of the organisation's key, in
//! lower-case hexadecimal digits. Without a key there is no signature. `Cityline-Message: N` is the message's number,
//! the same at every try. Any 2xx takes it; whatever else is tried again.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::store::Message;

/// The longest first line of an answer that is read, in bytes.
const LONGEST_LINE: u64 = 1_024;
/// The certificates that the system trusts, where the settings name no others.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

/// An address that is posted to.
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    secure: bool,
    host: &'a str,
    port: u16,
    path: &'a str,
}

/// Posts a message and waits for the answer's status.
///
/// # Errors
/// When the address cannot be read or reached, or the answer is none of 2xx.
pub async fn post(address: &str, secret: &str, message: &Message, trusted: Option<&Path>) -> anyhow::Result<()> {
    let to = Address::read(address)?;
    let body = body(message);
    let request = request(&to, &body, secret, message);
    let stream = TcpStream::connect((to.host, to.port)).await.with_context(|| format!("{} cannot be reached", to.host))?;
    let status = if to.secure {
        let name = ServerName::try_from(to.host.to_owned()).context("the webhook's host is no name")?;
        exchange(connector(trusted)?.connect(name, stream).await.context("TLS")?, &request).await?
    } else {
        exchange(stream, &request).await?
    };
    ensure!((200..300).contains(&status), "the webhook answered {status}");
    Ok(())
}

/// The message with what it is about, as one JSON object.
fn body(message: &Message) -> String {
    let event: serde_json::Value = serde_json::from_str(&message.body).unwrap_or_default();
    serde_json::json!({ "message": message.id, "about": message.subject, "kind": message.kind, "event": event }).to_string()
}

fn request(to: &Address<'_>, body: &str, secret: &str, message: &Message) -> Vec<u8> {
    let signed = if secret.is_empty() { String::new() } else { format!("Cityline-Signature: sha256={}\r\n", signature(secret, body)) };
    format!(
        "POST {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: Cityline\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Cityline-Message: {}\r\n{}Connection: close\r\n\r\n{body}",
        to.path,
        to.host,
        to.port,
        body.len(),
        message.id,
        signed,
    )
    .into_bytes()
}

fn signature(secret: &str, body: &str) -> String {
    // A key of any length is a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> anyhow::Result<u16> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_LINE)).read_line(&mut line).await?;
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)).and_then(|status| status.trim().parse().ok());
    status.context("the answer is not HTTP/1.1")
}

fn connector(trusted: Option<&Path>) -> anyhow::Result<TlsConnector> {
    let file = trusted.unwrap_or(Path::new(SYSTEM));
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file)
        .with_context(|| format!("outbox.trusted: {} cannot be read; name a PEM file of the certificates to trust", file.display()))?;
    // A certificate of the system's list that cannot be read is one that nobody is trusted by.
    roots.add_parsable_certificates(certificates.filter_map(Result::ok));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

impl<'a> Address<'a> {
    fn read(address: &'a str) -> anyhow::Result<Self> {
        let (secure, rest) = match address.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => bail!("the webhook's address does not begin with https:// or http://"),
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().context("the webhook's port is no number")?),
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
        ensure!(plain(host) && path.bytes().all(|byte| byte.is_ascii_graphic()), "the webhook's address cannot be read");
        Ok(Self { secure, host, port, path })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message() -> Message {
        let body = r#"{"what":"escalated"}"#.to_owned();
        Message {
            id: 7,
            subject: "109-2026-000001".into(),
            receiver: "organisation:heat".into(),
            kind: "forwarded:2".into(),
            body,
            tries: 0,
        }
    }

    #[test]
    fn addresses_are_read_or_refused() {
        let read = |address: &'static str| Address::read(address).ok().map(|to| (to.secure, to.host, to.port, to.path));
        assert_eq!(read("https://heat.example/hook?a=1"), Some((true, "heat.example", 443, "/hook?a=1")));
        assert_eq!(read("http://127.0.0.1:8080"), Some((false, "127.0.0.1", 8080, "/")));
        assert_eq!(read("http://[::1]:81/x"), Some((false, "::1", 81, "/x")));
        for wrong in ["", "ftp://x", "http://", "http://a b/", "http://user@host/", "http://x/\r\nEvil: 1", "http://x:port/"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    /// RFC 4231 §4.3.
    #[test]
    fn the_signature_is_hmac_sha_256() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", "what do ya want for nothing?"), expected);
    }

    fn is_whole(said: &str) -> bool {
        let Some((head, body)) = said.split_once("\r\n\r\n") else { return false };
        head.contains(&format!("Content-Length: {}\r\n", body.len()))
    }

    #[tokio::test]
    async fn a_message_is_posted_whole_and_only_2xx_takes_it() {
        for (answer, taken) in
            [("HTTP/1.1 204 No Content\r\n\r\n", true), ("HTTP/1.1 500 Oh\r\n\r\n", false), ("SIP/2.0 200 OK\r\n\r\n", false)]
        {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}/cases", listener.local_addr().unwrap());
            let heard = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut said = Vec::new();
                while !is_whole(&String::from_utf8_lossy(&said)) && stream.read_buf(&mut said).await.unwrap() > 0 {}
                stream.write_all(answer.as_bytes()).await.unwrap();
                String::from_utf8(said).unwrap()
            });
            assert_eq!(post(&address, "key", &message(), None).await.is_ok(), taken, "{answer}");
            let heard = heard.await.unwrap();
            let (head, sent) = heard.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("POST /cases HTTP/1.1") && head.contains("Cityline-Message: 7"), "{head}");
            assert!(head.contains(&format!("sha256={}", signature("key", sent))), "{head}");
        }
    }
}
