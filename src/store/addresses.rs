//! Where is an address? Streets with all their names, buildings with district, place and whoever answers for them.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::cases::address::{full_key, house_key, street_key};
use crate::cases::words::words;
use crate::private::Private;

use super::statement::{On, query};
use super::transaction::Transaction;
use super::{Address, Store, StoreError};

/// The most streets that a question gets.
const MOST: usize = 20;
/// The most buildings of a street that are given.
const MOST_BUILDINGS: i64 = 2_000;

/// A street.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Street {
    /// Its number in the register.
    pub id: i64,
    /// What it is called today.
    pub name: String,
    /// What it was called, and people still say.
    pub former: Vec<String>,
}

/// A building. Who answers for it is personal data.
#[derive(Clone, PartialEq, Debug, Serialize, utoipa::ToSchema)]
pub struct Building {
    /// Its number in the register.
    pub id: i64,
    /// Its street.
    pub street: i64,
    /// "12а".
    pub house: String,
    /// Its district.
    pub district: Option<String>,
    /// Latitude in degrees.
    pub lat: Option<f64>,
    /// Longitude in degrees.
    pub lon: Option<f64>,
    /// Who answers for it.
    #[schema(value_type = Option<String>)]
    pub chairman: Option<Private<String>>,
    /// And their number.
    #[schema(value_type = Option<String>)]
    pub chairman_number: Option<Private<String>>,
}

/// A building as it is to be; what is not given is not known.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub struct NewBuilding {
    /// The street's name of today.
    pub street: String,
    /// Its other names.
    pub former: Vec<String>,
    /// The house.
    pub house: String,
    /// The district.
    pub district: Option<String>,
    /// Latitude in degrees.
    pub lat: Option<f64>,
    /// Longitude in degrees.
    pub lon: Option<f64>,
    /// Who answers for it.
    pub chairman: Option<Private<String>>,
    /// And their number.
    pub chairman_number: Option<Private<String>>,
}

/// What the register knows of an address as it was said.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Located {
    pub street: Option<i64>,
    pub building: Option<i64>,
    pub district: Option<String>,
    pub at_degrees: Option<(f64, f64)>,
}

#[derive(FromRow)]
struct StreetRow {
    id: i64,
    name: String,
    former: String,
}

#[derive(FromRow)]
struct BuildingRow {
    id: i64,
    street: i64,
    house: String,
    district: Option<String>,
    lat: Option<f64>,
    lon: Option<f64>,
    chairman: Option<String>,
    chairman_number: Option<String>,
}

impl Store {
    /// Streets one of whose names has all these beginnings of words, by their names of today; 20 at most.
    pub async fn streets(&self, text: &str) -> Result<Vec<Street>, StoreError> {
        let asked = words(text);
        let rows: Vec<StreetRow> = query("SELECT id, name, former FROM streets ORDER BY name, id").fetch_all(self.db.readers()).await?;
        let fits = |street: &Street| {
            street.names().any(|name| {
                let own = words(name);
                asked.iter().all(|word| own.iter().any(|own| own.starts_with(word.as_str())))
            })
        };
        let mut found: Vec<Street> = rows.into_iter().map(Street::from).filter(fits).collect();
        // Databases sort by different rules.
        found.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        found.truncate(MOST);
        Ok(found)
    }

    /// The buildings of a street.
    pub async fn buildings(&self, street: i64) -> Result<Vec<Building>, StoreError> {
        let rows = query(
            "SELECT id, street, house, district, lat, lon, chairman, chairman_number FROM buildings WHERE street = $1 ORDER BY house LIMIT $2",
        );
        let rows: Vec<BuildingRow> = rows.bind(street).bind(MOST_BUILDINGS).fetch_all(self.db.readers()).await?;
        Ok(rows.into_iter().map(Building::from).collect())
    }

