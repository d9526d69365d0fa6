//! What do supervisors order for now, and what have they? States, skills and queues for today, modes of queues, the evacuation.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::centre::ids::{AgentId, Language, PauseReason, QueueId};
use crate::centre::input::Input;
use crate::centre::skill::BEST;
use crate::centre::steer::{Order, StateWanted, Steered};
use crate::centre::surge::Mode;
use crate::config::Config;
use crate::report::steering::SteeringView;
use crate::store::{Access, OrderRow, User};

use super::Web;
use super::auth::SignedIn;
use super::cases::checked;
use super::error::WebError;
use super::extract::Body;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 200;
/// An order holds for so long at most, in milliseconds.
const LONGEST_MS: u64 = 7 * 86_400_000;

/// What a supervisor orders.
#[derive(Clone, Debug, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderGiven)]
pub struct Given {
    /// What.
    pub order: Order,
    /// Until when, in milliseconds since the epoch, a week ahead at most: for `able`, which else ends with the day of service, and for
    /// `mode` other than `open`, which else holds until another order.
    #[serde(default)]
    pub until_ms: Option<u64>,
    /// Why. It names no resident.
    #[schema(min_length = 1, max_length = 200)]
    pub reason: String,
}

/// What holds, and what was ordered.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Orders {
    #[serde(flatten)]
    now: SteeringView,
    /// The last orders, the newest first, fifty at most.
    orders: Vec<OrderRow>,
    /// For what somebody can be sent into a pause.
    pause_reasons: Vec<String>,
}

/// What holds now by order of supervisors or by rule, and the last orders.
#[utoipa::path(get, path = "/api/orders", responses((status = 200, body = Orders)))]
pub(super) async fn list(State(web): State<Arc<Web>>) -> Result<Json<Orders>, WebError> {
    let orders = web.store.orders().await?;
    let pause_reasons = web.pause_reasons.borrow().clone();
    Ok(Json(Orders { now: web.with_board(|board| board.steering()), orders, pause_reasons }))
}

/// A supervisor orders; it holds within the second, and 202 says that it is under way. Who ordered what and why stands in the access log.
#[utoipa::path(post, path = "/api/orders", request_body = Given, responses((status = 202), (status = 422, body = super::error::Refusal)))]
pub(super) async fn order(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(given): Body<Given>,
) -> Result<StatusCode, WebError> {
    let input = ordered(&web, &user, given).await?;
    web.inputs.send(input).map_err(|_| WebError::Slow)?;
    Ok(StatusCode::ACCEPTED)
}

/// The order as the core takes it, with its author; it is on record before it is given.
pub(super) async fn ordered(web: &Web, user: &User, given: Given) -> Result<Input, WebError> {
    let Given { order, until_ms, reason } = given;
    checked("reason", &reason, LONGEST_REASON)?;
    let in_force = web.settings.now.borrow().clone();
    fits(&in_force.config, &order)?;
    let now = web.clock.now();
    let lasts = match &order {
        Order::Able { .. } => true,
        Order::Mode { mode, .. } => *mode != Mode::Open,
        Order::State { .. } | Order::Evacuation { .. } => false,
    };
    if until_ms.is_some() && !lasts {
        return Err(WebError::Invalid { what: format!("an order of {} has no end", in_words(&order)), mend: "Leave until_ms out." });
    }
    if until_ms.is_some_and(|until| until <= now.0 || until > now.0.saturating_add(LONGEST_MS)) {
        return Err(WebError::Invalid {
            what: "the end of the order is over, or more than a week ahead".into(),
            mend: "Give one within a week.",
        });
    }
    let about = format!("{}: {reason}", in_words(&order));
    web.store.log_access(now, &user.name, Access::Order, &about).await?;
    Ok(Input::Steered(Box::new(Steered { order, until_ms, by: user.name.clone(), reason })))
}

