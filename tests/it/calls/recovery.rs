//! Do calls outlive the process? `kill -9` while callers wait and talk: the next process takes up the same dialogs, ports and streams.

use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cityline_phone::media::sound::read_wav;
use cityline_phone::phone::Call;
use cityline_phone::{Event, Phone, Then};
use serde_json::json;

use super::baresip::Baresip;
use super::cast::{OPERATOR, RESIDENT, calls, chirping, goes_on, phone_of, rings, short_city, short_city_with_one, talk};
use super::crash::report;
use super::desk::Desk;
use super::server::{Server, a_moment, free_port};
use super::{SOON, heard};

/// Sound must be back this soon after the new process was started.
const SOUND_AGAIN: Duration = Duration::from_secs(5);
/// Of a hundred callers so many must be kept.
const KEPT_OF_100: usize = 98;
/// The last two seconds of what is heard, in samples.
const LAST: usize = 2 * 8_000;

fn wanted(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Of each socket: when the last packet came, and its SSRC.
type Last = Vec<Option<(Instant, u32)>>;

/// Where SIPp's callers want their sound: sockets that are listened to here.
struct Ears {
    ports: Vec<u16>,
    last: Arc<Mutex<Last>>,
    open: Arc<AtomicBool>,
}

impl Ears {
    fn new(count: usize) -> Ears {
        let sockets: Vec<UdpSocket> = (0..count).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        sockets.iter().for_each(|socket| socket.set_nonblocking(true).unwrap());
        let ports = sockets.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
        let last = Arc::new(Mutex::new(vec![None; count]));
        let open = Arc::new(AtomicBool::new(true));
        let (shared, goes_on) = (last.clone(), open.clone());
        std::thread::spawn(move || {
            let mut packet = [0; 2_048];
            while goes_on.load(Ordering::Relaxed) {
                for (socket, last) in sockets.iter().zip(shared.lock().unwrap().iter_mut()) {
                    while let Ok(length) = socket.recv(&mut packet) {
                        let ssrc = packet.get(8..12).filter(|_| length > 12).map(|ssrc| u32::from_be_bytes(ssrc.try_into().unwrap()));
                        *last = ssrc.map(|ssrc| (Instant::now(), ssrc)).or(*last);
                    }
                }
                std::thread::park_timeout(Duration::from_millis(5));
            }
        });
        Ears { ports, last, open }
    }

    fn last(&self) -> Last {
        self.last.lock().unwrap().clone()
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.open.store(false, Ordering::Relaxed);
    }
}

/// SIPp's callers, each of whom calls and stays.
fn sipp(server: &Server, ears: &Ears) -> Child {
    let lines: String = ears.ports.iter().enumerate().map(|(n, port)| format!("{port};+7701055{n:05};\n")).collect();
    let file = server.folder.join("callers.csv");
    std::fs::write(&file, format!("SEQUENTIAL\n{lines}")).unwrap();
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/sipp/waits.xml");
    let (port, count, target) = (free_port().to_string(), ears.ports.len().to_string(), server.sip.to_string());
    let mut command = Command::new("sipp");
    command.args(["-sf", scenario, "-inf"]).arg(file).args(["-i", "127.0.0.1", "-p", &port, "-s", "200", "-m", &count, "-r", "20"]);
    command.args(["-nostdin", &target]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("sipp must be installed: {error}"))
}

/// What is up when the server dies.
struct Scene {
    residents: Vec<Call>,
    operators: Vec<Call>,
    waiting: Vec<Call>,
    ears: Ears,
    sipp: Child,
    baresip: Baresip,
    phones: Vec<Phone>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.sipp.kill();
        let _ = self.sipp.wait();
    }
}

/// Number of operators, their names and phones; the first one's phone is baresip.
fn staff(count: usize) -> String {
    let one = |n: usize| {
        format!(
            "[operators.op{n}]\nskills = [\"kk\", \"ru\"]\nready_when_registered = true\nphone = {{ user = \"9{n:03}\", password = \"secret-9{n:03}\" }}\n"
        )
    };
    (0..count).map(one).collect()
}

