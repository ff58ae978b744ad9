//! The one integration binary: in-process origin, proxy and client on port 0.

mod bypass;
mod origin;
mod postern;
mod proxy_answers;
mod proxy_faults;
mod proxy_requests;
mod tidy;
