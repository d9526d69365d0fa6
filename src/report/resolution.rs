//! How often is the first call enough? Two measures by their names, from counts alone, each with the definition that it follows.

use serde::{Deserialize, Serialize};

/// What was counted over a period. Contacts that asked for nothing (a wrong number, silence) are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FirstCalls {
    /// Contacts.
    pub contacts: u64,
    /// Of these, answered by a consultation, or with a case that the centre itself has done within the hour.
    pub closed_at_once: u64,
    /// Contacts with a topic and a known caller or building, whose days have passed.
    pub followed: u64,
    /// Of these, followed within the days by another of the same topic from the same caller or building.
    pub repeated: u64,
    /// How many days are meant.
    pub days: u32,
}

/// A measure as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Measure {
    /// Its name.
    pub name: &'static str,
    /// What was counted, and of how many.
    pub met: u64,
    /// Of how many.
    pub of: u64,
    /// Hundredths of a percent; `None` where nothing was counted.
    pub basis_points: Option<u64>,
    /// The definition that was used.
    pub definition: String,
}

impl FirstCalls {
    /// *Closed at the first call*, what cities publish.
    pub fn closed_at_the_first_call(&self) -> Measure {
        let definition =
            "contacts answered by a consultation, or whose case the centre has done within the hour, of all that asked for something";
        measure("closed_at_the_first_call", self.closed_at_once, self.contacts, definition.to_owned())
    }

    /// *No repeat within N days*.
    pub fn no_repeat(&self) -> Measure {
        let definition = format!(
            "contacts without another on the same topic from the same caller or building within {} days, of those whose days have passed",
            self.days
        );
        measure("no_repeat", self.followed.saturating_sub(self.repeated), self.followed, definition)
    }
}

fn measure(name: &'static str, met: u64, of: u64, definition: String) -> Measure {
    // Half a hundredth is rounded up.
    let basis_points = met.saturating_mul(20_000).saturating_add(of).checked_div(of.saturating_mul(2));
    Measure { name, met, of, basis_points, definition }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_measures_follow_their_counts() {
        let counted = FirstCalls { contacts: 80, closed_at_once: 61, followed: 30, repeated: 10, days: 7 };
        assert_eq!(counted.closed_at_the_first_call().basis_points, Some(7_625));
        assert_eq!((counted.no_repeat().met, counted.no_repeat().basis_points), (20, Some(6_667)));
        assert!(counted.no_repeat().definition.contains("7 days"));
        assert_eq!(FirstCalls::default().no_repeat().basis_points, None, "of nothing there is no share");
    }
}
