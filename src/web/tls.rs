//! With which certificate do pages come? That of the settings' files, read again when they change, or one that is made at the start.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config;

use super::Web;

/// Whether the files have changed is looked after this often; certificates are renewed days before they end.
const LOOKED_EVERY: Duration = Duration::from_secs(30);

/// What a certificate of our own is for: this machine, as its browser calls it.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The certificate that connections from here on are made with. Those that are up keep theirs.
pub(super) struct Certificate {
    acceptor: watch::Sender<Option<TlsAcceptor>>,
    files: Mutex<Option<Files>>,
}

/// Where it comes from, and what was read there.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    read: (Vec<u8>, Vec<u8>),
}

/// A certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("web.{key} = {path:?}: {cause}; name a PEM file that this user may read")]
    Unreadable {
        /// The key of the settings.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// What is needed is not in it.
    #[error("web.{key} = {path:?} holds no {wanted}; name a PEM file with \"-----BEGIN {wanted}-----\"")]
    Empty {
        /// The key of the settings.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What should stand in it.
        wanted: &'static str,
    },
    /// Certificate and key are of no use.
    #[error("web.certificate and web.key cannot be used: {0}; name a certificate and the key that it was made for")]
    Unfit(rustls::Error),
    /// None could be made.
    #[error("web.own_certificate: none can be made ({0}); name files in web.certificate and web.key")]
    Own(String),
}

/// Whether the settings' certificate can be used.
///
/// # Errors
/// As [`TlsError`] says.
pub fn check_tls(config: &config::Web) -> Result<(), TlsError> {
    Certificate::read(config).map(drop)
}

impl Certificate {
    /// The certificate of the settings; without one connections are plain.
    pub fn read(config: &config::Web) -> Result<Certificate, TlsError> {
        let (acceptor, files) = found(config)?;
        Ok(Certificate { acceptor: watch::Sender::new(acceptor), files: Mutex::new(files) })
    }

    /// What the door needs.
    pub fn watch(&self) -> watch::Receiver<Option<TlsAcceptor>> {
        self.acceptor.subscribe()
    }

    /// Puts the certificate of other settings in force. With an error the former one stays.
    pub fn reload(&self, config: &config::Web) -> Result<(), TlsError> {
        // One of our own lives as long as the process: browsers were told to trust it.
        if config.own_certificate && self.acceptor.borrow().is_some() && self.lock().is_none() {
            return Ok(());
        }
        let (acceptor, files) = found(config)?;
        *self.lock() = files;
        self.acceptor.send_replace(acceptor);
        Ok(())
    }

    /// Looks whether the files hold something else. True where they do, and it is in force.
    fn look_again(&self) -> Result<bool, TlsError> {
        let mut files = self.lock();
        let Some(known) = files.as_mut() else { return Ok(false) };
        let read = read_both(&known.certificate, &known.key)?;
        if read == known.read {
            return Ok(false);
        }
        self.acceptor.send_replace(Some(of_files(&known.certificate, &known.key, &read)?));
        known.read = read;
        Ok(true)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Files>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the files until the server stops. One that cannot be used is told of once; the former certificate stays.
pub(super) async fn follow(web: Arc<Web>) {
    let mut healthy = true;
    let mut ticks = tokio::time::interval(LOOKED_EVERY);
    while web.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let looking = web.clone();
        match tokio::task::spawn_blocking(move || looking.certificate.look_again()).await {
            Ok(Ok(changed)) => {
                healthy = true;
                if changed {
                    tracing::info!("pages come with a new certificate");
                }
            }
            Ok(Err(error)) if std::mem::replace(&mut healthy, false) => tracing::error!("the former certificate stays in force: {error}"),
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

fn found(config: &config::Web) -> Result<(Option<TlsAcceptor>, Option<Files>), TlsError> {
    if let (Some(certificate), Some(key)) = (&config.certificate, &config.key) {
        let read = read_both(certificate, key)?;
        let acceptor = of_files(certificate, key, &read)?;
        return Ok((Some(acceptor), Some(Files { certificate: certificate.clone(), key: key.clone(), read })));
    }
    Ok((config.own_certificate.then(own).transpose()?, None))
}

fn read_both(certificate: &Path, key: &Path) -> Result<(Vec<u8>, Vec<u8>), TlsError> {
    let read =
        |key: &'static str, path: &Path| std::fs::read(path).map_err(|cause| TlsError::Unreadable { key, path: path.to_owned(), cause });
    Ok((read("certificate", certificate)?, read("key", key)?))
}

fn of_files(certificate: &Path, key: &Path, read: &(Vec<u8>, Vec<u8>)) -> Result<TlsAcceptor, TlsError> {
    let empty = |key: &'static str, path: &Path, wanted| TlsError::Empty { key, path: path.to_owned(), wanted };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read.0).collect::<Result<_, _>>().unwrap_or_default();
    if chain.is_empty() {
        return Err(empty("certificate", certificate, "CERTIFICATE"));
    }
    let secret = PrivateKeyDer::from_pem_slice(&read.1).map_err(|_| empty("key", key, "PRIVATE KEY"))?;
    acceptor(chain, secret)
}

/// A certificate that nobody has signed: for a try, or a demo.
fn own() -> Result<TlsAcceptor, TlsError> {
    let made = rcgen::generate_simple_self_signed(OWN_NAMES.map(str::to_owned)).map_err(|error| TlsError::Own(error.to_string()))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    acceptor(vec![made.cert.der().clone()], key.into())
}

fn acceptor(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<TlsAcceptor, TlsError> {
    let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let mut config = versions.and_then(|config| config.with_no_client_auth().with_single_cert(chain, key)).map_err(TlsError::Unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
