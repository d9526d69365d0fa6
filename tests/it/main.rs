//! Does the whole hold together? One binary for all integration tests, so that they link once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api;
mod browsers;
mod calls;
mod cases;
mod certificates;
mod chromium;
mod city;
mod days;
mod dialplans;
mod golden;
mod layers;
mod scenarios;
mod signalling;
