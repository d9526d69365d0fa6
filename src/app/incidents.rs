//! How do incidents come about, and how do callers hear of them? A task that looks at new cases, links them, and pushes notices to the core.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::cases::telling;
use crate::centre::ids::{Language, NoticeId, PromptId};
use crate::centre::input::Input;
use crate::centre::notice::Notice;
use crate::clock::Clock;
use crate::lanes::Inputs;
use crate::media::MediaEngine;
use crate::prompts::{NoticeSounds, NoticeText};
use crate::store::{NoticeInForce, Store};

/// Without a new case the moments of works, and subscriptions that came late, are looked for this often.
const TICK: Duration = Duration::from_secs(5);
/// Cases of a storm are looked at together.
const GATHER: Duration = Duration::from_millis(300);

/// What the task is given.
pub struct IncidentParts {
    /// The register.
    pub store: Store,
    /// The way to the core.
    pub inputs: Inputs,
    /// Where sounds are played; it ends by itself, and this task before it.
    pub media: Weak<MediaEngine>,
    /// Where they are made.
    pub sounds: Arc<NoticeSounds>,
    /// What the core tells already.
    pub told: Vec<Notice>,
    /// The time.
    pub clock: Clock,
}

/// Runs until `stop`. An error is logged once until it is over, and tried again with the next tick.
pub async fn run(mut parts: IncidentParts, stop: CancellationToken) {
    let mut healthy = true;
    loop {
        match parts.come_round().await {
            Ok(()) => healthy = true,
            Err(error) => {
                if std::mem::replace(&mut healthy, false) {
                    tracing::error!("incidents wait until this is mended: {error:#}");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
            () = parts.store.stirred() => {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(GATHER) => {}
                }
            }
        }
    }
}

impl IncidentParts {
    async fn come_round(&mut self) -> anyhow::Result<()> {
        // First what callers are told: it is what somebody waits for.
        self.tell_the_core().await?;
        self.store.propose_incidents(self.clock.now()).await?;
        while self.store.link_cases(self.clock.now()).await? > 0 {}
        self.store.tell_late(self.clock.now()).await?;
        Ok(())
    }

    /// Sounds first, then the core: what it orders to be played is there.
    async fn tell_the_core(&mut self) -> anyhow::Result<()> {
        let in_force = self.store.notices_in_force(self.clock.now()).await?;
        let notices: Vec<Notice> = in_force.iter().map(notice).collect();
        if notices == self.told {
            return Ok(());
        }
        let texts: Vec<NoticeText> = in_force.iter().flat_map(texts).collect();
        let sounds = self.sounds.clone();
        let book = tokio::task::spawn_blocking(move || sounds.speak(&texts)).await??;
        let Some(media) = self.media.upgrade() else { return Ok(()) };
        media.set_sounds(book);
        drop(media);
        // A full lane: the next tick tries again, because `told` is still what it was.
        self.inputs.send(Input::NoticesChanged(notices.clone()))?;
        tracing::info!(notices = notices.len(), "callers are told of other incidents");
        self.told = notices;
        Ok(())
    }
}

/// Each wording has sounds of its own, so that a caller hears one of them whole.
fn prompt(of: &NoticeInForce) -> PromptId {
    PromptId::from(format!("notice-{}-{}{}", of.n, of.incident.wording, if of.overruns { "-over" } else { "" }))
}

fn notice(of: &NoticeInForce) -> Notice {
    let districts: BTreeSet<String> = of.incident.districts.iter().map(|district| district.as_str().to_owned()).collect();
    Notice { id: NoticeId::from(of.n.to_string()), prompt: prompt(of), topic: of.incident.topic.as_str().to_owned(), districts }
}

fn texts(of: &NoticeInForce) -> impl Iterator<Item = NoticeText> + '_ {
    let spoken = |(language, text): (&Language, &String)| {
        let more = if of.overruns { telling::overrun(*language) } else { "" };
        NoticeText { id: prompt(of), language: *language, text: format!("{} {more}", text.trim()).trim_end().to_owned() }
    };
    of.incident.notice.iter().map(spoken)
}
