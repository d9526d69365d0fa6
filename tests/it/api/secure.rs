//! Do pages come over TLS where a certificate is named, and does a slow handshake hold up nobody?

use std::net::SocketAddr;
use std::sync::Arc;

use cityline::config;
use cityline::store::Role;
use cityline_bases::{Base, Kind};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::city::{City, LIMIT, migrate};
use super::http::exchange;
use crate::certificates::Certificates;

/// A client that believes this authority alone.
async fn connect(certificates: &Certificates, to: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificates.path("ca.pem")).unwrap()).unwrap();
    let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let config = versions.unwrap().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(to).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await
}

async fn secure(certificates: &Certificates) -> City {
    let files = |config: &mut config::Web| {
        (config.certificate, config.key) = (Some(certificates.path("server.pem")), Some(certificates.path("server.key")));
    };
    City::start_as(|folder| Base::migrated(Kind::Sqlite, folder, migrate), files).await
}

#[tokio::test]
async fn tls_and_this_machines_plain_requests_come_in_at_one_port() {
    let certificates = Certificates::new("web");
    let city = secure(&certificates).await;
    city.account("supervisor", Role::Supervisor).await;
    let typed = json!({ "name": "supervisor", "password": "secret-supervisor" }).to_string();
    let stream = connect(&certificates, city.address).await.unwrap();
    let sealed = exchange(stream, city.address, "POST", "/api/login", &[], Some(&typed)).await;
    assert_eq!(sealed.status, 200);
    assert!(sealed.header("set-cookie").unwrap().ends_with("; Secure"), "{:?}", sealed.header("set-cookie"));
    assert_eq!(sealed.header("strict-transport-security"), Some("max-age=31536000"));
    let cookie = [format!("Cookie: {}", sealed.cookie().unwrap()), format!("Origin: https://{}", city.address)];
    let stream = connect(&certificates, city.address).await.unwrap();
    assert_eq!(exchange(stream, city.address, "POST", "/api/logout", &cookie, Some("{}")).await.status, 204, "https is our own origin");
    let plain = city.login("supervisor", "secret-supervisor").await;
    assert!(plain.status == 200 && !plain.header("set-cookie").unwrap().contains("Secure"));
    assert_eq!(plain.header("strict-transport-security"), None);
    city.stop().await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_holds_up_nobody() {
    let certificates = Certificates::new("slow");
    let city = secure(&certificates).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(city.address).await.unwrap();
        // The head of a TLS record, whose body never comes.
        stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00]).await.unwrap();
        slow.push(stream);
    }
    let asked = async {
        let stream = connect(&certificates, city.address).await.unwrap();
        exchange(stream, city.address, "GET", "/api/welcome", &[], None).await
    };
    assert_eq!(tokio::time::timeout(LIMIT, asked).await.expect("an answer").status, 200);
    let mut broken = TcpStream::connect(city.address).await.unwrap();
    broken.write_all(&[&[0x16, 0x03, 0x01, 0x00, 0x05][..], b"hello"].concat()).await.unwrap();
    let mut said = Vec::new();
    let closed = tokio::time::timeout(LIMIT, broken.read_to_end(&mut said)).await.expect("it is closed");
    assert!(closed.is_err() || said.len() < 64, "an alert at most: {said:?}");
    drop(slow);
    city.stop().await;
}

#[tokio::test]
async fn another_certificate_is_taken_and_a_broken_one_is_not() {
    let certificates = Certificates::new("renewed");
    let city = secure(&certificates).await;
    let config = config::Web {
        listen: city.address,
        breaks: Vec::new(),
        session_s: 600,
        certificate: Some(certificates.path("server.pem")),
        key: Some(certificates.path("server.key")),
        own_certificate: false,
    };
    let shown = async || {
        let stream = connect(&certificates, city.address).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    };
    let first = shown().await;
    certificates.sign("renewed");
    std::fs::copy(certificates.path("renewed.pem"), certificates.path("server.pem")).unwrap();
    let told = city.shell.reload_tls(&config).unwrap_err().to_string();
    assert!(told.contains("web.certificate and web.key cannot be used"), "{told}");
    assert_eq!(shown().await, first, "the key was another's: the former certificate stays");
    std::fs::copy(certificates.path("renewed.key"), certificates.path("server.key")).unwrap();
    city.shell.reload_tls(&config).unwrap();
    assert_ne!(shown().await, first);
    city.stop().await;
}

#[tokio::test]
async fn a_certificate_of_our_own_is_made_where_it_is_asked_for() {
    let base = |folder: &std::path::Path| Base::migrated(Kind::Sqlite, folder, migrate);
    let city = City::start_as(base, |config| config.own_certificate = true).await;
    let certificates = Certificates::new("own");
    let refused = connect(&certificates, city.address).await.unwrap_err().to_string();
    assert!(refused.contains("certificate"), "nobody believes it, but it is shown: {refused}");
    assert_eq!(city.ask("GET", "/api/welcome", &[], None).await.status, 200);
    city.stop().await;
}
