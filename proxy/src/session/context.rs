//! The surroundings of a client: from which network it comes, and which browser on which system it says
//! to be. They prove nothing, and a thief can imitate them; one that does not is found out.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The part of an address that a client keeps while it moves about in one network, in bits.
const PREFIX_BITS: (u8, u8) = (24, 56);

/// Browsers that call themselves by the name of another come before it.
const FAMILIES: [(&str, &str); 10] = [
    ("Edg/", "edge"),
    ("EdgA/", "edge"),
    ("OPR/", "opera"),
    ("Firefox/", "firefox"),
    ("FxiOS/", "firefox"),
    ("CriOS/", "chrome"),
    ("Chrome/", "chrome"),
    ("Version/", "safari"),
    ("curl/", "curl"),
    ("python-requests/", "python-requests"),
];

/// Systems whose word contains another's come before it.
const PLATFORMS: [(&str, &str); 7] = [
    ("Android", "android"),
    ("iPhone", "ios"),
    ("iPad", "ios"),
    ("CrOS", "chromeos"),
    ("Windows", "windows"),
    ("Macintosh", "macos"),
    ("Linux", "linux"),
];

/// Where a session is used from. No full address and no full user agent is kept.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The network: the first bits of the address.
    pub network: Option<IpAddr>,
    /// The browser's family.
    pub family: String,
    /// Its major version.
    pub version: Option<u32>,
    /// The system.
    pub platform: String,
}

/// How the surroundings of a session have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// In no way that matters.
    None,
    /// Another network, and the same browser: H05a.
    Network,
    /// Another network and another browser: H05b.
    Everything,
    /// The same network, and another system, another browser, or an older version of it: H07.
    Browser,
}

impl Context {
    /// The surroundings of a request.
    #[must_use]
    pub fn of(address: Option<IpAddr>, user_agent: &str) -> Self {
        let (family, version) = family_of(user_agent);
        let mut platforms = PLATFORMS.iter();
        let platform = platforms.find(|(word, _)| user_agent.contains(word));
        Self {
            network: address.map(network_of),
            family,
            version,
            platform: platform.map_or("other", |(_, name)| name).to_owned(),
        }
    }

    /// The browser and the system, as people call them; unknown ones are "a browser" and "a device".
    #[must_use]
    pub fn in_words(&self) -> String {
        let browser = match self.family.as_str() {
            "edge" => "Edge",
            "opera" => "Opera",
            "firefox" => "Firefox",
            "chrome" => "Chrome",
            "safari" => "Safari",
            _ => "a browser",
        };
        let system = match self.platform.as_str() {
            "android" => "Android",
            "ios" => "iOS",
            "chromeos" => "ChromeOS",
            "windows" => "Windows",
            "macos" => "macOS",
            "linux" => "Linux",
            _ => "a device",
        };
        format!("{browser} on {system}")
    }

    /// How these differ from those in which a session was used before.
    #[must_use]
    pub fn difference_from(&self, before: &Self) -> Difference {
        let other_network = self.network != before.network;
        let other_browser = self.family != before.family || self.platform != before.platform;
        let older = match (self.version, before.version) {
            (Some(version), Some(before)) => version < before,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        match (other_network, other_browser, other_browser || older) {
            (true, true, _) => Difference::Everything,
            (false, _, true) => Difference::Browser,
            // A version that goes down on the way into another network is no update.
            (true, false, true) => Difference::Everything,
            (true, false, false) => Difference::Network,
            (false, _, false) => Difference::None,
        }
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

fn family_of(user_agent: &str) -> (String, Option<u32>) {
    for (token, family) in FAMILIES {
        if let Some((_, rest)) = user_agent.split_once(token) {
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
            let version = digits.and_then(|digits| digits.parse().ok());
            return (family.to_owned(), version);
        }
    }
    ("other".to_owned(), None)
}

/// The network of an address; an IPv4 address in an IPv6 one (RFC 4291 section 2.5.5.2) is one.
fn network_of(address: IpAddr) -> IpAddr {
    let (v4, v6) = PREFIX_BITS;
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(v4)).unwrap_or_default();
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(v6))
                .unwrap_or_default();
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36";
    const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36 Edg/146.0.0.0";
    const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15";
    const ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Mobile Safari/537.36";

    fn from(address: &str, user_agent: &str) -> Context {
        Context::of(Some(address.parse().unwrap()), user_agent)
    }

    #[test]
    fn says_what_people_call_them() {
        let words = |user_agent| from("192.0.2.1", user_agent).in_words();
        assert_eq!(words(EDGE), "Edge on Windows");
        assert_eq!(words(SAFARI), "Safari on macOS");
        assert_eq!(words("<script>"), "a browser on a device");
    }

    #[test]
    fn tells_browsers_and_systems_apart() {
        for (user_agent, family, version, platform) in [
            (CHROME, "chrome", Some(146), "windows"),
            (EDGE, "edge", Some(146), "windows"),
            (SAFARI, "safari", Some(17), "macos"),
            (ANDROID, "chrome", Some(146), "android"),
            ("curl/8.5.0", "curl", Some(8), "other"),
            ("", "other", None, "other"),
        ] {
            let context = from("192.0.2.1", user_agent);
            let found = (
                context.family.as_str(),
                context.version,
                context.platform.as_str(),
            );
            assert_eq!(found, (family, version, platform));
        }
    }

    #[test]
    fn knows_which_changes_matter() {
        let before = from("192.0.2.1", CHROME);
        let newer = CHROME.replace("146", "147");
        let older = CHROME.replace("146", "145");
        for (address, user_agent, change) in [
            ("192.0.2.1", CHROME, Difference::None),
            ("192.0.2.254", CHROME, Difference::None),
            ("::ffff:192.0.2.9", CHROME, Difference::None),
            ("192.0.2.1", newer.as_str(), Difference::None),
            ("192.0.3.1", CHROME, Difference::Network),
            ("192.0.3.1", &newer, Difference::Network),
            ("2001:db8::1", CHROME, Difference::Network),
            ("192.0.2.1", &older, Difference::Browser),
            ("192.0.2.1", EDGE, Difference::Browser),
            ("192.0.2.1", SAFARI, Difference::Browser),
            ("192.0.2.1", "", Difference::Browser),
            ("192.0.3.1", EDGE, Difference::Everything),
            ("192.0.3.1", &older, Difference::Everything),
            ("192.0.3.1", ANDROID, Difference::Everything),
        ] {
            let now = from(address, user_agent);
            assert_eq!(
                now.difference_from(&before),
                change,
                "{address} {user_agent}"
            );
        }
    }

    #[test]
    fn a_network_is_56_bits_of_ipv6() {
        let before = from("2001:db8:0:12ff::1", CHROME);
        assert_eq!(
            from("2001:db8:0:1200::2", CHROME).difference_from(&before),
            Difference::None
        );
        assert_eq!(
            from("2001:db8:0:1300::1", CHROME).difference_from(&before),
            Difference::Network
        );
    }
}
