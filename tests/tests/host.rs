//! Bindings of hosts, around a guest that passes everything on and back.

mod host {
    mod kinds;
}
