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

/// Session descriptions on their way from one shell to the other. A clone is the same book.
#[derive(Clone, Default)]
pub struct SdpBook {
    texts: Arc<Mutex<BTreeMap<u64, Sourced>>>,
    next: Arc<AtomicU64>,
}

impl SdpBook {
    /// Puts a description of our own in and returns what the core may know of it. When the book is full the oldest goes.
    pub fn put(&self, text: String) -> SdpRef {
        self.keep((text, None))
    }

    /// Puts the body of a message from `source` in, like [`SdpBook::put`]; what is no UTF-8 in it is replaced.
    pub fn put_received(&self, body: &[u8], source: IpAddr) -> SdpRef {
        self.keep((String::from_utf8_lossy(body).into_owned(), Some(source)))
    }

    fn keep(&self, sourced: Sourced) -> SdpRef {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut texts = self.lock();
        if texts.len() >= KEPT {
            texts.pop_first();
        }
        texts.insert(number, sourced);
        SdpRef(number)
    }

    /// Takes a description out; `None` if it was taken already.
    pub fn take(&self, sdp: SdpRef) -> Option<String> {
        self.take_sourced(sdp).map(|(text, _)| text)
    }

    /// Like [`SdpBook::take`], with the address that it came from.
    pub fn take_sourced(&self, sdp: SdpRef) -> Option<Sourced> {
        self.lock().remove(&sdp.0)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Sourced>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
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
}
