//! Which cases are late, and who is told? The steps of the chain that are due, each an event of the case and a message, in one transaction.

use crate::cases::case::Case;
use crate::cases::escalation::{self, Step, Told};
use crate::cases::event::{Author, What};
use crate::cases::ids::CaseNumber;
use crate::centre::time::Time;
use crate::store::Store;
use crate::store::bulk::ms;
use crate::store::outbox::{self, Post};
use crate::store::statement::query;
use crate::store::transaction::{Lock, Transaction};

use super::RegisterError;
use super::act::change_in;
use super::book::Register;

/// Cases whose steps are taken in one transaction.
const AT_ONCE: i64 = 50;

impl Store {
    /// Takes the steps that are due, of fifty cases at once; returns how many cases that were.
    ///
    /// # Errors
    /// When the rules cannot be read, or the database refuses; nothing of the batch is written then.
    pub async fn escalate(&self, now: Time) -> Result<usize, RegisterError> {
        let any: Option<(i64,)> =
            query("SELECT id FROM cases WHERE next_ms <= $1 LIMIT 1").bind(ms(now.0)).fetch_optional(self.db.readers()).await?;
        if any.is_none() {
            return Ok(0);
        }
        let register = self.register().await?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        let due: Vec<(String, String)> = query("SELECT number, body FROM cases WHERE next_ms <= $1 ORDER BY next_ms, id LIMIT $2")
            .bind(ms(now.0))
            .bind(AT_ONCE)
            .fetch_all(&mut transaction)
            .await?;
        for (number, body) in &due {
            let number: CaseNumber = number.parse().map_err(|_| RegisterError::damaged("cases.number"))?;
            let case: Case = serde_json::from_str(body).map_err(|_| RegisterError::damaged("cases.body"))?;
            take_steps(&mut transaction, &register, &number, &case, now).await?;
        }
        transaction.commit().await?;
        Ok(due.len())
    }

    /// When the next step of any case is due; `None` where nothing is.
    pub async fn next_escalation(&self) -> Result<Option<Time>, RegisterError> {
        let next: (Option<i64>,) = query("SELECT MIN(next_ms) FROM cases WHERE next_ms IS NOT NULL").fetch_one(self.db.readers()).await?;
        Ok(next.0.map(|next| Time(next.unsigned_abs())))
    }
}

async fn take_steps(
    transaction: &mut Transaction,
    register: &Register,
    number: &CaseNumber,
    case: &Case,
    now: Time,
) -> Result<(), RegisterError> {
    let steps = escalation::due(&register.escalation, case, now);
    if steps.is_empty() {
        // The chain was shortened since the moment was written.
        let next = escalation::next(&register.escalation, case).map(|at| ms(at.0));
        query("UPDATE cases SET next_ms = $1 WHERE number = $2").bind(next).bind(number.to_string()).execute(transaction).await?;
        return Ok(());
    }
    let by = Author::System { part: "escalation".to_owned() };
    for step in steps {
        let what = What::Escalated { clock: step.clock, step: step.step, to: step.to.word().to_owned() };
        change_in(transaction, number, register, &by, None, now, |_, _| Ok(what)).await?;
        outbox::post(transaction, &[message(number, case, step)], now).await?;
    }
    Ok(())
}

/// What lies with nobody comes to the supervisors, whoever the step names.
fn message(number: &CaseNumber, case: &Case, step: &Step) -> Post {
    let receiver = match (&step.to, &case.organisation) {
        (Told::Organisation, Some(organisation)) => format!("organisation:{organisation}"),
        (Told::Head, Some(organisation)) => format!("head:{organisation}"),
        (Told::City, _) => "city".to_owned(),
        (Told::Supervisors, _) | (Told::Organisation | Told::Head, None) => "supervisors".to_owned(),
    };
    let clock = serde_json::to_value(step.clock).ok().and_then(|clock| clock.as_str().map(str::to_owned)).unwrap_or_default();
    // The clocks count anew after a reopening, and so do the steps.
    let kind = format!("escalated:{clock}:{}:{}", step.step, case.counts_from.0);
    let body = serde_json::json!({
        "what": "escalated", "case": number.to_string(), "topic": case.topic, "priority": case.priority, "state": case.state.word(),
        "organisation": case.organisation, "clock": clock, "step": step.step, "due_ms": case.clocks.of(step.clock).due,
    });
    Post::to(receiver, &number.to_string(), kind, body.to_string())
}
