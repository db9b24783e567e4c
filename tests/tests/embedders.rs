//! Embedders that are written twice, with this project's bindings and with the engine's own: the same scenarios, the same
//! results, and lines of code side by side.

mod embedders {
    mod lines;
    mod pipeline;
    mod plugins;
}
