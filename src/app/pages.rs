//! How does a page's sound reach the media plane? Offers come from the desks' sockets and go to the pages' thread, with the way back.

use std::sync::Weak;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::media::MediaEngine;
use crate::media::webrtc::Greeting;
use crate::web::SoundOffer;

/// Offers that wait: a shift that begins. A page whose offer finds no room is told to try again.
pub const OFFERS: usize = 256;

/// Passes offers on until `stop`.
pub async fn connect(media: Weak<MediaEngine>, mut offers: mpsc::Receiver<SoundOffer>, stop: CancellationToken) {
    while let Some(Some(offer)) = stop.run_until_cancelled(offers.recv()).await {
        let SoundOffer { agent, generation, sdp, answer } = offer;
        let Some(media) = media.upgrade() else { return };
        // A page that is gone meanwhile wants no answer.
        let answer = Box::new(move |told: Result<String, _>| drop(answer.send(told.map_err(|why| ToString::to_string(&why)))));
        media.greet(Greeting { agent, generation, sdp, answer });
    }
}
