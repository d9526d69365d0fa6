//! What does a reload change, and what does a broken one? SIGHUP with a good and with a bad dialplan, while a call is up.

use std::fs;
use std::time::Duration;

use cityline_phone::{Event, Phone, Then};

use super::SOON;
use super::cast::{OPERATOR, calls, chirping, operators, phone_of, rings, short_city};
use super::server::{Place, Server};

#[test]
fn a_broken_reload_keeps_the_running_plan_and_a_good_one_takes_its_place() {
    let place = Place::new("reload");
    let plan = place.folder.join("plan.toml");
    let good = include_str!("../../fixtures/plans/straight.toml");
    fs::write(&plan, good).unwrap();
    let rules = short_city("");
    let settings = format!("dialplans = [\"plan.toml\"]\n{}{}", &rules[rules.find("[queues").unwrap()..], operators(&[("daniyar", "202")]));
    let server = Server::start_at(place, &settings);
    let operator = phone_of(&server, "202", rings(50, Then::Answer, OPERATOR));
    let phone = Phone::on_loopback().unwrap();
    let mut up = calls(&server, &phone, "200", chirping("+77010800001"));
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();

    fs::write(&plan, good.replace("queue = \"general\"", "queue = \"generel\"")).unwrap();
    server.signal("HUP");
    server.until_logged(&["plan.toml:12", "unknown queue \"generel\"", "mend: did you mean \"general\"?", "stay in force"]);
    let mut old = calls(&server, &phone, "200", chirping("+77010800002"));
    old.hang_up().unwrap();
    old.wait_for_end(SOON).unwrap();

    fs::write(&plan, good.replace("number = \"200\"", "number = \"201\"")).unwrap();
    server.signal("HUP");
    server.until_logged(&["are in force"]);
    let mut new = calls(&server, &phone, "201", chirping("+77010800003"));
    let mut gone = phone.call(&server.uri("200"), chirping("+77010800004")).unwrap();
    assert_eq!(gone.wait_for_end(SOON).unwrap(), Event::Rejected(404));
    new.hang_up().unwrap();
    new.wait_for_end(SOON).unwrap();

    assert!(up.wait_until("the end of the call", Duration::from_millis(500), Event::is_last).is_err(), "the call that was up goes on");
    up.hang_up().unwrap();
    answered.wait_for_end(SOON).unwrap();
}
