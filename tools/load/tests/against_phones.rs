//! Does the load tool judge as it should? Against its own far end and against a phone that is at fault.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use cityline_phone::ports::free_port;
use cityline_phone::{AnswerOptions, Behaviour, Phone, Sound, Then};

struct FarEnd(Child);

impl Drop for FarEnd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn load(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cityline-load"));
    command.args(arguments);
    command
}

fn far_end() -> (FarEnd, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let child = load(&["--mode", "answer", "--operators-at", &address, "--seconds", "60"]).spawn().unwrap();
    (FarEnd(child), address)
}

fn run(name: &str, arguments: &[&str]) -> (ExitStatus, serde_json::Value) {
    let path: PathBuf = std::env::temp_dir().join(format!("cityline-load-{name}-{}.json", std::process::id()));
    let status = load(arguments).args(["--report", path.to_str().unwrap()]).status().unwrap();
    let report = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    fs::remove_file(path).unwrap();
    (status, report)
}

#[test]
fn sets_up_calls_at_a_rate() {
    let (far, target) = far_end();
    let pid = far.0.id().to_string();
    let (_, report) = run("setups", &["--mode", "setups", "--target", &target, "--calls", "100", "--rate", "100", "--pid", &pid]);
    assert_eq!((report["reached"].as_u64(), report["failed"].as_u64()), (Some(100), Some(0)), "{report:#}");
    assert_eq!(report["first_packet_ms"]["count"].as_u64(), Some(100));
    assert!(report["cpu_ms_per_call"].as_f64().unwrap() > 0.0 && report["set_up_ms"]["p50"].as_f64().unwrap() < 500.0);
}

#[test]
fn holds_calls_and_hears_them() {
    let (_far, target) = far_end();
    let (_, report) = run("music", &["--mode", "music", "--target", &target, "--calls", "20", "--rate", "100", "--seconds", "1"]);
    assert_eq!((report["reached"].as_u64(), report["callers"]["sequence_lost"].as_u64()), (Some(20), Some(0)), "{report:#}");
    assert_eq!(report["callers_content"]["heard"].as_u64(), Some(20), "{report:#}");
    assert!(report["own"][0]["echo_gap_ms_p99"].as_u64().unwrap() >= 20);
}

#[test]
fn sees_refusals_and_silence() {
    let phone = Phone::on_loopback().unwrap();
    let target = phone.address().to_string();
    phone.on_call(Behaviour { ring_for: Duration::ZERO, then: Then::Reject(503), answer: AnswerOptions::default() }).unwrap();
    let (status, report) = run("refused", &["--mode", "setups", "--target", &target, "--calls", "5"]);
    assert_eq!((status.success(), report["failed_by_code"]["503"].as_u64()), (false, Some(5)));
    phone.on_call(Behaviour::answering(Duration::ZERO, Sound::Silence)).unwrap();
    let arguments = ["--mode", "music", "--target", &target, "--calls", "2", "--seconds", "0.5"];
    let (_, report) = run("silent", &arguments);
    assert_eq!((report["reached"].as_u64(), report["callers_content"]["heard"].as_u64()), (Some(2), Some(0)), "{report:#}");
}
