//! Fields of requests as clients write them, each with what goes up.

use postern_config::Policy;

use super::*;

const TOKEN: &str = "s22UNeq1DdVSOPqJFiD9/AOy";
const POLICY: &str = r#"
policy: v1
name: desk
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { note: Notes }
routes:
  read: { match: GET /cases, label: { $.note: note } }
  everything_else: { match: "ANY /{path...}", deny: true }
roles:
  agent: { sees: { note: show } }
sessions:
  bind: [context]
  token: { headers: [X-Desk-Ticket, X-Session-Key, X-*, Cookie, Host] }
"#;

fn placeholder() -> Placeholder {
    Placeholder::new([7; 16])
}

fn names() -> TokenNames {
    let policy = match Policy::parse("policy.yaml", POLICY) {
        Ok(policy) => policy,
        Err(errors) => panic!("{}", errors.render(false)),
    };
    policy.sessions.expect("sessions").token
}

/// What goes up of these fields: `{known}` and `{unknown}` are placeholders, `{handle}` is a handle.
fn up(fields: &[(&str, &str)], names: &TokenNames) -> Vec<(String, String)> {
    let mut client = HeaderMap::new();
    for (name, value) in fields {
        let value = value
            .replace("{known}", placeholder().as_str())
            .replace("{unknown}", Placeholder::new([8; 16]).as_str())
            .replace("{handle}", &Handle::new([9; 32]).text());
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        client.append(name, HeaderValue::from_str(&value).expect("a value"));
    }
    let lookup = |asked: &Placeholder| (*asked == placeholder()).then(|| TOKEN.into());
    let fields = request_header_tokens(&client, names, lookup).expect("writable");
    let text = |value: &HeaderValue| value.to_str().expect("text").to_owned();
    let pairs = fields.iter().map(|(name, value)| {
        assert!(value.is_sensitive());
        (name.as_str().to_owned(), text(value))
    });
    pairs.collect()
}

#[test]
fn a_placeholder_goes_up_as_the_token_it_stands_for() {
    for name in [
        "authorization",
        "x-csrf-token",
        "x-xsrf-token",
        "x-csrftoken",
        "x-auth-token",
        "x-access-token",
        "x-session-id",
        "x-api-key",
    ] {
        let sent = up(&[(name, "{known}")], &TokenNames::default());
        assert_eq!(sent, [(name.to_owned(), TOKEN.to_owned())]);
    }
    let sent = up(
        &[("Authorization", "Bearer {known}")],
        &TokenNames::default(),
    );
    assert_eq!(
        sent,
        [("authorization".to_owned(), format!("Bearer {TOKEN}"))]
    );
}

#[test]
fn whatever_else_a_client_writes_there_stays_below() {
    for value in [
        TOKEN,
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYl",
        "pnp_",
        "Bearer {unknown}",
        "Bearer {known}, Bearer {unknown}",
        "DPoP {handle}",
        "Bearer {known} {handle}",
    ] {
        assert_eq!(up(&[("authorization", value)], &names()), [], "{value}");
    }
    let twice = [("authorization", "{known}"), ("authorization", "{known}")];
    assert_eq!(up(&twice, &names()), []);
    let tied = [("x-api-key", "{known}"), ("connection", "X-Api-Key")];
    assert_eq!(up(&tied, &names()), []);
}

#[test]
fn a_policy_adds_names_but_no_identity() {
    for name in ["x-desk-ticket", "x-session-key", "x-anything", "x-auth-key"] {
        assert_eq!(up(&[(name, "{known}")], &names()).len(), 1, "{name}");
        assert_eq!(
            up(&[(name, "{known}")], &TokenNames::default()),
            [],
            "{name}"
        );
    }
    for name in [
        "cookie",
        "host",
        "x-forwarded-user",
        "x-remote-user",
        "x-original-user",
        "x-auth-request-email",
        "x-amzn-oidc-data",
        "x-http-method-override",
        "x_desk_ticket",
        "cf-access-jwt-assertion",
        "accept",
    ] {
        assert_eq!(up(&[(name, "{known}")], &names()), [], "{name}");
    }
}

#[test]
fn a_token_that_would_end_its_field_goes_nowhere() {
    let mut client = HeaderMap::new();
    let value = HeaderValue::from_str(placeholder().as_str()).expect("a value");
    client.insert("x-csrf-token", value);
    let lookup = |_: &Placeholder| Some(b"a\r\nb".to_vec());
    let error = request_header_tokens(&client, &TokenNames::default(), lookup);
    assert_eq!(error, Err(SwapError::Control));
}
