//! What was reported, and what became of it? Pure rules: numbers, transitions, terms, clocks, escalation, incidents, the chain.
//!
//! A case is the fold of its [`event::Event`]s. A wish becomes an event in [`decide`] or is refused with the reason; the store appends
//! the event, linked to the one before by [`chain`], and nothing ever changes one.

pub mod address;
pub mod assignment;
pub mod case;
pub mod chain;
pub mod clocks;
pub mod contact;
pub mod decide;
pub mod escalation;
pub mod event;
pub mod ids;
pub mod incident;
pub mod incident_life;
pub mod station;
pub mod telling;
pub mod terms;
pub mod words;
pub mod worktime;
