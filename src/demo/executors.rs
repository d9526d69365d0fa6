//! Who executes in the demo's city? Three organisations that get cases by topic, so that an inbox has something in it.

use crate::centre::time::Time;
use crate::store::{Organisation, Route, Store};

/// Id, name and topic of each.
const ALL: [(&str, &str, &str); 3] =
    [("heat", "Heat networks", "heating"), ("water", "Water utility", "water"), ("roads", "Roads department", "roads")];

/// The organisation for which the demo has an account.
pub const SHOWN: &str = "heat";

/// Writes them down, where the city has no routes yet.
pub async fn write(store: &Store, now: Time) -> anyhow::Result<()> {
    if !store.written_routes().await?.is_empty() {
        return Ok(());
    }
    for (id, name, _) in ALL {
        let (head, email, phone, webhook) = (None, None, None, None);
        let (id, name, calendar) = (id.to_owned(), name.to_owned(), "office".to_owned());
        store.put_organisation(&Organisation { id, name, calendar, head, email, phone, webhook, active: true }, now).await?;
    }
    let route = |(id, _, topic): (&str, &str, &str)| Route {
        topic: Some(topic.to_owned()),
        district: None,
        street: None,
        building: None,
        organisation: id.to_owned(),
    };
    store.put_routes(&ALL.map(route), None).await?;
    Ok(())
}
