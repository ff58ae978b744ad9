//! The names that are taken for session tokens whatever a policy says, and the cookies that are ours.
//!
//! One table for everything that strips: names are compared with ASCII letters in either case, since
//! taking out too much is the safe side. `*` stands for any run of characters.

/// Our cookie with the handle.
pub const HANDLE_COOKIE: &str = "__Host-Http-pn";
/// Our device-bound cookie. With the prefix `__Host-Http-` browsers would not bind it.
pub const BOUND_COOKIE: &str = "__Host-pnb";

/// Cookies that hold a session or what stands for one.
pub const COOKIES: &[&str] = &[
    "JSESSIONID",
    "PHPSESSID",
    "ASP.NET_SessionId",
    ".ASPXAUTH",
    "connect.sid",
    "sid",
    "session*",
    "_session_id",
    "remember_*",
    "XSRF-TOKEN",
    "LtpaToken2",
    "MRHSession",
    "SMSESSION",
    "CF_Authorization",
];

/// Fields of requests that bring a credential or say who asks.
pub const REQUEST_HEADERS: &[&str] = &[
    "Authorization",
    "Proxy-Authorization",
    "X-Auth-Token",
    "X-Access-Token",
    "X-Session-Id",
    "X-CSRF-Token",
    "X-XSRF-TOKEN",
    "X-Api-Key",
    "X-Forwarded-User",
    "X-Remote-User",
    "X-Original-User",
    "Client-Cert",
    "X-Forwarded-Client-Cert",
    "X-Amzn-Oidc-*",
    "Cf-Access-*",
];

/// Fields of answers, and of their trailers, that bring a credential. Of `WWW-Authenticate` only the
/// schemes `Negotiate` and `NTLM` with a blob do, so it is not here.
pub const RESPONSE_HEADERS: &[&str] = &[
    "Authorization",
    "Authentication-Info",
    "Proxy-Authentication-Info",
    "X-*Token*",
    "X-*Session*",
    "X-CSRF-*",
    "Set-Authorization",
];

/// Parameters of URLs: in the query, in the fragment, and after `;` in the path.
pub const PARAMETERS: &[&str] = &[
    "jsessionid",
    "sid",
    "session",
    "sessionid",
    "token",
    "access_token",
    "id_token",
    "refresh_token",
    "code",
    "state",
    "SAMLResponse",
    "SAMLRequest",
    "RelayState",
    "SAMLart",
    "ticket",
    "auth",
    "sig",
    "key",
];

/// Members of JSON objects at any depth, as [`folded`](super::folded) writes them.
pub const MEMBERS: &[&str] = &[
    "accesstoken",
    "idtoken",
    "refreshtoken",
    "sessionid",
    "sid",
    "jsessionid",
    "authtoken",
    "token",
    "jwt",
    "bearer",
    "csrftoken",
    "apikey",
    "clientsecret",
    "assertion",
    "ticket",
    "samlresponse",
];
