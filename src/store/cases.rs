//! Which cases are there? Lists by where they stand, with whom, what about and how late.

use serde::{Deserialize, Serialize};

use crate::cases::ids::CaseNumber;
use crate::centre::ids::{CallId, CallerRef, NumberId};
use crate::centre::time::Time;

use super::bulk::{ms, signed};
use super::register::{COLUMNS, CaseRow};
use super::statement::{Conditions, query};
use super::{Store, StoreError};

/// The most cases that one request gets.
const MOST: u32 = 500;

/// Which cases are asked for; what is not given is any.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::IntoParams, utoipa::ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CaseFilter {
    /// Whether somebody owes the resident work.
    #[serde(default)]
    pub open: Option<bool>,
    /// Where it stands.
    #[serde(default)]
    pub state: Option<String>,
    /// With whom.
    #[serde(default)]
    pub organisation: Option<String>,
    /// The topic and all below it.
    #[serde(default)]
    pub topic: Option<String>,
    /// Where.
    #[serde(default)]
    pub district: Option<String>,
    /// Only those whose promise is broken and still owed: worst first.
    #[serde(default)]
    #[param(required = false)]
    pub overdue: bool,
    /// Words that it holds, the best first; see [`Store::search_cases`].
    #[serde(default)]
    pub text: Option<String>,
    /// Those with a smaller id; newest first.
    #[serde(default)]
    pub before: Option<i64>,
    /// How many, 500 at most, 0 for 50.
    #[serde(default)]
    #[param(required = false)]
    pub limit: u32,
}

/// Who asks, as far as it decides what is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The organisation whose cases alone are seen; `None`: the centre, which sees all that is not restricted.
    pub organisation: Option<String>,
    /// The groups whose restricted topics are seen.
    pub groups: Vec<String>,
}

impl Store {
    /// Cases, newest first, or, where the overdue are asked for, those that are latest.
    pub async fn cases(&self, filter: &CaseFilter, sight: &Sight, now: Time) -> Result<Vec<CaseRow>, StoreError> {
        let limit = if filter.limit == 0 { 50 } else { filter.limit.min(MOST) };
        let mut wanted = Conditions::default();
        filter.narrow(&mut wanted, now);
        let order = if filter.overdue {
            "CASE WHEN reaction_kept_ms IS NULL AND reaction_due_ms < resolution_due_ms THEN reaction_due_ms ELSE resolution_due_ms END, id"
        } else {
            "id DESC"
        };
        sight.narrow(&mut wanted);
        let statement = wanted.query(&format!("SELECT {COLUMNS} FROM cases"), &format!("ORDER BY {order} LIMIT $"), i64::from(limit));
        Ok(statement.fetch_all(self.db.readers()).await?)
    }

    /// Whether somebody sees a case at all.
    pub async fn sees_case(&self, number: &CaseNumber, sight: &Sight) -> Result<bool, StoreError> {
        let mut wanted = Conditions::default();
        sight.narrow(&mut wanted);
        let statement = wanted.query("SELECT 1 FROM cases", "AND number = $", number.to_string());
        Ok(statement.fetch_optional::<(i32,)>(self.db.readers()).await?.is_some())
    }

    /// The caller and the short number of a call, for a case that is written in it; `None` where the call is not stored (yet).
    pub async fn caller_of_call(&self, call: CallId) -> Result<Option<(CallerRef, NumberId)>, StoreError> {
        let found: Option<(Option<i64>, Option<String>)> =
            query("SELECT caller, number FROM calls WHERE id = $1").bind(signed(call.0)).fetch_optional(self.db.readers()).await?;
        Ok(found.and_then(|(caller, number)| Some((CallerRef(caller.unwrap_or_default().cast_unsigned()), NumberId::from(number?)))))
    }
}

impl CaseFilter {
    /// Leaves the cases that are asked for; which words they hold is looked up elsewhere.
    pub(super) fn narrow(&self, wanted: &mut Conditions, now: Time) {
        // Also where none is named: SQLite looks from there on downwards. What is overdue has an order of its own.
        if let Some(before) = self.before.or((!self.overdue).then_some(i64::MAX)) {
            wanted.add("id < $", before);
        }
        if let Some(open) = self.open {
            // As a comparison: SQLite looks into no index for a bare column.
            wanted.add_plain(if open { "is_open = TRUE" } else { "is_open = FALSE" });
        }
        for (condition, value) in [("state = $", &self.state), ("organisation = $", &self.organisation), ("district = $", &self.district)] {
            if let Some(value) = value {
                wanted.add(condition, value);
            }
        }
        if let Some(topic) = &self.topic {
            // What lies below begins with the path and "/"; "0" is the character behind "/". A root has many cases: those are looked for from the
            // newest on, and not all gathered by the index of topics first, which a planner that does not know the topic would do.
            let own = if topic.contains('/') { "topic" } else { "topic || ''" };
            wanted.add(&format!("({own} = $ OR ({own} > $ || '/' AND {own} < $ || '0'))"), topic);
        }
        if self.overdue {
            // A case is late for the clock that is owed: the resolution's, or before anybody took it on the reaction's.
            wanted.add("is_open = TRUE AND (resolution_due_ms < $ OR (reaction_kept_ms IS NULL AND reaction_due_ms < $))", ms(now.0));
        }
    }
}

impl Sight {
    /// Of the centre, with the groups of an account.
    pub fn centre(groups: Vec<String>) -> Self {
        Self { organisation: None, groups }
    }

    /// An organisation sees what lies with it, also what is restricted; the centre sees all but the topics of groups that the account is not in.
    pub(super) fn narrow(&self, wanted: &mut Conditions) {
        if let Some(organisation) = &self.organisation {
            return wanted.add("organisation = $", organisation);
        }
        wanted.add_any("restricted IS NULL", "restricted = $", self.groups.clone());
    }
}
