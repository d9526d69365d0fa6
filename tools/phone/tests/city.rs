//! Do callers and operators of the city find, hear and leave each other, without any server between them?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{Ipv4Addr, SocketAddrV4};
use std::thread;
use std::time::Duration;

use cityline_phone::city::{CallerOptions, OperatorOptions, run_callers, run_operators};
use cityline_phone::ports::free_port;
use cityline_phone::sip::digest::Credentials;

#[test]
fn each_side_hears_the_other() {
    let room = SocketAddrV4::new(Ipv4Addr::LOCALHOST, free_port());
    let user = |user: &str| Credentials { user: user.to_owned(), password: String::new() };
    let mut operators = OperatorOptions::for_target(room, vec![user("109"), user("1520")]);
    operators.source = room;
    operators.register = false;
    operators.duration = Duration::from_secs(5);
    operators.ring = (Duration::ZERO, Duration::from_millis(50));
    operators.talk = Duration::from_millis(200);
    let worked = thread::spawn(move || run_operators(&operators, &mut |_| {}).unwrap());
    let mut options = CallerOptions::for_target(room);
    options.calls_per_minute = 120.0;
    options.duration = Duration::from_secs(3);
    options.silent = 1.0;
    let mut told = 0;
    let callers = run_callers(&options, &mut |_| told += 1).unwrap();
    let operators = worked.join().unwrap();
    assert!(callers.answered >= 2 && told >= 2, "{callers:?}");
    assert_eq!(callers.answered + callers.failed + callers.released + callers.abandoned, callers.calls, "{callers:?}");
    assert!(callers.failed_by_code.keys().all(|code| *code == 486), "{callers:?}");
    assert_eq!((operators.talks, operators.talks_heard), (operators.answered, operators.answered), "{operators:?}");
    assert_eq!((callers.chirps_missing, operators.chirps_missing), (0, 0));
    assert!(operators.heard_share() >= 1.0);
}
