//! Does a carrier's proxy stand well between residents and us? kamailio in front as a trunk over TLS: it records its route in both
//! directions, and changes the transport on its way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cityline_phone::media::sound::read_wav;
use cityline_phone::{Event, Phone, Side, Then};

use super::baresip::Baresip;
use super::cast::{CENTRE_112, ONE_OPERATOR, OPERATOR, RESIDENT, chirping, ended, goes_on, phone_of, record, rings, short_city};
use super::cast::{operators, until_operator_is};
use super::server::{Server, a_moment, free_port};
use super::{SOON, heard};
use crate::certificates::Certificates;

/// Where kamailio listens: an address that no phone of the tests has.
const HOST: &str = "127.0.0.2";

/// A running kamailio. Dropping it ends the process and its children.
struct Kamailio {
    process: Child,
    folder: PathBuf,
    /// Its certificates, which it reads whenever it likes.
    _own: Certificates,
}

/// Its ports, and those that it needs to know.
#[derive(Clone, Copy)]
struct Ports {
    udp: u16,
    tls: u16,
    /// Where Cityline takes calls over TLS.
    city: u16,
    /// Where calls for 112 go, over UDP.
    centre: u16,
}

/// It takes residents' calls over UDP and hands them to the city over TLS, and calls for 112 from the city to the centre over UDP.
fn script(ports: Ports, own: &Certificates) -> String {
    let Ports { udp, tls, city, centre } = ports;
    let (certificate, key, authority) = (own.path("server.pem"), own.path("server.key"), own.path("ca.pem"));
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
enable_tls=yes
tcp_source_ipv4={HOST}
listen=udp:{HOST}:{udp}
listen=tls:{HOST}:{tls}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "tls.so"
modparam("rr", "enable_double_rr", 1)
modparam("tls", "certificate", "{certificate}")
modparam("tls", "private_key", "{key}")
modparam("tls", "ca_list", "{authority}")
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "verify_certificate", 1)
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
        sl_send_reply("404", "Not Here");
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (!is_method("INVITE")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    t_check_trans();
    record_route();
    if ($rU == "112") {{ $du = "sip:127.0.0.1:{centre}"; }} else {{ $du = "sip:127.0.0.1:{city};transport=tls"; }}
    t_relay();
}}
"#,
        certificate = certificate.display(),
        key = key.display(),
        authority = authority.display(),
    )
}

