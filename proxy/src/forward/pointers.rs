//! Where an answer points to: the upstream's own URLs become paths, so that the client comes back to Postern.
//!
//! ```text
//! Location: http://desk.internal/cases/2                        ->   /cases/2
//! Location: http://desk.internal//cases/2                       ->   /.//cases/2
//! Link: <http://desk.internal/cases?page=2>; rel="next"         ->   </cases?page=2>; rel="next"
//! ```
//!
//! Guarantees: what becomes a path names no host, however a browser reads it. A pointer to anywhere else stays as it
//! is. Which of the fields leave is for the plan to say.

use http::header::{CONTENT_LOCATION, LINK, LOCATION};
use http::{HeaderMap, HeaderValue};

/// Takes this authority, the upstream's own, out of the URLs of these headers.
pub(super) fn localise(headers: &mut HeaderMap, authority: &HeaderValue) {
    let Ok(authority) = authority.to_str() else {
        return;
    };
    for (name, value) in headers.iter_mut() {
        let local = match name {
            name if *name == LOCATION || *name == CONTENT_LOCATION => value
                .to_str()
                .ok()
                .and_then(|url| path_here(url, authority)),
            name if *name == LINK => value
                .to_str()
                .ok()
                .and_then(|links| links_here(links, authority)),
            _ => None,
        };
        if let Some(local) = local.and_then(|local| HeaderValue::try_from(local).ok()) {
            *value = local;
        }
    }
}

/// The same links (RFC 8288 section 3) with paths for the targets that are here; none when no target is.
fn links_here(links: &str, authority: &str) -> Option<String> {
    let mut local = String::with_capacity(links.len());
    let mut changed = false;
    for piece in links.split_inclusive(['<', '>']) {
        let target = piece.strip_suffix('>');
        match target.and_then(|target| path_here(target, authority)) {
            Some(path) => {
                changed = true;
                local.push_str(&path);
                local.push('>');
            }
            None => local.push_str(piece),
        }
    }
    changed.then_some(local)
}

/// The path of an absolute or network-path reference to this authority, with its query.
fn path_here(url: &str, authority: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("//")?;
    if !["", "http:", "https:"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end)?;
    if !host.eq_ignore_ascii_case(authority) {
        return None;
    }
    Some(format!("{}{path}", root_of(path)))
}

/// What has to stand before a path so that it is one. SECURITY: a path that begins with two slashes is read as another
/// host, and browsers take a backslash for a slash and pass over a tab.
fn root_of(path: &str) -> &'static str {
    match path.strip_prefix('/') {
        None => "/",
        Some(rest) if rest.trim_start_matches('\t').starts_with(['/', '\\']) => "/.",
        Some(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(name: &'static str, value: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        localise(&mut headers, &HeaderValue::from_static("desk.internal:81"));
        headers[name].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_pointer_to_the_upstream_becomes_a_path() {
        for (url, path) in [
            ("http://desk.internal:81/cases/2?a=b", "/cases/2?a=b"),
            ("HTTPS://Desk.Internal:81/x", "/x"),
            ("//desk.internal:81/x", "/x"),
            ("http://desk.internal:81", "/"),
            ("http://desk.internal:81?a=b", "/?a=b"),
            ("http://desk.internal:81#a", "/#a"),
        ] {
            assert_eq!(local("location", url), path);
            assert_eq!(local("content-location", url), path);
        }
    }

    #[test]
    fn a_pointer_to_anywhere_else_stays_as_it_is() {
        for url in [
            "http://desk.internal/x",
            "http://desk.internal:81.evil.example/x",
            "http://a@desk.internal:81/x",
            "ftp://desk.internal:81/x",
            "/login?to=http://desk.internal:81/x",
            "/x",
        ] {
            assert_eq!(local("location", url), url);
        }
        let own = "http://desk.internal:81/x";
        assert_eq!(local("x-location", own), own);
    }

    /// What a path begins with, read as browsers do: without tabs, with backslashes as slashes.
    fn names_a_host(path: &str) -> bool {
        path.replace('\t', "").replace('\\', "/").starts_with("//")
    }

    #[test]
    fn a_path_that_would_name_a_host_begins_with_a_dot() {
        for path in [
            "//x",
            "///x",
            "/\\x",
            "/\t/x",
            "/\t\t\\x",
            "//",
            "//evil.example/x?a",
        ] {
            let url = format!("http://desk.internal:81{path}");
            let led = local("location", &url);
            assert_eq!(led, format!("/.{path}"));
            assert!(!names_a_host(&led), "{led:?}");
            let linked = local("link", &format!("<{url}>; rel=next"));
            assert_eq!(linked, format!("</.{path}>; rel=next"));
        }
    }

    #[test]
    fn links_to_the_upstream_become_paths_and_others_stay() {
        let links = "<http://desk.internal:81/cases?page=2>; rel=\"next\", <https://a.example/x>; rel=\"help\", \
                     <//desk.internal:81/>; rel=first";
        let local_links =
            "</cases?page=2>; rel=\"next\", <https://a.example/x>; rel=\"help\", </>; rel=first";
        assert_eq!(local("link", links), local_links);
        assert_eq!(
            local("link", "http://desk.internal:81/"),
            "http://desk.internal:81/"
        );
    }

    #[test]
    fn every_value_of_a_field_is_read() {
        let mut headers = HeaderMap::new();
        for page in ["2", "3"] {
            let link = format!("<http://desk.internal:81/{page}>");
            headers.append(LINK, HeaderValue::try_from(link).unwrap());
        }
        localise(&mut headers, &HeaderValue::from_static("desk.internal:81"));
        let left: Vec<_> = headers.get_all(LINK).iter().collect();
        assert_eq!(left, ["</2>", "</3>"]);
    }
}
