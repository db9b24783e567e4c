//! Values of every shape there and back, for guests and hosts of both sides.

mod matrix {
    mod ours;
    mod peer;
    mod rounds;
    mod values;
}
