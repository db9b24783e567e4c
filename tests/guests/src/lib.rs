//! What guests in the tests link with.
