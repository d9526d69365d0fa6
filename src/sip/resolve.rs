//! Where does DNS say that a host is? SRV first where no port is given, then A and AAAA, asked beside the task that signals (RFC 3263 §4.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::names::{Answer, Place};
use super::peer::Carrier;
use super::srv::{self, Record};
use super::uri::default_port;
use crate::vitals::Pulse;

/// Questions that wait; when there are more, the host is nowhere for the moment.
const WAITING: usize = 64;
/// Lookups under way at once.
const AT_ONCE: usize = 16;
/// How long a lookup may take in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one name server may take.
const SERVER_PATIENCE: Duration = Duration::from_millis(1500);
/// Name servers that are asked, one after the other.
const MOST_SERVERS: usize = 3;
/// Addresses of an answer that are kept.
const MOST_ADDRESSES: usize = 8;
/// The system's own lookup does not say how long its answer holds, in seconds.
const HOLDS_S: u32 = 60;

/// A place, and what a lookup has brought of it.
pub type Resolved = (Place, Option<Answer>);

/// Starts the task that looks hosts up, with these name servers for SRV or with those of the system. It ends with the sender of its questions.
pub fn start(servers: Option<Vec<SocketAddr>>, pulse: Pulse) -> (mpsc::Sender<Place>, mpsc::Receiver<Resolved>) {
    let (questions, mut asked) = mpsc::channel::<Place>(WAITING);
    let (results, resolved) = mpsc::channel(WAITING);
    tokio::spawn(pulse.keep(async move {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        while let Some(place) = asked.recv().await {
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let (results, servers) = (results.clone(), servers.clone());
            tokio::spawn(async move {
                // Whoever waits for the place hears of it, whatever becomes of the look-up.
                let found = AssertUnwindSafe(timeout(PATIENCE, look_up(&place, servers))).catch_unwind().await;
                let answer = found.ok().and_then(Result::ok).flatten();
                let _ = results.send((place, answer)).await;
                drop(permit);
            });
        }
    }));
    (questions, resolved)
}

async fn look_up(place: &Place, servers: Option<Vec<SocketAddr>>) -> Option<Answer> {
    if place.port.is_none() {
        let servers = match servers {
            Some(servers) => servers,
            None => of_system().await,
        };
        let records = services(place, &servers).await;
        if !records.is_empty() {
            return of_records(records).await;
        }
    }
    let addresses = addresses(&place.host, place.port.unwrap_or(default_port(place.carrier))).await;
    (!addresses.is_empty()).then_some(Answer { addresses, holds_s: HOLDS_S })
}

/// The addresses of the records' targets, in their order.
async fn of_records(records: Vec<Record>) -> Option<Answer> {
    let mut found = Answer { addresses: Vec::new(), holds_s: u32::MAX };
    for record in records {
        found.holds_s = found.holds_s.min(record.holds_s);
        found.addresses.extend(addresses(&record.target, record.port).await);
        if found.addresses.len() >= MOST_ADDRESSES {
            break;
        }
    }
    found.addresses.truncate(MOST_ADDRESSES);
    (!found.addresses.is_empty()).then_some(found)
}

async fn addresses(host: &str, port: u16) -> Vec<SocketAddr> {
    lookup_host((host, port)).await.map(|found| found.take(MOST_ADDRESSES).collect()).unwrap_or_default()
}

/// The SRV records of a place, in the order in which they are to be tried; none where no server answers.
async fn services(place: &Place, servers: &[SocketAddr]) -> Vec<Record> {
    let service = match place.carrier {
        Carrier::Udp => "_sip._udp",
        Carrier::Tcp(_) => "_sip._tcp",
        Carrier::Tls(_) => "_sips._tcp",
    };
    for server in servers.iter().take(MOST_SERVERS) {
        let asked = timeout(SERVER_PATIENCE, ask(*server, &format!("{service}.{}", place.host))).await;
        if let Some(records) = asked.ok().flatten() {
            return srv::in_order(records, || chance().unwrap_or(0));
        }
    }
    Vec::new()
}

/// Asks one server; an answer of another making is passed over.
async fn ask(server: SocketAddr, name: &str) -> Option<Vec<Record>> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.ok()?;
    socket.connect(server).await.ok()?;
    let query = srv::query((chance()? >> 16) as u16, name)?;
    socket.send(&query).await.ok()?;
    let mut answer = [0; 4096];
    loop {
        let length = socket.recv(&mut answer).await.ok()?;
        if let Some(records) = srv::read(&query, answer.get(..length)?) {
            return Some(records);
        }
    }
}

fn chance() -> Option<u32> {
    let mut drawn = [0; 4];
    getrandom::fill(&mut drawn).ok()?;
    Some(u32::from_be_bytes(drawn))
}

async fn of_system() -> Vec<SocketAddr> {
    let text = tokio::fs::read_to_string("/etc/resolv.conf").await.unwrap_or_default();
    let servers =
        text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")).filter_map(|address| address.trim().parse::<IpAddr>().ok());
    servers.map(|ip| SocketAddr::new(ip, 53)).take(MOST_SERVERS).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::Clock;
    use crate::vitals::{Part, Vitals};

    /// A name server that knows two services on this machine.
    async fn server() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut query = [0; 512];
            loop {
                let (length, from) = socket.recv_from(&mut query).await.unwrap();
                let forged = srv::tests::answer(&srv::query(1, "_sip._udp.forged.example").unwrap(), &[(1, 1, 1, "localhost")]);
                let honest = srv::tests::answer(&query[..length], &[(20, 0, 5080, "localhost"), (10, 0, 5070, "localhost")]);
                for answer in [forged, honest] {
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        });
        address
    }

    async fn look(host: &str, port: Option<u16>) -> Option<Answer> {
        let (questions, mut resolved) =
            start(Some(vec![server().await]), Vitals::new(Clock::of_process()).pulse(Part::Task("name look-ups")));
        let place = Place { host: host.into(), port, carrier: Carrier::Udp };
        questions.send(place.clone()).await.unwrap();
        let (of, answer) = timeout(Duration::from_secs(10), resolved.recv()).await.unwrap().unwrap();
        assert_eq!(of, place);
        answer
    }

    #[tokio::test]
    async fn services_come_in_their_order_and_a_port_needs_none() {
        let ports = |answer: &Answer| answer.addresses.iter().map(SocketAddr::port).collect::<Vec<_>>();
        let by_service = look("carrier.example", None).await.unwrap();
        assert_eq!((ports(&by_service).first(), ports(&by_service).last(), by_service.holds_s), (Some(&5070), Some(&5080), 60));
        let by_address = look("localhost", Some(5099)).await.unwrap();
        assert!(ports(&by_address).iter().all(|port| *port == 5099), "{by_address:?}");
        assert_eq!(look("nowhere.invalid", Some(5060)).await, None);
    }
}
