//! Signalling alone, answering every call to 109: for SIPp, for torture tests and for measuring what signalling costs.
//!
//! `cargo run --example answering -- 127.0.0.1:5090`; UDP and TCP on the same port, loopback as the only trunk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "../tests/it/signalling/core.rs"]
mod core;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5090".to_owned());
    core::line(&address, &address).await.answer_all().await;
}
