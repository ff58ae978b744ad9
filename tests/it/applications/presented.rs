//! What a client holds, presented to the application itself, without Postern.

use std::net::SocketAddr;

use super::agent::Agent;
use super::desk::Desk;
use super::secrets::Secrets;

/// Which of these let somebody in, in any of the ways in which the desk takes credentials; and all of them together.
pub(super) async fn accepted(desk: Desk, application: SocketAddr, held: &Secrets) -> Vec<String> {
    let mut accepted = Vec::new();
    for (value, (kind, name)) in held {
        for way in [Way::Cookies, Way::Scheme("Bearer"), Way::Scheme("Token")] {
            if lets_in(desk, application, (name, value), way).await {
                accepted.push(format!("{kind:?} `{name}`, {way:?}"));
            }
        }
    }
    accepted
}

#[derive(Debug, Clone, Copy)]
enum Way {
    /// Under its own name and under every name that the desk knows.
    Cookies,
    /// After a scheme of `Authorization`.
    Scheme(&'static str),
}

async fn lets_in(
    desk: Desk,
    application: SocketAddr,
    (name, value): (&str, &str),
    way: Way,
) -> bool {
    let places = desk.places();
    let mut client = Agent::new(application, None);
    match way {
        Way::Cookies => {
            let names = places.cookies.iter().copied().chain([name]);
            client.jar = names
                .map(|name| (name.to_owned(), value.to_owned()))
                .collect();
        }
        Way::Scheme(scheme) => {
            let credential = format!("{scheme} {value}");
            client.fields.push(("Authorization".to_owned(), credential));
        }
    }
    desk.let_in(&client.get(places.record.0).await)
}
