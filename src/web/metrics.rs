//! What does a monitoring system read? Everything that was counted, in Prometheus' text format, and the board as gauges.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;

use crate::report::board::BoardView;

use super::Web;

/// GET /metrics.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "text/plain; charset=utf-8")))]
pub(super) async fn metrics(State(web): State<Arc<Web>>) -> String {
    set_gauges(&web.board_view());
    metrics::gauge!("cityline_desks_connected").set(web.desks.connected() as f64);
    web.metrics.run_upkeep();
    web.metrics.render()
}

fn set_gauges(board: &BoardView) {
    metrics::gauge!("cityline_calls_up").set(board.calls_up as f64);
    for queue in &board.queues {
        let name = queue.queue.to_string();
        let longest_ms = queue.longest_since_ms.map_or(0, |since| board.at_ms.saturating_sub(since));
        metrics::gauge!("cityline_queue_waiting", "queue" => name.clone()).set(queue.waiting as f64);
        metrics::gauge!("cityline_queue_longest_wait_seconds", "queue" => name).set(longest_ms as f64 / 1000.0);
    }
    let states = ["offline", "ready", "offered", "talking", "wrap_up", "paused", "not_responding"];
    let mut operators: BTreeMap<&'static str, u32> = states.into_iter().map(|state| (state, 0)).collect();
    for operator in &board.operators {
        *operators.entry(operator.state).or_default() += 1;
    }
    for (state, count) in operators {
        metrics::gauge!("cityline_operators", "state" => state).set(f64::from(count));
    }
}
