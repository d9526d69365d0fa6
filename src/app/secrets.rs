//! Which secret makes a caller's reference? Thirty-two random bytes that are made once and stay in the data folder.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, anyhow};

use crate::caller::CallerKey;

const FILE: &str = "caller.key";

/// The key of a data folder, made at the first start. Losing the file makes every known caller a new one.
pub fn caller_key(folder: &Path) -> anyhow::Result<CallerKey> {
    let path = folder.join(FILE);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let secret = bytes.try_into().map_err(|_| anyhow!("{} does not hold 32 bytes: restore it from a backup", path.display()))?;
            Ok(CallerKey::new(secret))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read: give this user the right to", path.display())),
    }
}

fn make(path: &Path) -> anyhow::Result<CallerKey> {
    let mut secret = [0u8; 32];
    getrandom::fill(&mut secret).map_err(|error| anyhow!("the system gives no random bytes: {error}"))?;
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&secret)?;
        file.sync_all()
    };
    write().with_context(|| format!("{} cannot be written: make the folder writable for this user", path.display()))?;
    Ok(CallerKey::new(secret))
}
