//! Whom a request is for: `Host`, `:authority` or the authority of an absolute target.

use super::Refusal;

/// Which hosts are served.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostRule {
    /// Lower case, as written in the server file; with a port, it must agree. Empty: any host.
    names: Vec<String>,
}

impl HostRule {
    /// The hosts of the server file; none named means that any well-formed host is served.
    pub(crate) fn new(names: &[String]) -> Self {
        Self {
            names: names.iter().map(|name| name.to_ascii_lowercase()).collect(),
        }
    }

    /// Checks one authority (RFC 9110 section 7.2) and gives it in lower case.
    pub(super) fn check(&self, raw: &[u8]) -> Result<String, Refusal> {
        let authority = well_formed(raw)?;
        let (host, _port) = split_port(&authority);
        let served = self.names.is_empty()
            || self
                .names
                .iter()
                .any(|name| *name == authority || *name == host);
        if served {
            Ok(authority)
        } else {
            Err(Refusal::Misdirected)
        }
    }
}

/// A host name, an IPv4 address or a bracketed IPv6 address, with an optional port; no userinfo.
fn well_formed(raw: &[u8]) -> Result<String, Refusal> {
    const WRONG: Refusal = Refusal::Ambiguous("the host is not well formed");
    let text = std::str::from_utf8(raw).map_err(|_error| WRONG)?;
    let authority = text.to_ascii_lowercase();
    let (host, port) = split_port(&authority);
    let port_is_sound = match port {
        None => true,
        Some(port) => {
            port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse::<u16>().is_ok_and(|number| number != 0)
        }
    };
    let host_is_sound = match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_name(host),
    };
    if port_is_sound && host_is_sound {
        Ok(authority)
    } else {
        Err(WRONG)
    }
}

/// Labels of letters, digits, hyphens and underscores, joined by single dots.
fn is_name(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    }
}
