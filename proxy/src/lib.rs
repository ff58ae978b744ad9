//! WHERE it happens: listeners, identity, reload, the upstream leg, the admin listener and the
//! command line. The only crate of Postern with sockets, threads and time.
