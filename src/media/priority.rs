//! Who goes first when the processor is full? Sound: a late frame is heard, a late report is not.
#![allow(unsafe_code)]

use std::io;

/// As for sound servers of desktops: before everything ordinary, behind real-time threads.
const NICENESS: libc::c_int = -10;

/// Puts the calling thread before the others. Without the right to do so (CAP_SYS_NICE) it stays where it is, and that is logged once a thread.
pub fn raise() {
    // SAFETY: no pointers; 0 names the calling thread, whose niceness Linux keeps apart (setpriority(2)).
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) } != 0 {
        let error = io::Error::last_os_error();
        tracing::debug!(%error, "media threads run at the priority of all others: grant CAP_SYS_NICE to put sound first");
    }
}