/// So many talk, so many wait: half of these with SIPp, half with a phone of ours.
fn scene(server: &Server, talks: usize, waits: usize) -> Scene {
    let account = format!("<sip:9000@{}>;auth_pass=secret-9000;answermode=auto;regint=300;audio_codecs=PCMA/8000/1", server.sip);
    let baresip = Baresip::start("kept", &account, OPERATOR);
    let mut phones: Vec<Phone> = (1..talks).map(|n| phone_of(server, &format!("9{n:03}"), rings(20, Then::Answer, OPERATOR))).collect();
    let ready = "SELECT count(*) FROM agent_states WHERE state = 'ready' AND until_ms IS NULL";
    server.rows_until(ready, SOON, |rows| rows == talks.to_string());
    let resident = Phone::on_loopback().unwrap();
    let residents: Vec<Call> = (0..talks).map(|n| calls(server, &resident, "200", chirping(&format!("+7701066{n:05}")))).collect();
    let mut operators: Vec<Call> = phones.iter().map(|phone| phone.next_call(SOON).unwrap()).collect();
    operators.iter_mut().for_each(|call| drop(call.wait_for(Event::FirstSound, SOON).unwrap()));
    server.rows_until("SELECT count(*) FROM calls WHERE connected_ms > 0", SOON, |rows| rows == talks.to_string());
    let ears = Ears::new(waits / 2);
    let sipp = sipp(server, &ears);
    let mut waiting: Vec<Call> =
        (waits / 2..waits).map(|n| calls(server, &resident, "200", chirping(&format!("+7701077{n:05}")))).collect();
    waiting.iter_mut().for_each(|call| drop(call.wait_for(Event::FirstSound, SOON).unwrap()));
    phones.push(resident);
    server.rows_until("SELECT count(*) FROM queue_events WHERE left_ms IS NULL", SOON, |rows| rows == waits.to_string());
    Scene { residents, operators, waiting, ears, sipp, baresip, phones }
}

/// Who waits, in the order in which they are served.
fn queue(server: &Server) -> String {
    server.rows("SELECT call_id FROM queue_events WHERE left_ms IS NULL ORDER BY entered_ms, call_id")
}

/// When the last packet came to each of our own calls, in nanoseconds since the epoch.
fn last_ns(calls: &[Call]) -> Vec<u64> {
    calls.iter().map(|call| call.record().unwrap().heard.arrivals.last_ns).collect()
}

