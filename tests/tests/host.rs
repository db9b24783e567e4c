//! Hosts whose bindings are generated, around guests of this project's.

mod host {
    mod embedder;
    mod flows;
    mod handle;
    mod kinds;
    mod names;
    mod options;
    mod resources;
    mod wasi;
}
