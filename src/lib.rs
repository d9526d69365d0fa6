//! Cityline: the call-handling server behind a city's short number. The modules in reading order.

pub mod private;

pub mod centre;

pub mod cases;
pub mod report;
pub mod staffing;

pub mod engine;
pub mod journal;

pub mod clock;
pub mod config;

pub mod caller;
pub mod kept;
pub mod keying;
pub mod lanes;
pub mod number_book;
pub mod sdp_book;
pub mod vitals;

pub mod sip;

pub mod prompts;

pub mod media;

pub mod store;

pub mod web;

#[cfg(test)]
mod fuzz;

pub mod app;
pub mod demo;
