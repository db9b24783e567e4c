//! Several runtimes in one module: this project's in two versions, three generations of the peer's, and its published
//! bindings of WASI.

mod beside {
    mod cells;
    mod host;
    mod object;
}
