//! Cityline: the call-handling server behind a city's short number. The modules in reading order.

pub mod private;

pub mod centre;
pub mod report;

pub mod engine;
pub mod journal;

pub mod clock;
pub mod config;

pub mod caller;
pub mod lanes;
pub mod media;
pub mod sdp_book;

pub mod prompts;
pub mod sip;

pub mod store;
pub mod web;
