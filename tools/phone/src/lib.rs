//! What does the world that calls Cityline look like? A small SIP phone of our own that proves the server from outside.
//!
//! In reading order: [`Phone`] for tests, [`line`] for programs with thousands of calls on one thread, [`judge`] for what was heard,
//! [`city`] for a seeded city of callers and operators. Below them `sip`, `sdp` and [`media`].

mod desk;
pub mod line;
pub mod phone;

pub mod judge;
pub mod media;
pub mod sdp;
pub mod sip;

pub mod city;

pub mod agenda;
pub mod ports;
pub mod sys;

pub use line::{AnswerOptions, CallOptions, Event, Side};
pub use media::sound::Sound;
pub use phone::{Behaviour, Call, Phone, Then};
