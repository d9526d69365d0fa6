//! How does the register's head get to where whoever writes the database cannot? Hourly, as a line of a file, and by mail or webhook.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::cases::chain::Seal;
use crate::clock::Clock;
use crate::config;
use crate::store::Store;

/// Receivers of the outbox that are no organisation.
pub const SEALS_BY_MAIL: &str = "seals-mail";
pub const SEALS_BY_WEBHOOK: &str = "seals-webhook";

/// How often the head is sealed, where it has moved.
const EVERY: Duration = Duration::from_secs(3_600);
/// After a failure it is tried again so soon.
const AGAIN: Duration = Duration::from_secs(60);

/// To whom the outbox takes seals, as the settings say.
pub fn receivers(config: &config::Outbox) -> Vec<&'static str> {
    let ways = [(SEALS_BY_MAIL, &config.seals_mail), (SEALS_BY_WEBHOOK, &config.seals_webhook)];
    ways.into_iter().filter(|(_, address)| !address.is_empty()).map(|(receiver, _)| receiver).collect()
}

/// Seals the register's head at once, every hour, and at the end.
pub async fn run(store: Store, file: PathBuf, receivers: Vec<&'static str>, clock: Clock, stop: CancellationToken) {
    loop {
        let pause = match seal(&store, &file, &receivers, clock).await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::error!(%error, file = %file.display(), "the register could not be sealed; it is tried again in a minute");
                metrics::counter!("cityline_seal_errors_total").increment(1);
                AGAIN
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    if let Err(error) = seal(&store, &file, &receivers, clock).await {
        tracing::error!(%error, file = %file.display(), "the register's last events are not sealed; the next start seals them");
    }
}

/// The line is on the disk before the database knows of the seal: one too many in the file does no harm.
async fn seal(store: &Store, file: &Path, receivers: &[&str], clock: Clock) -> anyhow::Result<()> {
    let Some(seal) = store.head_to_seal(clock.now()).await? else { return Ok(()) };
    let file = file.to_owned();
    tokio::task::spawn_blocking(move || append(&file, &seal)).await??;
    store.keep_seal(&seal, receivers).await?;
    Ok(())
}

fn append(file: &Path, seal: &Seal) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    writeln!(file, "{seal}")?;
    file.sync_all()
}
