//! Recorded answers of two applications go past the token filters: no session token of theirs is left, nothing
//! else changes, and what stands for a token becomes the token again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use postern_filters::cookie_jar::{CookieJar, Origin, Stored};
use postern_filters::placeholder::Placeholder;
use postern_filters::set_cookie::set_cookies;
use postern_filters::{BodyFilter, FoundToken, Instead, NamedIn, Secret, Secrets, TokenFilter};
use regex::bytes::Regex;

use crate::corpus;

/// When the answers are taken to have begun.
const BEGAN_MS: u64 = 1_795_316_600_000;

/// One recorded answer.
struct Answer {
    name: String,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn fields(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let wanted = wanted.to_owned();
        let same = move |name: &str| name.eq_ignore_ascii_case(&wanted);
        fields.filter_map(move |(name, value)| same(name).then_some(value))
    }

    fn named_in(&self) -> NamedIn {
        let kind = self.fields("Content-Type").next().unwrap_or_default();
        match kind {
            kind if kind.contains("json") => NamedIn::Json,
            kind if kind.contains("html") => NamedIn::Html,
            _ => NamedIn::Nothing,
        }
    }
}

fn answers(folder: &Path) -> Vec<Answer> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".hdr").map(ToOwned::to_owned))
        .collect();
    names.sort();
    let read = |name: String| Answer {
        head: fs::read_to_string(folder.join(format!("{name}.hdr"))).unwrap(),
        body: fs::read(folder.join(format!("{name}.body"))).unwrap_or_default(),
        name,
    };
    names.into_iter().map(read).collect()
}

/// The cookies of all answers, as a jar takes them.
fn jar(answers: &[Answer]) -> CookieJar {
    let origin = Origin {
        host: "desk.example",
        path: b"/login",
        secure: false,
    };
    let mut jar = CookieJar::default();
    for (field, began_ms) in answers
        .iter()
        .flat_map(|answer| answer.fields("Set-Cookie"))
        .zip(BEGAN_MS..)
    {
        for cookie in set_cookies(field.as_bytes()) {
            let stored = jar.store(cookie, origin, began_ms);
            assert!(
                matches!(stored, Stored::Kept | Stored::Removed),
                "{stored:?}"
            );
        }
    }
    jar
}

/// What a reader of the pages and answers would take for tokens.
fn tokens_in(body: &[u8]) -> BTreeSet<Vec<u8>> {
    let places = [
        r#"name="csrfmiddlewaretoken" value="([^"]+)""#,
        r#"name="@csrf" type="hidden" value="([^"]+)""#,
        r#""token":\s*"([^"]+)""#,
        r"(eyJ[\w-]+\.[\w-]+\.[\w-]+)",
    ];
    let mut found = BTreeSet::new();
    for place in places {
        let place = Regex::new(place).unwrap();
        found.extend(
            place
                .captures_iter(body)
                .map(|captures| captures[1].to_vec()),
        );
    }
    found
}

/// Which token each placeholder stands for.
#[derive(Clone, Default)]
struct Vault(Arc<Mutex<BTreeMap<Placeholder, Vec<u8>>>>);

impl Vault {
    fn placeholder(&self, token: &[u8]) -> String {
        let mut vault = self.0.lock().unwrap();
        let mut random = [0u8; 16];
        random[..8].copy_from_slice(&(vault.len() as u64).to_be_bytes());
        let placeholder = Placeholder::new(random);
        vault.insert(placeholder.clone(), token.to_vec());
        placeholder.to_string()
    }

    fn swapped_back(&self, text: &[u8]) -> Vec<u8> {
        let vault = self.0.lock().unwrap();
        let mut rest = text;
        let mut out = Vec::new();
        while let Some((first, behind)) = rest.split_first() {
            let whole = rest.get(..Placeholder::LENGTH).and_then(Placeholder::parse);
            match whole.and_then(|placeholder| vault.get(&placeholder)) {
                Some(token) => {
                    out.extend_from_slice(token);
                    rest = &rest[Placeholder::LENGTH..];
                }
                None => {
                    out.push(*first);
                    rest = behind;
                }
            }
        }
        out
    }
}

fn stripped(answer: &Answer, secrets: &Arc<Secrets>, vault: &Vault, chunk: usize) -> Vec<u8> {
    let vault = vault.clone();
    let keeper = move |found: FoundToken<'_>| Instead::Text(vault.placeholder(found.value));
    let mut filter = TokenFilter::new(
        answer.named_in(),
        Arc::default(),
        Arc::clone(secrets),
        keeper,
    );
    let mut out = Vec::new();
    for chunk in answer.body.chunks(chunk) {
        filter.push(chunk, &mut out).unwrap();
    }
    filter.finish(&mut out).unwrap();
    out
}

#[test]
fn no_recorded_token_leaves_and_everything_comes_back() {
    let Some(samples) = corpus::folder("samples") else {
        return;
    };
    let (mut bodies, mut tokens) = (0, 0);
    for desk in ["helpdesk", "roundup"] {
        let answers = answers(&samples.join(desk));
        let jar = jar(&answers);
        let vault = Vault::default();
        let values: Vec<(Vec<u8>, String)> = jar
            .alive(BEGAN_MS)
            .map(|cookie| (cookie.value.clone(), vault.placeholder(&cookie.value)))
            .collect();
        let secrets: Vec<Secret<'_>> = values
            .iter()
            .map(|(value, instead)| Secret {
                value,
                instead: instead.as_bytes(),
            })
            .collect();
        let secrets = Arc::new(Secrets::new(&secrets).unwrap());
        for answer in answers
            .iter()
            .filter(|answer| answer.fields("Content-Encoding").next().is_none())
        {
            for chunk in [usize::MAX, 1, 97] {
                let left = stripped(answer, &secrets, &vault, chunk);
                assert!(!secrets.contains(&left), "{desk}/{}", answer.name);
                for token in tokens_in(&answer.body) {
                    let kept = holds(&left, &token);
                    assert!(!kept, "{desk}/{} keeps a token", answer.name);
                    tokens += usize::from(chunk == 1);
                }
                let back = vault.swapped_back(&left);
                assert!(
                    back == answer.body,
                    "{desk}/{} changed otherwise",
                    answer.name
                );
            }
            bodies += 1;
        }
    }
    println!("{bodies} bodies, {tokens} tokens beside cookies");
    assert!(bodies > 50 && tokens > 10);
}

fn holds(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}
