//! Who should execute a case? The routing rule that fits its topic and area best, with the reason in the same value.

use serde::{Deserialize, Serialize};

use super::ids::{DistrictId, OrganisationId, TopicId};

/// One rule: cases of a topic and an area go to an organisation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// The topic and all below it; `None`: every topic.
    #[serde(default)]
    pub topic: Option<TopicId>,
    /// Where; `None`: everywhere.
    #[serde(default)]
    pub area: Option<Area>,
    /// Who executes.
    pub organisation: OrganisationId,
}

/// A part of the city, as coarse or fine as a rule needs it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// A whole district.
    District(DistrictId),
    /// A street, by its number in the register of streets.
    Street(i64),
    /// One building, by its number in the register of addresses.
    Building(i64),
}

/// Where a case is, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Place {
    /// The district.
    #[serde(default)]
    pub district: Option<DistrictId>,
    /// The street.
    #[serde(default)]
    pub street: Option<i64>,
    /// The building.
    #[serde(default)]
    pub building: Option<i64>,
}

/// Who is proposed, and by which rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Proposal<'r> {
    /// Who executes.
    pub organisation: &'r OrganisationId,
    /// The rule that fitted best.
    pub rule: &'r Rule,
}

/// The organisation of a case: the finest area wins, then the deepest topic, then the first rule. `None` where no rule fits.
///
/// The area stands before the topic, because a building's management answers for its building whatever is the matter.
pub fn propose<'r>(rules: &'r [Rule], topic: &TopicId, place: &Place) -> Option<Proposal<'r>> {
    let fits = |rule: &&Rule| {
        rule.topic.as_ref().is_none_or(|wide| topic.is_within(wide)) && rule.area.as_ref().is_none_or(|area| area.holds(place))
    };
    let best = rules.iter().filter(fits).rev().max_by_key(|rule| rule.fineness())?;
    Some(Proposal { organisation: &best.organisation, rule: best })
}

impl Area {
    fn holds(&self, place: &Place) -> bool {
        match self {
            Area::District(district) => place.district.as_ref() == Some(district),
            Area::Street(street) => place.street == Some(*street),
            Area::Building(building) => place.building == Some(*building),
        }
    }
}

impl Rule {
    fn fineness(&self) -> (u8, usize) {
        let area = match self.area {
            None => 0,
            Some(Area::District(_)) => 1,
            Some(Area::Street(_)) => 2,
            Some(Area::Building(_)) => 3,
        };
        (area, self.topic.as_ref().map_or(0, TopicId::depth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_rule_that_fits_proposes() {
        let rule = |topic: Option<&str>, area, organisation: &str| Rule {
            topic: topic.map(TopicId::from),
            area,
            organisation: organisation.into(),
        };
        let rules = [
            rule(None, None, "city"),
            rule(Some("heating"), None, "heat-networks"),
            rule(Some("heating/flat"), None, "plumbers"),
            rule(Some("heating"), Some(Area::District("north".into())), "heat-north"),
            rule(None, Some(Area::Building(7)), "chairman-7"),
        ];
        let name = |topic: &str, place: &Place| propose(&rules, &topic.into(), place).map(|found| found.organisation.as_str().to_owned());
        let north = Place { district: Some("north".into()), ..Place::default() };
        assert_eq!(name("roads", &Place::default()).as_deref(), Some("city"));
        assert_eq!(name("heating/flat/cold", &Place::default()).as_deref(), Some("plumbers"));
        assert_eq!(name("heating/flat", &north).as_deref(), Some("heat-north"));
        assert_eq!(name("roads", &Place { building: Some(7), ..north }).as_deref(), Some("chairman-7"));
        assert_eq!(propose(&rules[1..3], &"roads".into(), &Place::default()), None);
    }
}
