//! What does an operator's page do? It signs in, opens the desk's socket, connects its sound, says ready, and answers what it is offered.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_PCMA, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState, RTCPeerConnectionState,
};
use webrtc::runtime::default_runtime;

/// What takes longer than this has failed.
const LIMIT: Duration = Duration::from_secs(30);
const FRAME_MS: u64 = 20;
const FRAME: usize = 160;
/// A-law's byte for no sound.
const SILENCE: u8 = 0xd5;
const PCMA: u8 = 8;

type Problem = Box<dyn Error + Send + Sync>;

/// How far the run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Pages connect and are called.
    Begins,
    /// What is heard counts.
    Measured,
    /// Everybody ends.
    Over,
}

/// What all pages together have heard in the measured time.
#[derive(Default)]
pub struct Heard {
    packets: AtomicU64,
    lost: AtomicU64,
    talking: AtomicU64,
    answered_ms: Mutex<Vec<f64>>,
}

impl Heard {
    /// Pages that hear their callers.
    pub fn talking(&self) -> usize {
        self.talking.load(Ordering::Relaxed) as usize
    }

    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// From "yes" to the caller's first packet, of each page.
    pub fn answered_ms(&self) -> Vec<f64> {
        self.answered_ms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How often and after how long ready is said again.
const READY_TRIES: u32 = 20;
const READY_AGAIN: Duration = Duration::from_millis(200);

/// A page whose sound is connected and whose operator is ready.
pub struct Page {
    /// From the offer of its sound to the connection.
    pub connected_ms: f64,
    socket: WebSocketStream<TcpStream>,
    connection: Arc<dyn PeerConnection>,
    phases: watch::Receiver<Phase>,
    accepted: Arc<Mutex<Option<Instant>>>,
}

struct Handler {
    gathered: mpsc::Sender<()>,
    connected: mpsc::Sender<()>,
    phases: watch::Receiver<Phase>,
    heard: Arc<Heard>,
    accepted: Arc<Mutex<Option<Instant>>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.gathered.try_send(());
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            let _ = self.connected.try_send(());
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        tokio::spawn(listen(track, self.phases.clone(), self.heard.clone(), self.accepted.clone()));
    }
}

/// Counts what comes: a number that is left out is a packet that was lost.
async fn listen(track: Arc<dyn TrackRemote>, phases: watch::Receiver<Phase>, heard: Arc<Heard>, accepted: Arc<Mutex<Option<Instant>>>) {
    let mut last: Option<u16> = None;
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
        let began = accepted.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(began) = began {
            heard.answered_ms.lock().unwrap_or_else(PoisonError::into_inner).push(began.elapsed().as_secs_f64() * 1000.0);
            heard.talking.fetch_add(1, Ordering::Relaxed);
        }
        let number = packet.header.sequence_number;
        let step = last.replace(number).map_or(1, |last| number.wrapping_sub(last));
        if *phases.borrow() == Phase::Measured {
            heard.packets.fetch_add(1, Ordering::Relaxed);
            // One that is overtaken counts as lost here: on loopback none is.
            heard.lost.fetch_add(u64::from(step.saturating_sub(1)), Ordering::Relaxed);
        }
    }
}

impl Page {
    /// Signs in, connects the sound and says ready. Errors: what the server refused, or what took too long.
    pub async fn open(web: &str, name: &str, phases: watch::Receiver<Phase>, heard: Arc<Heard>) -> Result<Page, Problem> {
        let mut socket = desk(web, name).await?;
        let (gathered, mut is_gathered) = mpsc::channel(1);
        let (connected, mut is_connected) = mpsc::channel(1);
        let accepted = Arc::new(Mutex::new(None));
        let handler = Handler { gathered, connected, phases: phases.clone(), heard, accepted: accepted.clone() };
        let track = track();
        let connection = connection(handler).await?;
        connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await?;
        let offer = connection.create_offer(None).await?;
        connection.set_local_description(offer).await?;
        let _ = tokio::time::timeout(LIMIT, is_gathered.recv()).await;
        let sdp = connection.local_description().await.ok_or("no description")?.sdp;
        let began = Instant::now();
        send(&mut socket, json!({ "type": "sound", "sdp": sdp })).await?;
        let answer = until(&mut socket, |told| told["type"] == "sound").await?;
        let text = answer["sdp"].as_str().unwrap_or_default().to_owned();
        connection.set_remote_description(RTCSessionDescription::answer(text)?).await?;
        tokio::time::timeout(LIMIT, is_connected.recv()).await.map_err(|_| format!("{name} is not connected"))?;
        let connected_ms = began.elapsed().as_secs_f64() * 1000.0;
        tokio::spawn(speak(track, phases.clone()));
        // Our end of the sound may be up some moments before the server's.
        let mut tries = 0;
        loop {
            send(&mut socket, json!({ "type": "ready" })).await?;
            match until(&mut socket, |told| told["type"] == "state" && told["state"] == "ready").await {
                Ok(_) => break,
                Err(error) if tries == READY_TRIES => return Err(error),
                Err(_) => tokio::time::sleep(READY_AGAIN).await,
            }
            tries += 1;
        }
        Ok(Page { connected_ms, socket, connection, phases, accepted })
    }

    /// Takes what is offered until the run is over.
    pub async fn work(mut self) {
        loop {
            tokio::select! {
                changed = self.phases.changed() => {
                    if changed.is_err() || *self.phases.borrow() == Phase::Over {
                        break;
                    }
                }
                message = self.socket.next() => {
                    let Some(Ok(message)) = message else { break };
                    if self.received(message).await.is_err() {
                        break;
                    }
                }
            }
        }
        let _ = self.connection.close().await;
    }

