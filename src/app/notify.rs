//! How does the service manager hear that the server is ready and alive? By datagrams to the socket that it names (sd_notify(3)).

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The way to the service manager; without one every word is lost in peace.
pub struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// As the environment says (`NOTIFY_SOCKET`, `WATCHDOG_USEC`).
    pub fn from_environment() -> Notify {
        let socket = std::env::var("NOTIFY_SOCKET").ok().filter(|path| !path.is_empty()).and_then(|path| {
            open(&path).inspect_err(|error| tracing::warn!(%error, path, "the service manager cannot be told anything")).ok()
        });
        let watchdog = std::env::var("WATCHDOG_USEC").ok().and_then(|us| us.parse().ok()).map(Duration::from_micros);
        Notify { socket, watchdog: watchdog.filter(|limit| !limit.is_zero()) }
    }

    /// How often life must be told; `None` where nobody asks for it.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog.filter(|_| self.socket.is_some()).map(|limit| limit / 2)
    }

    /// Tells one word ("READY=1"). A manager that does not listen is no fault of ours.
    pub fn tell(&self, word: &str) {
        if let Some((socket, to)) = &self.socket {
            let _ = socket.send_to_addr(word.as_bytes(), to);
        }
    }
}

/// A path, or an abstract name that begins with `@`.
fn open(path: &str) -> io::Result<(UnixDatagram, SocketAddr)> {
    let to = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name.as_bytes())?,
        None => SocketAddr::from_pathname(path)?,
    };
    Ok((UnixDatagram::unbound()?, to))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_manager_hears_by_path_and_by_abstract_name() {
        let path = std::env::temp_dir().join(format!("cityline-notify-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let name = format!("cityline-notify-{}", std::process::id());
        let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name.as_bytes()).unwrap()).unwrap();
        let by_path = UnixDatagram::bind(&path).unwrap();
        for (manager, address) in [(by_path, path.to_str().unwrap().to_owned()), (by_name, format!("@{name}"))] {
            Notify { socket: Some(open(&address).unwrap()), watchdog: None }.tell("READY=1");
            let mut heard = [0; 32];
            let length = manager.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], b"READY=1");
        }
        std::fs::remove_file(&path).unwrap();
        Notify { socket: None, watchdog: None }.tell("READY=1");
    }
}
