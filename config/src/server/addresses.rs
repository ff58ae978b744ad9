//! Addresses of listeners and the upstream's URL.

use crate::document::Place;
use crate::policy::error::Problems;
use crate::policy::resolve::is_loopback_host;

/// `HOST:PORT`, or where `unix` is allowed `unix:PATH`; reported otherwise.
pub(super) fn listener(address: &str, place: Place, problems: &mut Problems) -> Option<String> {
    let is_unix = address
        .strip_prefix("unix:")
        .is_some_and(|path| !path.is_empty() && !path.contains('\0'));
    if is_unix || host_and_port(address).is_some() {
        return Some(address.to_owned());
    }
    problems
        .add(
            "PN040",
            place,
            format!("`{}` is no address", without_user(address)),
        )
        .help("`HOST:PORT` such as `127.0.0.1:8080` or `[::1]:8080`, or `unix:PATH`");
    None
}

/// A host that is served: `HOST` or `HOST:PORT`, as it stands in a request.
pub(super) fn served_host(host: &str, place: Place, problems: &mut Problems) -> Option<String> {
    if host_of(host).is_some() || host_and_port(host).is_some() {
        return Some(host.to_ascii_lowercase());
    }
    problems
        .add(
            "PN040",
            place,
            format!("`{}` is no host", without_user(host)),
        )
        .help("`HOST` or `HOST:PORT` as clients name it, such as `desk.example.com`");
    None
}

/// The admin listener: `HOST:PORT` on loopback.
pub(super) fn admin(address: &str, place: Place, problems: &mut Problems) -> Option<String> {
    match host_and_port(address) {
        Some((host, _)) if is_loopback_host(host) => Some(address.to_owned()),
        Some(_) => {
            problems
                .add(
                    "PN040",
                    place,
                    format!("`{}` is not on loopback", without_user(address)),
                )
                .help("the admin listener answers on loopback only, such as `127.0.0.1:9090`");
            None
        }
        None => {
            problems
                .add(
                    "PN040",
                    place,
                    format!("`{}` is no address", without_user(address)),
                )
                .help("`HOST:PORT` on loopback, such as `127.0.0.1:9090`");
            None
        }
    }
}

/// Whether two listeners could not both be opened. Port 0 is a free port each time.
pub(super) fn collide(a: &str, b: &str) -> bool {
    match (host_and_port(a), host_and_port(b)) {
        (Some((host_a, port_a)), Some((host_b, port_b))) => {
            let wildcard = |host: &str| matches!(host, "0.0.0.0" | "::");
            let both_loopback = is_loopback_host(host_a) && is_loopback_host(host_b);
            let same = host_a == host_b || wildcard(host_a) || wildcard(host_b);
            let named = both_loopback && (host_a == "localhost" || host_b == "localhost");
            port_a != 0 && port_a == port_b && (same || named)
        }
        _ => false,
    }
}

/// A host without brackets, and a port.
pub(super) fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_plain = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let port = port.parse().ok().filter(|_| is_plain)?;
    Some((host_of(host)?, port))
}

/// An IP address (IPv6 in brackets) or a DNS name, without brackets.
pub(super) fn host_of(text: &str) -> Option<&str> {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?;
        return inner.parse::<core::net::Ipv6Addr>().ok().map(|_| inner);
    }
    let is_label = |label: &str| {
        let inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(inside) && !label.starts_with('-')
    };
    let is_name = text.len() <= 253 && text.split('.').all(is_label);
    let digits_last = text
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    let is_ip = text.parse::<core::net::Ipv4Addr>().is_ok();
    (is_ip || (is_name && !digits_last)).then_some(text)
}

/// `http://HOST[:PORT]` or `https://HOST[:PORT]`, and nothing else.
pub(super) fn upstream(url: &str, place: Place, problems: &mut Problems) -> Option<String> {
    let authority = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let fits = authority.is_some_and(|authority| {
        let with_port = host_and_port(authority).is_some_and(|(_, port)| port != 0);
        with_port || host_of(authority).is_some()
    });
    if fits {
        return Some(url.strip_suffix('/').unwrap_or(url).to_owned());
    }
    problems
        .add(
            "PN041",
            place,
            format!("`{}` is no upstream", without_user(url)),
        )
        .help("`http://HOST:PORT` or `https://HOST:PORT`, without user, path or query");
    None
}

/// SECURITY: a password written into a URL does not reach a message.
fn without_user(url: &str) -> &str {
    match url.rsplit_once('@') {
        Some((_, rest)) => rest,
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_a_scheme_a_host_and_perhaps_a_port() {
        let read = |url: &str| upstream(url, Place::default(), &mut Problems::default());
        for good in [
            "http://127.0.0.1:3000",
            "https://cases.internal",
            "https://[::1]:8443",
            "http://localhost:1/",
            "http://case_api:80",
        ] {
            let expected = good.trim_end_matches('/').to_owned();
            assert_eq!(read(good), Some(expected));
        }
        for bad in [
            "127.0.0.1:3000",
            "ftp://a",
            "http://",
            "http://a/b",
            "http://u:p@a:1",
            "http://a:0",
            "http://a:99999",
            "http://a?b",
            "http://::1",
            "http://1.2.3",
            "http://a b",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn listeners_collide_on_one_port_of_one_host() {
        assert!(collide("127.0.0.1:80", "127.0.0.1:80"));
        assert!(collide("0.0.0.0:80", "127.0.0.1:80"));
        assert!(collide("localhost:80", "127.0.0.1:80"));
        assert!(!collide("127.0.0.1:0", "127.0.0.1:0"));
        assert!(!collide("10.0.0.1:80", "127.0.0.1:80"));
        assert!(!collide("unix:/run/p.sock", "127.0.0.1:80"));
    }
}
