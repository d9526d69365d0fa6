//! How does the phone signal? RFC 3261 without IO, and the transport that carries it.

pub mod agent;
pub mod digest;
mod inbound;
pub mod message;
mod outbound;
mod registration;
mod transaction;
pub mod transport;
