//! Does the web layer keep its promises to browsers, and refuse the rest?

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod away;
mod board;
mod cabinet;
mod city;
mod contract;
mod desk;
mod desk_load;
mod desk_work;
mod health;
mod http;
mod orders;
mod pages;
mod people;
mod recordings;
mod reference;
mod register;
mod secure;
mod shifts;
mod sign_in;
mod supervision;
