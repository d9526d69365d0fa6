//! From whom do calls come in, and to whom do they go out? The trunks of the settings, by address.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::centre::ids::TrunkId;
use crate::config::{self, network_has, parse_network};

/// All trunks, in the order of their names.
#[derive(Clone, Debug, Default)]
pub struct Trunks(Vec<Trunk>);

#[derive(Clone, Debug)]
struct Trunk {
    id: TrunkId,
    from: Vec<(IpAddr, u8)>,
    to: Option<SocketAddr>,
    secure: bool,
}

impl Trunks {
    /// The trunks of checked settings; a network that cannot be read is none.
    pub fn new(trunks: &BTreeMap<String, config::Trunk>) -> Trunks {
        let trunk = |(name, trunk): (&String, &config::Trunk)| Trunk {
            id: TrunkId::from(name.as_str()),
            from: trunk.from.iter().filter_map(|network| parse_network(network)).collect(),
            to: trunk.to,
            secure: trunk.secure,
        };
        Trunks(trunks.iter().map(trunk).collect())
    }

    /// The trunk that an address belongs to.
    pub fn of(&self, address: IpAddr) -> Option<&TrunkId> {
        let holds = |trunk: &&Trunk| trunk.from.iter().any(|network| network_has(*network, address));
        self.0.iter().find(holds).map(|trunk| &trunk.id)
    }

    /// Whether calls to the outside are offered protected sound only: one trunk that asks for it speaks for all that take them.
    pub fn are_secure(&self) -> bool {
        self.0.iter().any(|trunk| trunk.to.is_some() && trunk.secure)
    }

    /// Where calls to the outside go.
    pub fn outside(&self) -> Option<SocketAddr> {
        self.0.iter().find_map(|trunk| trunk.to)
    }
}
