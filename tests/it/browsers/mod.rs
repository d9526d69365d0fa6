//! Does the desk work for whoever sits at it? Real browsers, worked by keys, judged by sound and by what stands on the screen.

mod cut;
mod outages;
mod page;
mod rooms;
mod shift;
mod supervision;
