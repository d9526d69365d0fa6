//! What if the network between a page and the server is cut? A relay for the desk's socket (TCP) and the sound (UDP), with a switch:
//! while it is cut nothing passes, and no connection is told of it.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Sockets are looked at so often for the switch and the end.
const TURN: Duration = Duration::from_millis(10);

/// The relay; dropping it ends it.
pub struct Cut {
    /// Where the page finds the server's pages and its desk.
    pub web: SocketAddrV4,
    /// Where the page sends its sound.
    pub media: u16,
    switch: Arc<Switch>,
}

#[derive(Default)]
struct Switch {
    cut: AtomicBool,
    over: AtomicBool,
}

impl Cut {
    /// A relay before a server's port for the web and its port for pages' sound.
    pub fn before(web: SocketAddrV4, media: u16) -> Cut {
        let switch = Arc::<Switch>::default();
        let desks = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let sound = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = |address: SocketAddr| address.port();
        let (web_port, media_port) = (port(desks.local_addr().unwrap()), port(sound.local_addr().unwrap()));
        let (of_desks, of_sound) = (switch.clone(), switch.clone());
        thread::spawn(move || carry_desks(&desks, web, &of_desks));
        thread::spawn(move || carry_sound(&sound, media, &of_sound));
        Cut { web: SocketAddrV4::new(Ipv4Addr::LOCALHOST, web_port), media: media_port, switch }
    }

    /// Cuts the network, or mends it.
    pub fn set(&self, cut: bool) {
        self.switch.cut.store(cut, Ordering::SeqCst);
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.switch.over.store(true, Ordering::SeqCst);
    }
}

impl Switch {
    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

fn carry_desks(front: &TcpListener, to: SocketAddrV4, switch: &Arc<Switch>) {
    front.set_nonblocking(true).unwrap();
    while !switch.is_over() {
        match front.accept() {
            Ok((near, _)) if !switch.is_cut() => {
                let Ok(far) = TcpStream::connect(to) else { continue };
                near.set_nonblocking(false).unwrap();
                for (from, to) in [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))] {
                    let (from, to, switch) = (from.unwrap(), to.unwrap(), switch.clone());
                    thread::spawn(move || copy(from, to, &switch));
                }
            }
            Ok(_) => {}
            Err(_) => thread::park_timeout(TURN),
        }
    }
}

/// Bytes of one direction wait while the network is cut, as they would for a repetition of TCP.
fn copy(mut from: TcpStream, mut to: TcpStream, switch: &Switch) {
    from.set_read_timeout(Some(TURN)).unwrap();
    let mut part = [0; 16_384];
    while !switch.is_over() {
        if switch.is_cut() {
            thread::park_timeout(TURN);
            continue;
        }
        match from.read(&mut part) {
            Ok(0) => break,
            Ok(length) => {
                while switch.is_cut() && !switch.is_over() {
                    thread::park_timeout(TURN);
                }
                if to.write_all(&part[..length]).is_err() {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    // The far end of a page that is gone learns it, unless the network is cut.
    let _ = to.shutdown(std::net::Shutdown::Both);
}

fn carry_sound(front: &UdpSocket, to: u16, switch: &Arc<Switch>) {
    front.set_nonblocking(true).unwrap();
    let mut backs: HashMap<SocketAddr, UdpSocket> = HashMap::new();
    let mut part = [0; 2_048];
    while !switch.is_over() {
        let mut idle = true;
        while let Ok((length, from)) = front.recv_from(&mut part) {
            idle = false;
            let back = backs.entry(from).or_insert_with(|| {
                let back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                back.connect((Ipv4Addr::LOCALHOST, to)).unwrap();
                back.set_nonblocking(true).unwrap();
                back
            });
            if !switch.is_cut() {
                let _ = back.send(&part[..length]);
            }
        }
        for (page, back) in &backs {
            while let Ok(length) = back.recv(&mut part) {
                idle = false;
                if !switch.is_cut() {
                    let _ = front.send_to(&part[..length], page);
                }
            }
        }
        if idle {
            thread::park_timeout(Duration::from_millis(2));
        }
    }
}
