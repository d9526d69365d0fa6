//! How does a media thread sleep? Until its next tick or until somebody rings its bell, in one `epoll_pwait2`.
//!
//! It calls the system directly, because the standard library has no eventfd.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The sleeping side, owned by one thread.
pub struct Alarm {
    epoll: OwnedFd,
    bell: Bell,
}

/// The waking side: a clone rings the same bell, from any thread.
#[derive(Clone)]
pub struct Bell {
    event: Arc<OwnedFd>,
    rung: Arc<AtomicBool>,
}

impl Alarm {
    /// An alarm that nobody has rung yet. Errors: the process is out of file descriptors.
    pub fn new() -> io::Result<Alarm> {
        // SAFETY: plain calls without pointers; `own` checks the result and takes the descriptor.
        let (epoll, event) =
            unsafe { (own(libc::epoll_create1(libc::EPOLL_CLOEXEC))?, own(libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC))?) };
        watch(&epoll, event.as_raw_fd())?;
        Ok(Alarm { epoll, bell: Bell { event: Arc::new(event), rung: Arc::default() } })
    }

    /// The bell that ends this alarm's sleep.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Sleeps for `span` or until the bell; returns at once if it has rung. Needs Linux 5.11.
    pub fn wait(&self, span: Duration) {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 1];
        let limit = libc::timespec {
            tv_sec: libc::time_t::try_from(span.as_secs()).unwrap_or(1),
            tv_nsec: libc::c_long::from(span.subsec_nanos()),
        };
        // SAFETY: `events` has room for the one entry that is announced, `limit` outlives the call, no signal mask is given. An
        // interrupted wait is a wake-up like any other.
        unsafe { libc::epoll_pwait2(self.epoll.as_raw_fd(), events.as_mut_ptr(), 1, &raw const limit, std::ptr::null()) };
        if self.bell.rung.load(Ordering::Acquire) {
            // In this order: a ring in between is not written, but its owner is awake and looks after this.
            drain(self.bell.event.as_raw_fd());
            self.bell.rung.store(false, Ordering::Release);
        }
    }
}

impl Bell {
    /// Wakes the owner of the alarm; rings that it has not heard yet count as one.
    pub fn ring(&self) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight readable bytes, as eventfd(2) asks for. A full counter rings all the same.
        unsafe { libc::write(self.event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }
}

/// Empties an eventfd: eight bytes, nothing when it is empty already.
fn drain(fd: RawFd) {
    let mut count = [0u8; 8];
    // SAFETY: eight writable bytes on a non-blocking descriptor that is open.
    unsafe { libc::read(fd, count.as_mut_ptr().cast(), count.len()) };
}

fn watch(epoll: &OwnedFd, fd: RawFd) -> io::Result<()> {
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
    // SAFETY: both descriptors are open, `event` outlives the call.
    checked(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event) }).map(drop)
}

/// Takes a fresh descriptor.
///
/// # Safety
/// `fd` is the result of a call that makes a descriptor, and nobody else owns it.
unsafe fn own(fd: RawFd) -> io::Result<OwnedFd> {
    checked(fd)?;
    // SAFETY: not negative, and ours alone by the caller's promise.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_bell_ends_the_sleep() {
        let alarm = Alarm::new().unwrap();
        let bell = alarm.bell();
        let thread = std::thread::spawn(move || {
            alarm.wait(Duration::from_secs(60));
            alarm.wait(Duration::from_secs(60));
        });
        bell.ring();
        while bell.rung.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        bell.ring();
        thread.join().unwrap();
    }
}
