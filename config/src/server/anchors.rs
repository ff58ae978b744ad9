//! Who vouches from outside: for the audit log witnesses that are asked and replicas that ask, for policies those
//! who sign them.

use super::addresses::{host_and_port, host_of};
use super::file::WitnessFile;
use super::resolve::reference;
use super::{PeerKeys, WitnessAddress};
use crate::document::Place;
use crate::document::read::{At, OneOrMany, Slot};
use crate::policy::error::Problems;
use crate::policy::resolve::is_loopback_host;
use crate::secret::Reference;

/// The length of 33 bytes in base64: what kind of key it is, and an Ed25519 key.
const KEY_DIGITS: usize = 44;
/// The most witnesses, and the most peers, that are named.
const ANCHORS_MAX: usize = 16;

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Log,
    Witness,
}

/// The witnesses that are asked.
pub(super) fn witnesses(
    slot: &Slot<Vec<At<WitnessFile>>>,
    problems: &mut Problems,
) -> Vec<WitnessAddress> {
    let Some(list) = &slot.found else {
        return Vec::new();
    };
    few_enough("witnesses", list.value.len(), list.place, problems);
    let mut read: Vec<WitnessAddress> = Vec::new();
    for file in &list.value {
        let url = file.value.url.found.as_ref();
        let url = url.and_then(|at| self::url(at, problems));
        let key = file.value.key.found.as_ref();
        let key = key.and_then(|at| self::key(at, Kind::Witness, problems));
        let ca = reference("ca", &file.value.ca, problems);
        let (Some(url), Some(key)) = (url, key) else {
            continue;
        };
        if let Some(place) = file.value.ca.key_place
            && url.starts_with("http://")
        {
            let message = "`ca` has no effect on an `http://` witness";
            problems.add("PN046", place, message);
        }
        if read.iter().any(|known| known.key == key) {
            let message = "this witness is named twice";
            problems.add("PN046", file.place, message);
        }
        read.push(WitnessAddress { url, key, ca });
    }
    read
}

/// The logs that are cosigned for others.
pub(super) fn peers(slot: &Slot<OneOrMany<String>>, problems: &mut Problems) -> Vec<PeerKeys> {
    let Some(list) = &slot.found else {
        return Vec::new();
    };
    few_enough("peers", list.value.0.len(), list.place, problems);
    let peers = list.value.0.iter();
    let read = |at: &At<String>| match Reference::parse(&at.value) {
        Ok(reference) => Some(PeerKeys::Listed(reference)),
        Err(_) => key(at, Kind::Log, problems).map(PeerKeys::Key),
    };
    peers.filter_map(read).collect()
}

/// Those who sign policies.
pub(super) fn signers(slot: &Slot<OneOrMany<String>>, problems: &mut Problems) -> Vec<String> {
    let Some(list) = &slot.found else {
        return Vec::new();
    };
    let mut signers: Vec<String> = Vec::new();
    for at in &list.value.0 {
        if signers.len() == ANCHORS_MAX || signers.contains(&at.value) {
            let message =
                format!("`policy_signers` names at most {ANCHORS_MAX} keys, and none twice");
            problems.add("PN047", at.place, message);
        } else if kind_of(&at.value) == Some(Kind::Log) {
            signers.push(at.value.clone());
        } else {
            problems
                .add("PN047", at.place, "this is no key that signs policies")
                .help("`NAME+ID+KEY` in one piece, as `postern sign` prints it, in quotes");
        }
    }
    signers
}

fn few_enough(key: &str, count: usize, place: Place, problems: &mut Problems) {
    if count > ANCHORS_MAX {
        let message = format!("`{key}` names {count}; at most {ANCHORS_MAX} are possible");
        problems.add("PN046", place, message);
    }
}

/// SECURITY: a password written into a URL does not reach the message.
fn url(at: &At<String>, problems: &mut Problems) -> Option<String> {
    let text = at.value.strip_suffix('/').unwrap_or(&at.value);
    let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, rest) => (false, rest.unwrap_or_default()),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host_and_port(authority).map(|(host, _)| host);
    let host = host.or_else(|| host_of(authority));
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@');
    let fits = host.is_some_and(|host| secure || is_loopback_host(host));
    if fits && path.bytes().all(plain) {
        return Some(text.to_owned());
    }
    problems
        .add("PN046", at.place, "this is no address of a witness")
        .help(
            "`https://HOST:PORT/PATH` without user and query, or `http://` to a loopback address",
        );
    None
}

fn key(at: &At<String>, wanted: Kind, problems: &mut Problems) -> Option<String> {
    let found = kind_of(&at.value);
    if found == Some(wanted) {
        return Some(at.value.clone());
    }
    let (message, help) = match (found, wanted) {
        (Some(Kind::Log), _) => (
            "this is the key of a log",
            "a witness says its own key when it starts; that of a log belongs under `peers`",
        ),
        (Some(Kind::Witness), _) => (
            "this is the key of a witness",
            "a log's keys are in `keys/log.vkey` of its folder; that of a witness belongs under `witnesses`",
        ),
        (None, _) => (
            "this is no public key",
            "`NAME+ID+KEY` in one piece, as `keys/log.vkey` or a witness has it, in quotes",
        ),
    };
    problems.add("PN046", at.place, message).help(help);
    None
}

/// What a key signs, by its form alone (C2SP signed-note): its first byte is 1 or 4.
fn kind_of(text: &str) -> Option<Kind> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let is_digit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let fits = !name.is_empty()
        && !name.contains(|c: char| c.is_whitespace() || c.is_control())
        && (id.len() == 8 && id.bytes().all(is_hex))
        && (key.len() == KEY_DIGITS && key.bytes().all(is_digit));
    match key.as_bytes() {
        [b'A', b'Q'..=b'Z' | b'a'..=b'f', ..] if fits => Some(Kind::Log),
        [b'B', b'A'..=b'P', ..] if fits => Some(Kind::Witness),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_it_signs() {
        let log = "audit.example.org/01K+0a1b2c3d+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let witness = "w.example+0a1b2c3d+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(kind_of(log), Some(Kind::Log));
        assert_eq!(kind_of(witness), Some(Kind::Witness));
        for bad in [
            "",
            "w",
            "w+0a1b2c3d",
            "+0a1b2c3d+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "w+0A1b2c3d+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "w x+0a1b2c3d+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "w+0a1b2c3d+BAAA",
            "w+0a1b2c3d+CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(kind_of(bad), None, "{bad}");
        }
    }
}
