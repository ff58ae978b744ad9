//! The one integration binary: in-process origin, proxy and client on port 0.

mod tidy;