    /// What is known of an address as it was typed. Where several streets of one name are meant, nothing is: a wrong street is worse than none.
    pub(super) async fn locate(&self, address: &Address) -> Result<Located, StoreError> {
        let Some(street) = street_of(self.db.readers(), address.street.reveal()).await? else { return Ok(Located::default()) };
        let mut located = Located { street: Some(street), ..Located::default() };
        let Some(house) = &address.house else { return Ok(located) };
        let rows = query(
            "SELECT id, street, house, district, lat, lon, chairman, chairman_number FROM buildings WHERE street = $1 AND house = $2",
        );
        let found: Option<BuildingRow> = rows.bind(street).bind(house_key(house.reveal())).fetch_optional(self.db.readers()).await?;
        if let Some(building) = found {
            located.building = Some(building.id);
            located.district = building.district;
            located.at_degrees = building.lat.zip(building.lon);
        }
        Ok(located)
    }
}

/// The one street that a name means, by any of its names.
async fn street_of(on: impl Into<On<'_>>, name: &str) -> Result<Option<i64>, sqlx::Error> {
    let key = street_key(name);
    if key.is_empty() {
        return Ok(None);
    }
    let rows = query("SELECT id, name, former FROM streets WHERE folded LIKE '%|' || $1 || '|%'");
    let rows: Vec<StreetRow> = rows.bind(&key).fetch_all(on).await?;
    let streets: Vec<Street> = rows.into_iter().map(Street::from).collect();
    if let [street] = &streets[..] {
        return Ok(Some(street.id));
    }
    let whole = full_key(name);
    let mut same = streets.iter().filter(|street| street.names().any(|own| full_key(own) == whole));
    Ok(same.next().filter(|_| same.next().is_none()).map(|street| street.id))
}

/// Writes a building and its street; what is there already is changed, and a street keeps the names that it had.
pub(super) async fn put(transaction: &mut Transaction, new: &NewBuilding) -> Result<(), sqlx::Error> {
    let found: Option<StreetRow> =
        query("SELECT id, name, former FROM streets WHERE name = $1").bind(&new.street).fetch_optional(&mut *transaction).await?;
    let mut street = found.map_or_else(|| Street { id: 0, name: new.street.clone(), former: Vec::new() }, Street::from);
    let known = street.former.len();
    for name in &new.former {
        if *name != street.name && !street.former.contains(name) {
            street.former.push(name.clone());
        }
    }
    if street.id == 0 {
        let insert = query("INSERT INTO streets (name, former, folded) VALUES ($1, $2, $3) RETURNING id");
        street.id = insert.bind(&street.name).bind(street.former_written()).bind(street.folded()).fetch_scalar(&mut *transaction).await?;
    } else if street.former.len() > known {
        let update = query("UPDATE streets SET former = $1, folded = $2 WHERE id = $3");
        update.bind(street.former_written()).bind(street.folded()).bind(street.id).execute(&mut *transaction).await?;
    }
    let house = house_key(&new.house);
    if house.is_empty() {
        return Ok(());
    }
    query(
        "INSERT INTO buildings (street, house, district, lat, lon, chairman, chairman_number) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (street, house) DO UPDATE SET district = excluded.district, lat = excluded.lat, lon = excluded.lon, \
         chairman = excluded.chairman, chairman_number = excluded.chairman_number",
    )
    .bind(street.id)
    .bind(house)
    .bind(new.district.clone())
    .bind(new.lat)
    .bind(new.lon)
    .bind(new.chairman.as_ref().map(|name| name.reveal().clone()))
    .bind(new.chairman_number.as_ref().map(|number| number.reveal().clone()))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

impl Street {
    /// All its names, today's first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.former.iter().map(String::as_str))
    }

    fn former_written(&self) -> String {
        serde_json::to_string(&self.former).unwrap_or_else(|_| "[]".to_owned())
    }

    /// The keys of its names, each between bars.
    fn folded(&self) -> String {
        let keys: Vec<String> = self.names().map(street_key).collect();
        format!("|{}|", keys.join("|"))
    }
}

impl From<StreetRow> for Street {
    fn from(row: StreetRow) -> Self {
        Street { id: row.id, name: row.name, former: serde_json::from_str(&row.former).unwrap_or_default() }
    }
}

impl From<BuildingRow> for Building {
    fn from(row: BuildingRow) -> Self {
        let BuildingRow { id, street, house, district, lat, lon, chairman, chairman_number } = row;
        let (chairman, chairman_number) = (chairman.map(Private::new), chairman_number.map(Private::new));
        Building { id, street, house, district, lat, lon, chairman, chairman_number }
    }
}
