//! The command line as scripts and people meet it: the real binary, its exit codes and what it writes.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod check;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod layout;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod pseudonym;
#[cfg(test)]
mod redact;
#[cfg(test)]
mod runner;
#[cfg(test)]
mod sign;
#[cfg(test)]
mod surface;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod unwritable;
