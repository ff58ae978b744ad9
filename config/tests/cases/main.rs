//! Policies and server files as cases: what loads, what is refused and with which codes.
//!
//! A case is a file; adding one needs no Rust. A bad one begins with `# expect:` and its codes.

#[cfg(test)]
mod compliance;
#[cfg(test)]
mod files;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod meaning;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod shapes;
