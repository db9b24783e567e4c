//! What guests written for the peer link with.
