//! Is everyone served when the day is over?

use cityline::centre::ids::CallId;

use super::model::Model;

impl Model {
    /// Everyone is served and nothing is left.
    pub fn check_night(&mut self) {
        let left: Vec<CallId> = self.calls.keys().copied().collect();
        self.check(left.is_empty(), || format!("{left:?} were never served: lost callers"));
        let talk: Vec<CallId> = self.between.keys().copied().collect();
        self.check(talk.is_empty(), || format!("{talk:?} between operators never ended"));
        let busy = self.staff.busy();
        self.check(busy.is_empty(), || format!("{busy:?} are busy with nothing"));
    }
}
