//! Who is told what is late or new, and by which way? A task that takes steps of escalation and sends what the outbox holds.

mod mail;
mod webhook;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::stream::{self, TryStreamExt};
use tokio_util::sync::CancellationToken;

use super::alerts::ALERTS_BY_WEBHOOK;
use super::sealing::{SEALS_BY_MAIL, SEALS_BY_WEBHOOK};
use crate::caller::CallerKey;
use crate::centre::ids::CallerRef;
use crate::centre::time::Time;
use crate::clock::Clock;
use crate::config;
use crate::store::{Message, Reach, Store};

/// The next step of escalation is looked for this often at least: rules may change, and messages are written by others.
const LONGEST_PAUSE_MS: u64 = 5_000;
/// Messages that are tried before escalation has its turn again.
const AT_ONCE: u32 = 50;
/// Receivers that are told at the same time; one that does not answer keeps no other waiting.
const RECEIVERS_AT_ONCE: usize = 8;
/// A message may take so long; then it counts as not taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first pause after a failure; it doubles up to the last.
const FIRST_RETRY_MS: u64 = 30_000;
const LAST_RETRY_MS: u64 = 6 * 3_600_000;
/// After so many tries, about two days, a message is given up; it stays in the table with its error, and is counted.
const TRIES: i64 = 17;

/// What the receiver of a short message begins with; the caller's reference follows.
const SMS: &str = "sms:";

/// What the task is given.
pub struct OutboxParts {
    /// Where messages are.
    pub store: Store,
    /// By which ways they go.
    pub config: config::Outbox,
    /// Where messages are written that have no other way.
    pub folder: PathBuf,
    /// By which an answer proves that it answers a message of ours.
    pub key: CallerKey,
    /// The time.
    pub clock: Clock,
}

/// The way that a message takes.
enum Way {
    Webhook { address: String, secret: String },
    Mail { to: String },
    File,
}

