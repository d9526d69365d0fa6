//! With which certificate do we speak, and whose do we believe? The files of the settings become what TLS needs (RFC 3261 §26.3, RFC 5922).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::config;

/// What connections are secured with. Connections that are up keep what they were made with.
#[derive(Clone, Default)]
pub struct Tls {
    /// For those that come in; none without a certificate.
    pub server: Option<TlsAcceptor>,
    /// For those that we make; none without anybody to trust.
    pub client: Option<TlsConnector>,
}

/// A file that TLS needs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be read.
    #[error("sip.{key} = {path:?}: {cause}; name a PEM file that this user may read")]
    Unreadable {
        /// The key of the settings.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// What is needed is not in it.
    #[error("sip.{key} = {path:?} holds no {wanted}; name a PEM file with \"-----BEGIN {wanted}-----\"")]
    Empty {
        /// The key of the settings.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What should stand in it.
        wanted: &'static str,
    },
    /// The certificate or its key is of no use.
    #[error("sip.certificate and sip.key cannot be used: {0}; name a certificate and the key that it was made for")]
    Unfit(rustls::Error),
    /// A certificate of those that are trusted is of no use.
    #[error("sip.trusted = {path:?}: {cause}; name a PEM file of X.509 certificates")]
    Untrustworthy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: rustls::Error,
    },
}

impl Tls {
    /// Reads the files of the settings; what they do not name is not there.
    pub fn read(config: &config::Sip) -> Result<Tls, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let server = match (&config.certificate, &config.key) {
            (Some(certificate), Some(key)) => Some(server(certificate, key, provider.clone())?),
            _ => None,
        };
        let client = config.trusted.as_deref().map(|path| client(path, provider)).transpose()?;
        Ok(Tls { server, client })
    }
}

fn server(certificate: &Path, key: &Path, provider: Arc<CryptoProvider>) -> Result<TlsAcceptor, TlsError> {
    let chain = certificates("certificate", certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read("key", key)?).map_err(|_| empty("key", key, "PRIVATE KEY"))?;
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
    Ok(TlsAcceptor::from(Arc::new(config.map_err(TlsError::Unfit)?)))
}

fn client(trusted: &Path, provider: Arc<CryptoProvider>) -> Result<TlsConnector, TlsError> {
    let untrustworthy = |cause| TlsError::Untrustworthy { path: trusted.to_owned(), cause };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("trusted", trusted)? {
        roots.add(certificate).map_err(untrustworthy)?;
    }
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.map_err(untrustworthy)?.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(key, path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap_or_default();
    if found.is_empty() { Err(empty(key, path, "CERTIFICATE")) } else { Ok(found) }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|cause| TlsError::Unreadable { key, path: path.to_owned(), cause })
}

fn empty(key: &'static str, path: &Path, wanted: &'static str) -> TlsError {
    TlsError::Empty { key, path: path.to_owned(), wanted }
}
