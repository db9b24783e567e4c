//! Hosts whose bindings are generated, around guests of this project's.

mod host {
    mod flows;
    mod handle;
    mod kinds;
}