/// Runs until `stop`. An error of the database is logged once until it is over.
pub async fn run(parts: OutboxParts, stop: CancellationToken) {
    let mut healthy = true;
    loop {
        let pause = match parts.come_round(&stop).await {
            Ok(pause) => {
                healthy = true;
                pause
            }
            Err(error) => {
                if std::mem::replace(&mut healthy, false) {
                    tracing::error!("messages wait until this is mended: {error:#}");
                }
                Duration::from_millis(LONGEST_PAUSE_MS)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl OutboxParts {
    /// Escalates and sends in turns until nothing is due; returns how long there is nothing to do.
    async fn come_round(&self, stop: &CancellationToken) -> anyhow::Result<Duration> {
        loop {
            while self.store.escalate(self.clock.now()).await? > 0 && !stop.is_cancelled() {}
            let due = self.store.messages_due(self.clock.now(), AT_ONCE).await?;
            if due.is_empty() {
                break;
            }
            let mut of_receiver: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
            for message in &due {
                of_receiver.entry(&message.receiver).or_default().push(message);
            }
            let told = stream::iter(of_receiver.into_values().map(Ok));
            told.try_for_each_concurrent(RECEIVERS_AT_ONCE, |messages| self.deliver_all(messages, stop)).await?;
            if stop.is_cancelled() {
                return Ok(Duration::ZERO);
            }
        }
        let now = self.clock.now();
        let next = self.store.next_escalation().await?.map_or(LONGEST_PAUSE_MS, |next| next.ms_since(now));
        Ok(Duration::from_millis(next.clamp(100, LONGEST_PAUSE_MS)))
    }

    /// Tries messages to one receiver, one after the other.
    async fn deliver_all(&self, messages: Vec<&Message>, stop: &CancellationToken) -> anyhow::Result<()> {
        for message in messages {
            if stop.is_cancelled() {
                break;
            }
            self.deliver(message).await?;
        }
        Ok(())
    }

    /// Tries a message once, and notes what came of it. A crash between the two sends it again: a webhook knows it by its number.
    async fn deliver(&self, message: &Message) -> anyhow::Result<()> {
        let to_resident = message.receiver.strip_prefix(SMS).map(|_| message.clone());
        let Some(message) = &(match to_resident {
            Some(message) => self.addressed(message).await?,
            None => Some(message.clone()),
        }) else {
            return Ok(());
        };
        let way = self.way(message).await?;
        let sent = match tokio::time::timeout(PATIENCE, self.send(message, &way)).await {
            Ok(sent) => sent.map_err(|error| format!("{error:#}")),
            Err(_) => Err(format!("nothing was answered within {} s", PATIENCE.as_secs())),
        };
        let now = self.clock.now();
        match sent {
            Ok(()) => {
                metrics::counter!("cityline_messages_sent_total", "way" => way.word()).increment(1);
                self.store.message_sent(message.id, way.word(), now).await?;
            }
            Err(error) => {
                let again = again(message.tries, now);
                metrics::counter!("cityline_messages_failed_total", "way" => way.word()).increment(1);
                tracing::warn!(
                    message = message.id,
                    receiver = message.receiver,
                    given_up = again.is_none(),
                    "a message was not taken: {error}"
                );
                self.store.message_failed(message.id, &error.chars().take(500).collect::<String>(), again).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, message: &Message, way: &Way) -> anyhow::Result<()> {
        match way {
            Way::Webhook { address, secret } => webhook::post(address, secret, message, self.config.trusted.as_deref()).await,
            Way::Mail { to } => mail::send(&self.config, &self.key, to, message).await,
            Way::File => mail::write(&self.folder, &self.key, message).await,
        }
    }

    /// A short message with its number, which lies in no message at rest; `None` where it is too late for it, which is noted.
    async fn addressed(&self, mut message: Message) -> anyhow::Result<Option<Message>> {
        let caller = message.receiver.strip_prefix(SMS).and_then(|caller| caller.parse::<i64>().ok()).unwrap_or_default();
        let number = self.store.number_of(CallerRef(caller.cast_unsigned())).await?;
        let mut event: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&message.body)?;
        let expires = event.get("expires_ms").and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
        let (Some(number), true) = (number, expires > self.clock.now().0) else {
            self.store.message_failed(message.id, "it is too late, or the number is not known any more", None).await?;
            return Ok(None);
        };
        event.insert("number".to_owned(), number.into_inner().into());
        message.body = serde_json::Value::Object(event).to_string();
        Ok(Some(message))
    }

    /// A webhook before mail before a file: each organisation is reached by the best way that it has.
    async fn way(&self, message: &Message) -> anyhow::Result<Way> {
        let mail = |to: &str| if to.is_empty() || self.config.sendmail.is_empty() { Way::File } else { Way::Mail { to: to.to_owned() } };
        if message.receiver.starts_with(SMS) {
            let address = self.config.sms_webhook.clone();
            return Ok(if address.is_empty() { Way::File } else { Way::Webhook { address, secret: String::new() } });
        }
        let Some((kind, organisation)) = message.receiver.split_once(':') else {
            return Ok(match message.receiver.as_str() {
                "city" => mail(&self.config.city),
                SEALS_BY_MAIL => mail(&self.config.seals_mail),
                SEALS_BY_WEBHOOK if !self.config.seals_webhook.is_empty() => {
                    Way::Webhook { address: self.config.seals_webhook.clone(), secret: String::new() }
                }
                ALERTS_BY_WEBHOOK if !self.config.alerts_webhook.is_empty() => {
                    Way::Webhook { address: self.config.alerts_webhook.clone(), secret: self.config.alerts_secret.reveal().clone() }
                }
                _ => mail(&self.config.supervisors),
            });
        };
        let Some(Reach { webhook, secret, email, head }) = self.store.reach(organisation).await? else { return Ok(Way::File) };
        let own = email.unwrap_or_default();
        Ok(match (kind, webhook.filter(|address| !address.is_empty())) {
            // A head whose address is not known is told by the organisation's own.
            ("head", _) => mail(head.as_deref().filter(|head| head.contains('@')).unwrap_or(&own)),
            (_, Some(address)) => Way::Webhook { address, secret: secret.unwrap_or_default() },
            (_, None) => mail(&own),
        })
    }
}

impl Way {
    fn word(&self) -> &'static str {
        match self {
            Way::Webhook { .. } => "webhook",
            Way::Mail { .. } => "mail",
            Way::File => "file",
        }
    }
}

/// When a message that was tried so often before is tried again; `None` gives it up.
fn again(tries: i64, now: Time) -> Option<Time> {
    let doubled = u32::try_from(tries).unwrap_or(u32::MAX).min(20);
    (tries + 1 < TRIES).then(|| now.plus_ms((FIRST_RETRY_MS << doubled).min(LAST_RETRY_MS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tried_for_about_two_days() {
        let (mut now, mut tries) = (Time(0), 0);
        while let Some(next) = again(tries, now) {
            (now, tries) = (next, tries + 1);
        }
        assert_eq!((tries + 1, now.0 / 3_600_000), (TRIES, 44));
    }
}
