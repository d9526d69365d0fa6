//! How does a resident prove that a number is theirs? By a code that is sent to it. Whether the number is known is told by nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::caller::normalise;
use crate::cases::telling;
use crate::centre::ids::{CallerRef, Language};
use crate::private::Private;
use crate::store::Access;

use super::Web;
use super::auth::Auth;
use super::cabinet::Cabinet;
use super::door::Visitor;
use super::error::WebError;
use super::extract::Body;
use super::pace::Pace;
use super::resident::{LIFE_MS, Resident};

/// A code opens for so long, in milliseconds.
const CODE_LIVES_MS: u64 = 600_000;
/// Digits of a code: one of a million, of which five may be guessed.
const DIGITS: u32 = 6;
/// Every question for a code is answered after this, so that the time does not tell which numbers are known.
const ANSWERED_AFTER: Duration = Duration::from_millis(150);
/// Digits that a telephone's number has (E.164 §6.1), without short ones.
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Within this window, in milliseconds, the questions are counted.
const WINDOW_MS: u64 = 15 * 60_000;

/// How often codes are asked for and guessed.
pub(super) struct Paces {
    codes_of_number: Pace,
    codes_of_address: Pace,
    logins_of_number: Pace,
    logins_of_address: Pace,
}

impl Default for Paces {
    fn default() -> Self {
        Self {
            codes_of_number: Pace::new(3, WINDOW_MS),
            codes_of_address: Pace::new(10, WINDOW_MS),
            logins_of_number: Pace::new(10, WINDOW_MS),
            logins_of_address: Pace::new(30, WINDOW_MS),
        }
    }
}

/// To which telephone.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CabinetNumber)]
pub(super) struct Number {
    /// As +77142123456.
    #[schema(value_type = String)]
    number: Private<String>,
    /// The language of the message, by its code; else the city's most common.
    #[serde(default)]
    language: Option<String>,
}

/// That a code is on its way, if the number has cases.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CodeSent {
    /// How long it may take to come, in seconds.
    wait_s: u64,
    /// For how long it opens, in seconds.
    lives_s: u64,
    /// How many digits it has.
    digits: u32,
}

/// What came to the telephone.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CabinetLogin)]
pub(super) struct Typed {
    #[schema(value_type = String)]
    number: Private<String>,
    #[schema(value_type = String)]
    code: Private<String>,
}

/// Sends a code to a telephone from which cases were reported; any other number is answered alike, and nothing is sent.
#[utoipa::path(post, path = "/api/cabinet/code", request_body = Number, responses((status = 202, body = CodeSent),
    (status = 403, body = super::error::Refusal), (status = 429, body = super::error::Refusal), (status = 503, body = super::error::Refusal)))]
pub(super) async fn code(
    State(web): State<Arc<Web>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    Body(Number { number, language }): Body<Number>,
) -> Result<(StatusCode, Json<CodeSent>), WebError> {
    let (caller, _) = caller(&web, &number)?;
    let (who, times) = visitor.counted();
    paced(&web, &web.cabinet_paces.codes_of_address, &who, times)?;
    paced(&web, &web.cabinet_paces.codes_of_number, &format!("{:x}", caller.0), 1)?;
    let language = language.as_deref().and_then(Language::from_code).unwrap_or(telling::UNKNOWN);
    let (sent, ()) = tokio::join!(send(&web, caller, language), tokio::time::sleep(ANSWERED_AFTER));
    sent?;
    metrics::counter!("cityline_cabinet_codes_total").increment(1);
    Ok((StatusCode::ACCEPTED, Json(CodeSent { wait_s: 60, lives_s: CODE_LIVES_MS / 1000, digits: DIGITS })))
}

/// Opens the cabinet to whoever has the code that was sent. A number without one is answered as a wrong code is.
#[utoipa::path(post, path = "/api/cabinet/login", request_body = Typed, responses((status = 200, body = Cabinet),
    (status = 401, body = super::error::Refusal), (status = 403, body = super::error::Refusal), (status = 429, body = super::error::Refusal),
    (status = 503, body = super::error::Refusal)))]
pub(super) async fn login(
    State(web): State<Arc<Web>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    auth: Auth,
    Body(Typed { number, code }): Body<Typed>,
) -> Result<Json<Cabinet>, WebError> {
    let (caller, number) = caller(&web, &number)?;
    let (who, times) = visitor.counted();
    paced(&web, &web.cabinet_paces.logins_of_address, &who, times)?;
    paced(&web, &web.cabinet_paces.logins_of_number, &format!("{:x}", caller.0), 1)?;
    let now = web.clock.now();
    let typed: String = code.reveal().chars().filter(|c| !c.is_whitespace()).take(16).collect();
    if !web.store.take_code(caller, &proof(&web, caller, &typed), now).await? {
        return Err(WebError::WrongCode);
    }
    let resident = Resident { caller, shown: number.masked(), until: now.plus_ms(LIFE_MS) };
    web.store.log_access(now, &resident.name(), Access::Cabinet, "signed in").await?;
    if let Some(account) = &auth.user {
        web.desks.dismiss(&account.name.as_str().into());
    }
    resident.enter(&auth.session).await?;
    Ok(Json(Cabinet::of(&resident)))
}

/// Whose number it is.
fn caller(web: &Web, typed: &Private<String>) -> Result<(CallerRef, Private<String>), WebError> {
    let number = normalise(typed.reveal().trim());
    if !NUMBER_DIGITS.contains(&number.reveal().trim_start_matches('+').len()) {
        return Err(WebError::Invalid { what: "that is no telephone number".into(), mend: "Write it as +77142123456." });
    }
    Ok((web.key.reference(&number), number))
}

fn paced(web: &Web, pace: &Pace, who: &str, times: u32) -> Result<(), WebError> {
    pace.ask(who, times, web.clock.now()).map_err(|retry_after_s| WebError::Pace { retry_after_s })
}

/// Writes a code and the message that tells it, where the number has cases: nobody else's telephone is rung by strangers.
async fn send(web: &Web, caller: CallerRef, language: Language) -> Result<(), WebError> {
    if web.store.own_cases(caller).await?.is_empty() {
        return Ok(());
    }
    let (now, code) = (web.clock.now(), drawn()?);
    let expires = now.plus_ms(CODE_LIVES_MS);
    let told = serde_json::json!({
        "what": "code", "code": code, "text": telling::code(language, &code), "language": language.code(), "expires_ms": expires.0,
    });
    Ok(web.store.put_code(caller, &proof(web, caller, &code), expires, &told.to_string(), now).await?)
}

/// A code that nobody foresees: every one of a million is as likely.
fn drawn() -> Result<String, WebError> {
    let refused = |error| WebError::Session(format!("the system gives no random numbers: {error}"));
    loop {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes).map_err(refused)?;
        let number = u32::from_le_bytes(bytes);
        // The last, incomplete million would make some codes likelier.
        if number < u32::MAX - u32::MAX % 1_000_000 {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}

fn proof(web: &Web, caller: CallerRef, code: &str) -> String {
    web.key.proof(&["cabinet", &format!("{:x}", caller.0), code])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_code_has_six_digits() {
        for _ in 0..100 {
            let code = drawn().unwrap();
            assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
    }
}
