//! A world with many exports, which is instantiated often.

use crate::engine::traced;
use anyhow::Result;
use std::fmt::Write;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

mod ours {
    wasp_host_rt::generate!({ path: "benches/wide.wit", world: "wide" });
}

mod peer {
    wasmtime::component::bindgen!({ path: "benches/wide.wit", world: "wide", exports: { default: async } });
}

/// A component of this world, in which one function is all of them.
fn component(engine: &Engine) -> Result<Component> {
    let mut text = String::from(
        "(component (core module $m (func (export \"f\") (param i32) (result i32) local.get 0))
         (core instance $i (instantiate $m))
         (func $f (param \"x\" u32) (result u32) (canon lift (core func $i \"f\")))",
    );
    for i in 0..200 {
        write!(text, "(export \"f{i:03}\" (func $f))")?;
    }
    text.push(')');
    traced(Component::new(engine, wat::parse_str(text)?))
}

pub(super) struct Ours {
    engine: Engine,
    pre: ours::WidePre<()>,
}

impl Ours {
    pub(super) fn new(engine: &Engine) -> Result<Ours> {
        let pre = traced(Linker::new(engine).instantiate_pre(&component(engine)?))?;
        Ok(Ours { engine: engine.clone(), pre: traced(ours::WidePre::new(pre))? })
    }

    pub(super) async fn run(&mut self, times: u32) -> Result<()> {
        for i in 0..times {
            let mut store = Store::new(&self.engine, ());
            let wide = traced(self.pre.instantiate_async(&mut store).await)?;
            assert_eq!(traced(wide.f000(&mut store, i).await)?, i);
        }
        Ok(())
    }
}

pub(super) struct Peer {
    engine: Engine,
    pre: peer::WidePre<()>,
}

impl Peer {
    pub(super) fn new(engine: &Engine) -> Result<Peer> {
        let pre = traced(Linker::new(engine).instantiate_pre(&component(engine)?))?;
        Ok(Peer { engine: engine.clone(), pre: traced(peer::WidePre::new(pre))? })
    }

    pub(super) async fn run(&mut self, times: u32) -> Result<()> {
        for i in 0..times {
            let mut store = Store::new(&self.engine, ());
            let wide = traced(self.pre.instantiate_async(&mut store).await)?;
            assert_eq!(traced(wide.call_f000(&mut store, i).await)?, i);
        }
        Ok(())
    }
}