impl Kamailio {
    fn start(name: &str, ports: Ports, own: Certificates) -> Kamailio {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kamailio-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("kamailio.cfg"), script(ports, &own)).unwrap();
        let out = fs::File::create(folder.join("log")).unwrap();
        let process = Command::new("kamailio")
            .args(["-DD", "-E", "-m", "64", "-M", "8", "-f"])
            .arg(folder.join("kamailio.cfg"))
            .arg("-Y")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| panic!("kamailio must be installed: {error}"));
        let mut proxy = Kamailio { process, folder, _own: own };
        let limit = Instant::now() + SOON;
        while std::net::TcpStream::connect((HOST, ports.tls)).is_err() {
            let ended = proxy.process.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < limit, "kamailio does not start:\n{}", proxy.log());
            a_moment();
        }
        proxy
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its first process takes the others along, if it is asked.
        let _ = Command::new("kill").args(["-s", "TERM", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A city whose only trunk is kamailio, and kamailio in front of it. `settings` come on top of the trunk.
fn city(name: &str, centre: u16, settings: &str) -> (Server, Kamailio, Ports) {
    let own = Certificates::new(name);
    let ports = Ports { udp: free_port(), tls: free_port(), city: free_port(), centre };
    let [certificate, key, trusted] = ["server.pem", "server.key", "ca.pem"].map(|file| format!("{:?}", own.path(file)));
    let address = format!("\"127.0.0.1:{}\"", ports.city);
    let secure = [
        ("CITYLINE_SIP__TLS", address.as_str()),
        ("CITYLINE_SIP__CERTIFICATE", &certificate),
        ("CITYLINE_SIP__KEY", &key),
        ("CITYLINE_SIP__TRUSTED", &trusted),
    ];
    let trunk = format!("{settings}[trunks.carrier]\nto = \"{HOST}:{}\"\ntransport = \"tls\"\ncheck_s = 1\n", ports.tls);
    let server = Server::start_with(name, &trunk, &secure);
    let proxy = Kamailio::start(name, ports, own);
    (server, proxy, ports)
}

#[test]
fn residents_who_come_through_kamailio_are_heard_and_hung_up_on() {
    let (server, _proxy, ports) = city("kamailio-in", free_port(), &(short_city("") + &operators(&[("daniyar", "202")])));
    let operator = phone_of(&server, "202", rings(100, Then::Answer, OPERATOR));
    until_operator_is(&server, "daniyar", "ready", SOON);
    let account = format!("<sip:+77010600001@{HOST}:{}>;regint=0;mediaenc=srtp-mand;audio_codecs=PCMA/8000/1", ports.udp);
    let resident = Baresip::start("behind-kamailio", &account, RESIDENT);
    resident.order("dial", &format!("sip:200@{HOST}:{}", ports.udp));
    let mut answered = operator.next_call(SOON).unwrap();
    assert_eq!(answered.from, "+77010600001");
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    resident.until("talk of four seconds", || read_wav(&server.recording(1, 1)).is_ok_and(|channels| channels[0].len() >= 4 * 8_000));
    // Our BYE finds the resident along the route that kamailio recorded, back from TLS to UDP.
    answered.hang_up().unwrap();
    assert_eq!(ended(&server, "end_reason"), "operator_hung_up");
    let at_operator = record(&mut answered).heard.timeline().pcm;
    assert!(heard(&at_operator, RESIDENT).is_some_and(|hearing| hearing.chirps.len() >= 12), "the operator hears the resident");
    assert!(heard(&resident.heard(), OPERATOR).is_some_and(|hearing| hearing.chirps.len() >= 12), "the resident hears the operator");
    let channels = read_wav(&server.recording(1, 1)).unwrap();
    let [left, right] = channels.as_slice() else { panic!("two channels, not {}", channels.len()) };
    assert!(heard(left, RESIDENT).is_some_and(|hearing| hearing.chirps.len() >= 12) && heard(left, OPERATOR).is_none());
    assert!(heard(right, OPERATOR).is_some_and(|hearing| hearing.chirps.len() >= 12) && heard(right, RESIDENT).is_none());
    // Who does not come through the trunk is a stranger.
    let stranger = Phone::on_loopback().unwrap();
    let mut refused = stranger.call(&server.uri("200"), chirping("+77010600002")).unwrap();
    assert_eq!(refused.wait_for_end(SOON).unwrap(), Event::Rejected(403));
}

#[test]
fn key_0_reaches_112_through_kamailio_and_either_side_may_end_it() {
    let centre = Phone::on_loopback().unwrap();
    centre.on_call(rings(200, Then::Answer, CENTRE_112)).unwrap();
    let (server, _proxy, ports) = city("kamailio-out", centre.address().port(), ONE_OPERATOR);
    for (n, resident_ends) in [true, false].into_iter().enumerate() {
        let phone = Phone::on_loopback().unwrap();
        let uri = format!("sip:109@{HOST}:{}", ports.udp);
        let mut call = phone.call(&uri, chirping(&format!("+7701060001{n}"))).unwrap();
        call.wait_for(Event::Answered, SOON).unwrap();
        call.wait_for(Event::FirstSound, SOON).unwrap();
        call.press("0").unwrap();
        let mut answered = centre.next_call(SOON).unwrap();
        assert_eq!(answered.to, "112");
        answered.wait_for(Event::Confirmed, SOON).unwrap();
        goes_on(&mut call, Duration::from_secs(2));
        let (leaves, stays) = if resident_ends { (&mut call, &mut answered) } else { (&mut answered, &mut call) };
        leaves.hang_up().unwrap();
        assert_eq!(stays.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
        let [resident, centre] = [&mut call, &mut answered].map(|side| record(side).heard.timeline().pcm);
        assert!(heard(&resident, CENTRE_112).is_some_and(|hearing| hearing.chirps.len() >= 6), "the resident hears 112");
        assert!(heard(&centre, RESIDENT).is_some_and(|hearing| hearing.chirps.len() >= 6), "112 hears the resident");
    }
    let reasons = server.rows_until("SELECT end_reason FROM calls WHERE ended_ms > 0 ORDER BY id", SOON, |rows| rows.lines().count() == 2);
    assert_eq!(reasons, "caller_hung_up\noutside_ended");
}
