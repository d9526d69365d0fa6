//! Does the whole hold together? One binary for all integration tests, so that they link once.

mod api;
mod calls;
mod city;
mod dialplans;
mod scenarios;
