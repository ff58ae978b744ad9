//! The one integration binary: in-process origin, proxy and client on port 0.

#![cfg(test)]

mod actions;
mod applications;
mod bypass;
mod corpus;
mod cts;
mod desks;
mod detect;
mod differential;
mod differential_cases;
mod faulty_disk;
mod formats;
mod fuzzing;
mod fuzzing_runs;
mod generated;
mod heard;
mod http2_conformance;
mod legacy_desk;
mod metering;
mod noninterference;
mod operating;
mod origin;
mod postern;
mod proxy_anchors;
mod proxy_answers;
#[cfg(test)]
mod proxy_audit;
mod proxy_audit_faults;
mod proxy_certificates;
mod proxy_clock;
mod proxy_expectations;
mod proxy_faults;
mod proxy_formats;
mod proxy_holders;
mod proxy_listeners;
mod proxy_panics;
mod proxy_questions;
mod proxy_quotas;
mod proxy_relogin;
mod proxy_requests;
mod proxy_session_bodies;
mod proxy_session_leaks;
mod proxy_sessions;
mod proxy_sessions_ended;
mod proxy_stops;
mod proxy_tripwire;
mod proxy_tunnels;
mod reference;
mod secure;
mod telemetry;
mod tidy;
mod tokens;
mod trap;
mod write_back;
mod writes;