    async fn received(&mut self, message: Message) -> Result<(), Problem> {
        let Message::Text(text) = message else { return Ok(()) };
        let told: Value = serde_json::from_str(&text)?;
        match told["type"].as_str() {
            Some("echo") => send(&mut self.socket, json!({ "type": "echo", "n": told["n"] })).await,
            Some("offer") if told["ringing"] != json!(false) => {
                send(&mut self.socket, json!({ "type": "offer_shown", "call": told["call"] })).await?;
                *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                send(&mut self.socket, json!({ "type": "accept", "call": told["call"] })).await
            }
            _ => Ok(()),
        }
    }
}

fn pcma() -> RTCRtpCodec {
    RTCRtpCodec { mime_type: MIME_TYPE_PCMA.to_owned(), clock_rate: 8000, channels: 0, sdp_fmtp_line: String::new(), rtcp_feedback: vec![] }
}

fn track() -> Arc<TrackLocalStaticRTP> {
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
        codec: pcma(),
        ..Default::default()
    };
    let names = ["stream", "track", "microphone"].map(str::to_owned);
    let [stream, track, label] = names;
    Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(stream, track, label, RtpCodecKind::Audio, vec![encoding])))
}

/// Each page has a connection of its own, so that all may have the same.
const SSRC: u32 = 0x1234_5678;

async fn connection(handler: Handler) -> Result<Arc<dyn PeerConnection>, Problem> {
    let mut media = MediaEngine::default();
    media.register_codec(RTCRtpCodecParameters { rtp_codec: pcma(), payload_type: PCMA, ..Default::default() }, RtpCodecKind::Audio)?;
    let registry = register_default_interceptors(Registry::new(), &mut media)?;
    let connection = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(media)
        .with_setting_engine(SettingEngineBuilder::new().with_include_loopback_candidate(true).build())
        .with_interceptor_registry(registry)
        .with_handler(Arc::new(handler))
        .with_runtime(default_runtime().ok_or("no runtime")?)
        .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
        .build()
        .await?;
    Ok(Arc::new(connection))
}

/// Fifty packets a second, of a sound that is not silence, until the run is over.
async fn speak(track: Arc<TrackLocalStaticRTP>, phases: watch::Receiver<Phase>) {
    let sound: Vec<u8> = (0..FRAME).map(|n| if n % 2 == 0 { SILENCE } else { SILENCE ^ 0x30 }).collect();
    let payload = Bytes::from(sound);
    let mut turns = tokio::time::interval(Duration::from_millis(FRAME_MS));
    let (mut sequence_number, mut timestamp) = (1_u16, 0_u32);
    while *phases.borrow() != Phase::Over {
        turns.tick().await;
        let header = rtp::header::Header { version: 2, payload_type: PCMA, sequence_number, timestamp, ssrc: SSRC, ..Default::default() };
        if track.write_rtp(rtp::Packet { header, payload: payload.clone() }).await.is_err() {
            return;
        }
        (sequence_number, timestamp) = (sequence_number.wrapping_add(1), timestamp.wrapping_add(FRAME as u32));
    }
}

/// The open socket of a desk whose operator is signed in.
async fn desk(web: &str, name: &str) -> Result<WebSocketStream<TcpStream>, Problem> {
    let cookie = sign_in(web, name).await?;
    let mut request = format!("ws://{web}/desk").into_client_request()?;
    request.headers_mut().insert("Cookie", cookie.parse()?);
    request.headers_mut().insert("Origin", format!("http://{web}").parse()?);
    let stream = TcpStream::connect(web).await?;
    stream.set_nodelay(true)?;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await?;
    until(&mut socket, |told| told["type"] == "welcome").await?;
    Ok(socket)
}

async fn sign_in(web: &str, name: &str) -> Result<String, Problem> {
    let body = json!({ "name": name, "password": format!("pw-{name}") }).to_string();
    let mut stream = TcpStream::connect(web).await?;
    let head = format!(
        "POST /api/login HTTP/1.1\r\nHost: {web}\r\nOrigin: http://{web}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let mut lines = answer.lines().filter_map(|line| line.split_once(": "));
    let cookie = lines.find(|(header, _)| header.eq_ignore_ascii_case("set-cookie")).and_then(|(_, value)| value.split(';').next());
    Ok(cookie.ok_or_else(|| format!("{name} is not signed in: {answer}"))?.to_owned())
}

async fn send(socket: &mut WebSocketStream<TcpStream>, wish: Value) -> Result<(), Problem> {
    Ok(socket.send(Message::text(wish.to_string())).await?)
}

/// The next message that fits; echoes are answered meanwhile. Errors: a refusal, or nothing for too long.
async fn until(socket: &mut WebSocketStream<TcpStream>, fits: impl Fn(&Value) -> bool) -> Result<Value, Problem> {
    let search = async {
        while let Some(message) = socket.next().await {
            let Message::Text(text) = message? else { continue };
            let told: Value = serde_json::from_str(&text)?;
            if fits(&told) {
                return Ok(told);
            }
            if told["type"] == "echo" {
                socket.send(Message::text(json!({ "type": "echo", "n": told["n"] }).to_string())).await?;
            }
            if told["type"] == "refused" {
                return Err(told.to_string().into());
            }
        }
        Err("the desk's socket was closed".into())
    };
    tokio::time::timeout(LIMIT, search).await.map_err(|_| "no answer in time")?
}
