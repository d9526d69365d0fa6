//! Which session description does a reference of the core stand for? The one thing that `sip` and `media` share.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::centre::ids::SdpRef;

/// Descriptions kept at most; each is taken within milliseconds, so an older one than this many was forgotten by its taker.
const KEPT: usize = 20_000;

/// A description, and from which address its message came; `None` for one of our own.
pub type Sourced = (String, Option<IpAddr>);

/// Makes a secure offer of a plain one.
type Securing = Box<dyn FnOnce(&str) -> String + Send>;

/// What the book holds of a description.
struct Entry {
    text: String,
    source: Option<IpAddr>,
    /// Of an offer of ours, which can be taken plain or secure.
    securing: Option<Securing>,
}

/// Session descriptions on their way from one shell to the other. A clone is the same book.
#[derive(Clone, Default)]
pub struct SdpBook {
    entries: Arc<Mutex<BTreeMap<u64, Entry>>>,
    next: Arc<AtomicU64>,
}

impl SdpBook {
    /// Puts a description of our own in and returns what the core may know of it. When the book is full the oldest goes.
    pub fn put(&self, text: String) -> SdpRef {
        self.keep(Entry { text, source: None, securing: None })
    }

    /// Puts an offer of our own in, like [`SdpBook::put`]. Whoever dials the far end knows whether it is to be secure: `securing` then makes
    /// the secure offer of it, keys and all.
    pub fn put_offer(&self, plain: String, securing: impl FnOnce(&str) -> String + Send + 'static) -> SdpRef {
        self.keep(Entry { text: plain, source: None, securing: Some(Box::new(securing)) })
    }

    /// Puts the body of a message from `source` in, like [`SdpBook::put`]; what is no UTF-8 in it is replaced.
    pub fn put_received(&self, body: &[u8], source: IpAddr) -> SdpRef {
        self.keep(Entry { text: String::from_utf8_lossy(body).into_owned(), source: Some(source), securing: None })
    }

    fn keep(&self, entry: Entry) -> SdpRef {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut entries = self.lock();
        if entries.len() >= KEPT {
            entries.pop_first();
        }
        entries.insert(number, entry);
        SdpRef(number)
    }

    /// Takes a description out; `None` if it was taken already.
    pub fn take(&self, sdp: SdpRef) -> Option<String> {
        self.take_sourced(sdp).map(|(text, _)| text)
    }

    /// Like [`SdpBook::take`], with the address that it came from.
    pub fn take_sourced(&self, sdp: SdpRef) -> Option<Sourced> {
        let entry = self.lock().remove(&sdp.0)?;
        Some((entry.text, entry.source))
    }

    /// Takes an offer out as one for a far end that is to be reached securely. What was not put in as an offer comes as it is.
    pub fn take_secure(&self, sdp: SdpRef) -> Option<String> {
        let entry = self.lock().remove(&sdp.0)?;
        Some(match entry.securing {
            Some(securing) => securing(&entry.text),
            None => entry.text,
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_taken_once() {
        let book = SdpBook::default();
        let sdp = book.put("v=0".to_owned());
        assert_eq!(book.take(sdp).as_deref(), Some("v=0"));
        assert_eq!(book.take(sdp), None);
    }

    #[test]
    fn an_offer_is_taken_plain_or_secure() {
        let book = SdpBook::default();
        let [plain, secure] = [(); 2].map(|()| book.put_offer("plain".to_owned(), |plain| format!("{plain} with keys")));
        assert_eq!(book.take(plain).as_deref(), Some("plain"));
        assert_eq!(book.take_secure(secure).as_deref(), Some("plain with keys"));
        assert_eq!(book.take_secure(book.put("answer".to_owned())).as_deref(), Some("answer"));
    }
}