/// The order in words, for the access log.
fn in_words(order: &Order) -> String {
    match order {
        Order::State { operator, to: StateWanted::Ready, .. } => format!("{operator} ready"),
        Order::State { operator, to: StateWanted::SignedOut, .. } => format!("{operator} signed out"),
        Order::State { operator, to: StateWanted::Pause, pause } => {
            format!("{operator} paused ({})", pause.as_ref().map_or("", PauseReason::as_str))
        }
        Order::Able { operator, levels, queues } if levels.is_empty() && queues.is_empty() => {
            format!("{operator} today as the settings say")
        }
        Order::Able { operator, levels, queues } => {
            let levels = levels.iter().map(|(skill, level)| format!("{skill} {level}"));
            let queues = queues.iter().map(|(queue, gets)| format!("{queue} {}", if *gets { "yes" } else { "no" }));
            format!("{operator} today {}", levels.chain(queues).collect::<Vec<_>>().join(", "))
        }
        Order::Mode { queue, mode } => format!("queue {queue} {}", mode.word()),
        Order::Evacuation { on: true } => "evacuation".to_owned(),
        Order::Evacuation { on: false } => "end of the evacuation".to_owned(),
    }
}

/// Every name stands in the settings.
fn fits(config: &Config, order: &Order) -> Result<(), WebError> {
    match order {
        Order::State { operator, to, pause } => {
            operator_stands(config, operator)?;
            match (to, pause) {
                (StateWanted::Pause, Some(reason)) if config.pause_reasons.iter().any(|known| known == reason.as_str()) => Ok(()),
                (StateWanted::Pause, Some(reason)) => {
                    Err(unknown(format!("a pause called {reason}"), "Choose one of the settings' reasons."))
                }
                (StateWanted::Pause, None) => Err(unknown("why they pause".into(), "Give the pause a reason in `pause`.")),
                (StateWanted::Ready | StateWanted::SignedOut, None) => Ok(()),
                (StateWanted::Ready | StateWanted::SignedOut, Some(_)) => {
                    Err(WebError::Invalid { what: "who does not pause needs no reason for it".into(), mend: "Leave `pause` out." })
                }
            }
        }
        Order::Able { operator, levels, queues } => {
            operator_stands(config, operator)?;
            queues.keys().try_for_each(|queue| queue_stands(config, queue))?;
            let is_known = |name: &str| {
                let of_queue = config.queues.values().any(|queue| queue.skills.iter().any(|skill| skill == name));
                let of_operator =
                    || config.operators.values().any(|operator| operator.skills.levels().any(|(skill, _)| skill.as_str() == name));
                of_queue || Language::from_code(name).is_some() || of_operator()
            };
            for (skill, level) in levels {
                if !is_known(skill.as_str()) {
                    return Err(unknown(format!("a skill called {skill}"), "Choose one of the settings' skills."));
                }
                if *level > BEST {
                    return Err(WebError::Invalid {
                        what: format!("{skill} = {level} is above the best"),
                        mend: "Give a level from 0 to 10.",
                    });
                }
            }
            Ok(())
        }
        Order::Mode { queue, .. } => queue_stands(config, queue),
        Order::Evacuation { .. } => Ok(()),
    }
}

fn operator_stands(config: &Config, operator: &AgentId) -> Result<(), WebError> {
    let stands = config.operators.contains_key(operator.as_str());
    if stands { Ok(()) } else { Err(unknown(format!("an operator called {operator}"), "Choose one of the settings' operators.")) }
}

fn queue_stands(config: &Config, queue: &QueueId) -> Result<(), WebError> {
    let stands = config.queues.contains_key(queue.as_str());
    if stands { Ok(()) } else { Err(unknown(format!("a queue called {queue}"), "Choose one of the settings' queues.")) }
}

fn unknown(what: String, mend: &'static str) -> WebError {
    WebError::Invalid { what: format!("{what} is not there"), mend }
}
