//! Who is on shift, who should be, and what have supervisors ordered? Read by everybody who works here, ordered by supervisors.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::centre::ids::AgentId;
use crate::centre::input::Input;
use crate::centre::shift::{ShiftOrder, Wanted};
use crate::config::{ShiftTemplate, ShiftWanted};
use crate::store::{ShiftOrderRow, User};

use super::Web;
use super::auth::SignedIn;
use super::cases::checked;
use super::error::WebError;
use super::extract::Body;
use super::live;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 200;
/// An order holds for so long at most, in milliseconds: what is for longer belongs into the table.
const LONGEST_MS: u64 = 7 * 86_400_000;

/// The table, and who is on shift.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ShiftTable)]
pub(super) struct Table {
    /// When shifts go on, by name.
    templates: BTreeMap<String, ShiftTemplate>,
    /// The shifts by name; without any everybody is on shift who is not sent home.
    shifts: BTreeMap<String, ShiftWanted>,
    /// Every operator of the settings.
    operators: Vec<OnShift>,
    /// What supervisors have ordered, the newest first, fifty at most; why it was ordered of others is empty for who does not lead.
    orders: Vec<ShiftOrderRow>,
}

/// Whether an operator is on shift.
#[derive(Serialize, utoipa::ToSchema)]
struct OnShift {
    operator: String,
    is_on: bool,
    /// The shifts that they are on; nothing for who serves all that they can.
    shifts: Vec<String>,
}

/// What a supervisor wants of somebody's shift.
#[derive(Clone, Debug, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShiftOrdered)]
pub struct OrderWanted {
    /// Whose.
    pub operator: AgentId,
    /// What.
    pub wanted: Wanted,
    /// Until when, in milliseconds since the epoch, a week ahead at most; without it until the shift or the day ends.
    #[serde(default)]
    pub until_ms: Option<u64>,
    /// Why. It names no resident.
    #[schema(min_length = 1, max_length = 200)]
    pub reason: String,
}

/// GET /api/shifts.
#[utoipa::path(get, path = "/api/shifts", responses((status = 200, body = Table)))]
pub(super) async fn list(State(web): State<Arc<Web>>, Extension(SignedIn(user)): Extension<SignedIn>) -> Result<Json<Table>, WebError> {
    let mut orders = web.store.shift_orders().await?;
    if !live::leads(user.role) {
        orders.iter_mut().filter(|order| order.agent != user.name).for_each(|order| order.reason.clear());
    }
    let in_force = web.settings.now.borrow().clone();
    let config = &in_force.config;
    let on_shift = |name: &String| {
        let (is_on, shifts) = web.with_board(|board| board.on_shift(&AgentId::from(name.as_str())));
        OnShift { operator: name.clone(), is_on, shifts: shifts.iter().map(ToString::to_string).collect() }
    };
    Ok(Json(Table {
        templates: config.shift_templates.clone(),
        shifts: config.shifts.clone(),
        operators: config.operators.keys().map(on_shift).collect(),
        orders,
    }))
}

/// A supervisor moves somebody between shifts, adds them or sends them home; it holds within the second, and 202 says that it is under way.
#[utoipa::path(post, path = "/api/shifts/orders", request_body = OrderWanted, responses((status = 202), (status = 404, body = super::error::Refusal)))]
pub(super) async fn order(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(wanted): Body<OrderWanted>,
) -> Result<StatusCode, WebError> {
    let input = ordered(&web, &user, wanted)?;
    web.inputs.send(input).map_err(|_| WebError::Slow)?;
    Ok(StatusCode::ACCEPTED)
}

/// The order as the core takes it, with its author.
pub(super) fn ordered(web: &Web, user: &User, wanted: OrderWanted) -> Result<Input, WebError> {
    let OrderWanted { operator, wanted, until_ms, reason } = wanted;
    checked("reason", &reason, LONGEST_REASON)?;
    let in_force = web.settings.now.borrow().clone();
    if !in_force.config.operators.contains_key(operator.as_str()) {
        return Err(WebError::Missing { what: format!("an operator called {operator}") });
    }
    if let Wanted::On { shift: Some(shift) } | Wanted::Moved { to: shift } = &wanted
        && !in_force.config.shifts.contains_key(shift.as_str())
    {
        return Err(WebError::Missing { what: format!("a shift called {shift}") });
    }
    let now = web.clock.now().0;
    if until_ms.is_some_and(|until| until <= now || until > now.saturating_add(LONGEST_MS)) {
        return Err(WebError::Invalid {
            what: "the end of the order is over, or more than a week ahead".into(),
            mend: "Give one within a week.",
        });
    }
    Ok(Input::ShiftOrdered(ShiftOrder { agent: operator, wanted, until_ms, by: user.name.clone(), reason }))
}
