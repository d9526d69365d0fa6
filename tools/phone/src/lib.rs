//! A small SIP phone.