fn now_ns() -> u64 {
    u64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

impl Scene {
    fn ours(&self) -> impl Iterator<Item = &[Call]> {
        [self.residents.as_slice(), &self.operators, &self.waiting].into_iter()
    }

    /// How many have had sound since then.
    fn with_sound_since(&self, start: Instant, start_ns: u64) -> usize {
        let sipp = self.ears.last().iter().flatten().filter(|(at, _)| *at > start).count();
        sipp + self.ours().flat_map(last_ns).filter(|at| *at > start_ns).count()
    }
}

/// Seconds from the start of the new process until all who can have sound again, and how many that are.
fn sound_again(scene: &Scene, all: usize, start: Instant, start_ns: u64) -> (f64, usize) {
    loop {
        let found = scene.with_sound_since(start, start_ns);
        if found == all || start.elapsed() > SOUND_AGAIN {
            return (start.elapsed().as_secs_f64(), found);
        }
        a_moment();
    }
}

fn recovered(server: &Server) -> usize {
    let (_, text) = server.get("/metrics").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("cityline_sip_legs_recovered_total "));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

fn one_crash(round: usize, talks: usize, waits: usize) -> (f64, usize) {
    let settings = short_city("") + "[limits]\ndrain_ms = 200\n" + &staff(talks);
    let server = Server::start(&format!("recovery{round}"), &settings);
    let mut scene = scene(&server, talks, waits);
    goes_on(&mut scene.residents[0], Duration::from_millis(1_500));
    let (before, ssrcs) = (queue(&server), scene.ears.last());
    let ours = 2 * talks - 1 + waits;
    let place = server.kill();
    let (start, start_ns) = (Instant::now(), now_ns());
    let server = Server::start_at(place, &settings);
    let (seconds, with_sound) = sound_again(&scene, ours, start, start_ns);
    assert!(with_sound * 100 >= ours * KEPT_OF_100, "round {round}: {with_sound} of {ours} have sound after {seconds:.1} s");

    let legs = 2 * talks + waits;
    let limit = Instant::now() + SOON;
    while recovered(&server) < legs && Instant::now() < limit {
        a_moment();
    }
    let found = recovered(&server);
    assert!(found * 100 >= legs * KEPT_OF_100, "round {round}: {found} of {legs} legs are in their dialogs\n{}", server.log());
    if found == legs {
        assert_eq!(queue(&server), before, "the order of the queue");
        assert_eq!(server.rows("SELECT count(*) FROM callbacks"), "0");
    }
    for (before, after) in ssrcs.iter().zip(scene.ears.last()) {
        assert_eq!(before.map(|(_, ssrc)| ssrc), after.map(|(_, ssrc)| ssrc), "the same stream");
    }
    the_talks_go_on(&server, &mut scene, talks);
    the_first_is_served_first(&server, &mut scene, &before);
    let all = (talks + waits).to_string();
    let place = server.terminate();
    assert_eq!(place.rows("SELECT count(*) FROM calls"), all, "no call twice");
    assert_eq!(place.rows("SELECT count(*) FROM calls WHERE ended_ms IS NULL"), "0");
    assert_eq!(place.rows("SELECT count(*) FROM recordings WHERE length_ms IS NULL"), "0");
    scene.phones.clear();
    let _ = std::fs::remove_dir_all(&place.folder);
    (seconds, found)
}

/// Both sides hear each other again, in the dialog of before, and a second recording holds it.
fn the_talks_go_on(server: &Server, scene: &mut Scene, talks: usize) {
    let goes_on = |calls: &mut [Call], voice| {
        let dialog = |call: &mut Call| call.wait_until("a re-INVITE", SOON, |event| matches!(event, Event::Changed { .. })).is_ok();
        let in_dialog = calls.iter_mut().filter_map(|call| dialog(call).then_some(())).count();
        let limit = Instant::now() + SOON;
        let hears = |call: &Call| {
            let pcm = call.record().unwrap().heard.timeline().pcm;
            heard(&pcm[pcm.len().saturating_sub(LAST)..], voice).is_some_and(|hearing| hearing.chirps.len() >= 5)
        };
        while !calls.iter().all(hears) && Instant::now() < limit {
            a_moment();
        }
        (in_dialog, calls.iter().filter(|call| hears(call)).count())
    };
    assert_eq!(goes_on(&mut scene.residents, OPERATOR), (talks, talks), "re-INVITEs, and residents who hear their operators");
    assert_eq!(goes_on(&mut scene.operators, RESIDENT), (talks - 1, talks - 1));
    server.rows_until("SELECT count(*) FROM recordings WHERE n = 2", SOON, |rows| rows == talks.to_string());
    server.rows_until("SELECT count(*) FROM recordings WHERE n = 1 AND length_ms > 0", SOON, |rows| rows == talks.to_string());
}

/// A resident hangs up: the dialog of before takes the BYE, and the operator gets the one who has waited longest.
fn the_first_is_served_first(server: &Server, scene: &mut Scene, before: &str) {
    let mut first = scene.residents.swap_remove(0);
    first.hang_up().unwrap();
    first.wait_for_end(SOON).unwrap();
    server.rows_until("SELECT count(*) FROM calls WHERE end_reason = 'caller_hung_up'", SOON, |rows| rows == "1");
    let served = "SELECT call_id FROM queue_events WHERE how = 'answered' ORDER BY left_ms DESC LIMIT 1";
    let first = before.lines().next().unwrap_or_default();
    server.rows_until(served, SOON, |rows| rows == first);
    assert!(!scene.baresip.log().is_empty());
}

/// `SOAK_CRASHES`, `SOAK_TALKS` and `SOAK_WAITS` make it larger.
#[test]
fn who_waits_and_who_talks_is_kept_through_kill_9() {
    let (rounds, talks, waits) = (wanted("SOAK_CRASHES", 1), wanted("SOAK_TALKS", 2), wanted("SOAK_WAITS", 4));
    let all: Vec<(f64, usize)> = (1..=rounds).map(|round| one_crash(round, talks, waits)).collect();
    let worst = all.iter().map(|(seconds, _)| *seconds).fold(0.0, f64::max);
    let legs = 2 * talks + waits;
    let kept: usize = all.iter().map(|(_, found)| found).sum();
    report(&format!("| `kill -9` with {waits} waiting (SIPp, our phone) and {talks} talking (our phones, one baresip) | {rounds} times |"));
    report(&format!("| legs taken up in the same dialog | {kept} of {} |", legs * rounds));
    report(&format!("| sound again after the new start | {worst:.1} s at most |"));
    report("| order of the queue | identical; the first was served first |");
}

/// Her page comes back to the new process: it is told the resident's story, and holds, resumes and writes as before.
/// Samples of 1/8000 s.
const HALF_A_SECOND: usize = 4_000;

#[test]
fn the_desk_of_an_operator_who_talks_goes_on_through_kill_9() {
    let settings = short_city_with_one().replace("wrap_up_ms = 500", "wrap_up_ms = 60000");
    let server = Server::start("recovery-desk", &settings);
    let mut desk = Desk::open(&server, "daniyar", "operator");
    let talk = talk(&server, chirping("+77010550001"), Then::Answer);
    let call = desk.until("the call", |message| message["type"] == "offer")["call"].clone();
    desk.until("talking", |message| message["type"] == "state" && message["state"] == "talking");
    // What a leg needs in the next process is kept some milliseconds after its agreement: a talk is meant here, not its first moment.
    let limit = Instant::now() + SOON;
    while read_wav(&server.recording(1, 1)).map_or(0, |channels| channels[0].len()) < HALF_A_SECOND {
        assert!(Instant::now() < limit, "no talk is recorded");
        a_moment();
    }
    desk.brings(json!({ "type": "hold", "call": call }), "held");
    let place = server.kill();
    drop(desk);

    let server = Server::start_at(place, &settings);
    let limit = Instant::now() + SOON;
    while recovered(&server) < 2 {
        assert!(Instant::now() < limit, "{} of 2 legs are taken up", recovered(&server));
        a_moment();
    }
    let mut desk = Desk::open(&server, "daniyar", "operator");
    let shown = desk.until("the call again", |message| message["type"] == "offer");
    assert_eq!((&shown["call"], &shown["ringing"]), (&call, &json!(false)));
    desk.until("held", |message| message["type"] == "call_state" && message["state"] == "held");
    desk.until("the story", |message| message["type"] == "context" && message["story"]["number"] == "+77010550001");
    desk.brings(json!({ "type": "resume", "call": call }), "resumed");
    desk.brings(json!({ "type": "hold", "call": call }), "held");
    desk.order(json!({ "type": "write_case", "call": call, "topic": "heating", "text": "no heating", "draft": "form-1" }));
    desk.until("a number for the case", |message| message["type"] == "case_saved");
    let resident = talk.call;
    resident.hang_up().unwrap();
    desk.until("the end", |message| message["type"] == "call_state" && message["state"] == "ended");
    drop(desk);
    let mut desk = Desk::open(&server, "daniyar", "operator");
    desk.until("the call while it is written up", |message| message["type"] == "offer" && message["call"] == call);
}
