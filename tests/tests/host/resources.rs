//! Resources of the host: who owns them, when they are dropped, and what a wrong handle does.

use anyhow::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use wasmtime::Store;
use wasmtime::component::{Component, Linker, TypedFunc};
use wasp_host_rt::{HasResources, Res, Resources};
use wasp_tests::engine::{engine, store, traced};

wasp_host_rt::generate!({
    inline: "
        package wasp:things;
        interface things {
            resource thing {
                constructor(n: u32);
                get: func() -> u32;
                fallible: static func(n: u32) -> option<thing>;
                /// Its own handle, while a method of it runs.
                again: func(other: borrow<thing>) -> u32;
            }
            take: func(t: thing) -> u32;
            look: func(t: borrow<thing>) -> u32;
            /// A handle to what is not there.
            wrong: func() -> thing;
        }
        world things-of-a-host { import things; }
    ",
});

use wasp::things::things;

/// Counts those that are there.
struct Thing(u32, Arc<AtomicU32>);

impl Drop for Thing {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Relaxed);
    }
}

#[derive(Default)]
struct Host {
    resources: Resources,
    there: Arc<AtomicU32>,
}

impl Host {
    fn thing(&self, n: u32) -> Thing {
        self.there.fetch_add(1, Relaxed);
        Thing(n, self.there.clone())
    }
}

impl HasResources for Host {
    fn resources(&mut self) -> &mut Resources {
        &mut self.resources
    }
}

impl things::HostThing<Host> for Thing {
    fn new(host: &mut Host, n: u32) -> Self {
        host.thing(n)
    }

    fn get(&mut self, _: &mut Host) -> u32 {
        self.0
    }

    fn fallible(host: &mut Host, n: u32) -> Option<Res<things::Thing>> {
        let thing = host.thing(n);
        (n > 0).then(|| host.resources.push(thing))
    }

    fn again(&mut self, host: &mut Host, other: Res<things::Thing>) -> u32 {
        match host.resources.get::<Thing>(&other) {
            Ok(other) => self.0 + other.0,
            // It is this one, which is not in the table now.
            Err(_) => self.0,
        }
    }
}

impl things::Host for Host {
    type Thing = Thing;

    fn take(&mut self, t: Res<things::Thing>) -> u32 {
        self.resources.take::<Thing>(t).map_or(0, |thing| thing.0)
    }

    fn look(&mut self, t: Res<things::Thing>) -> u32 {
        self.resources.get::<Thing>(&t).map_or(0, |thing| thing.0)
    }

    fn wrong(&mut self) -> Res<things::Thing> {
        Res::new_own(1000)
    }
}

/// A component that does what the body says.
async fn run(body: &str) -> Result<(wasmtime::Result<u32>, Store<Host>)> {
    let imports = [
        ("new", "[constructor]thing", "(param i32) (result i32)"),
        ("get", "[method]thing.get", "(param i32) (result i32)"),
        ("again", "[method]thing.again", "(param i32 i32) (result i32)"),
        ("fallible", "[static]thing.fallible", "(param i32 i32)"),
        ("take", "take", "(param i32) (result i32)"),
        ("look", "look", "(param i32) (result i32)"),
        ("wrong", "wrong", "(result i32)"),
    ];
    let lower = imports.map(|(name, export, _)| {
        let memory = if name == "fallible" { "(memory (core memory $memory \"memory\"))" } else { "" };
        format!("(core func ${name} (canon lower (func $t \"{export}\") {memory}))")
    });
    let with = imports.map(|(name, ..)| format!("(export \"{name}\" (func ${name}))"));
    let import = imports.map(|(name, _, ty)| format!("(import \"\" \"{name}\" (func ${name} {ty}))"));
    let text = format!(
        r#"(component
            (import "wasp:things/things" (instance $t
                (export "thing" (type $thing (sub resource)))
                (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
                (export "[method]thing.get" (func (param "self" (borrow $thing)) (result u32)))
                (export "[method]thing.again" (func
                    (param "self" (borrow $thing)) (param "other" (borrow $thing)) (result u32)))
                (export "[static]thing.fallible" (func (param "n" u32) (result (option (own $thing)))))
                (export "take" (func (param "t" (own $thing)) (result u32)))
                (export "look" (func (param "t" (borrow $thing)) (result u32)))
                (export "wrong" (func (result (own $thing))))))
            (alias export $t "thing" (type $thing))
            (core module $memory (memory (export "memory") 1))
            (core instance $memory (instantiate $memory))
            {}
            (core func $drop (canon resource.drop $thing))
            (core module $m
                {}
                (import "" "drop" (func $drop (param i32)))
                (import "" "memory" (memory 1))
                (func (export "run") (result i32) (local $a i32) (local $b i32) {body}))
            (core instance $i (instantiate $m (with "" (instance
                {} (export "drop" (func $drop)) (export "memory" (memory $memory "memory"))))))
            (func (export "run") (result u32) (canon lift (core func $i "run"))))"#,
        lower.concat(),
        import.concat(),
        with.concat(),
    );
    let component = traced(Component::new(engine(), wat::parse_str(text)?))?;
    let mut linker = Linker::new(engine());
    traced(things::add_to_linker(&mut linker, |host: &mut Host| host))?;
    let mut store = store(Host::default());
    let instance = traced(linker.instantiate_async(&mut store, &component).await)?;
    let run: TypedFunc<(), (u32,)> = traced(instance.get_typed_func(&mut store, "run"))?;
    let result = run.call_async(&mut store, ()).await;
    Ok((result.map(|(result,)| result), store))
}

/// The result, and how many things are left.
async fn ran(body: &str) -> Result<(u32, u32)> {
    let (result, store) = run(body).await?;
    Ok((traced(result)?, store.data().there.load(Relaxed)))
}

async fn trapped(body: &str) -> Result<String> {
    let (result, _) = run(body).await?;
    Ok(format!("{:?}", result.expect_err("it should trap")))
}

#[tokio::test]
async fn resources_are_there_until_their_handles_are_dropped() -> Result<()> {
    assert_eq!(ran("(call $get (call $new (i32.const 5)))").await?, (5, 1));
    let dropped = "(local.set $a (call $new (i32.const 5))) (call $drop (local.get $a)) (i32.const 7)";
    assert_eq!(ran(dropped).await?, (7, 0));
    assert_eq!(ran("(call $take (call $new (i32.const 5)))").await?, (5, 0));
    assert_eq!(ran("(call $look (call $new (i32.const 5)))").await?, (5, 1));
    Ok(())
}

#[tokio::test]
async fn statics_may_make_a_resource_or_not() -> Result<()> {
    assert_eq!(ran("(call $fallible (i32.const 0) (i32.const 0)) (i32.load8_u (i32.const 0))").await?, (0, 0));
    let some = "(call $fallible (i32.const 3) (i32.const 0)) (call $get (i32.load (i32.const 4)))";
    assert_eq!(ran(some).await?, (3, 1));
    Ok(())
}

#[tokio::test]
async fn a_method_may_be_passed_others_and_itself() -> Result<()> {
    let both = "(call $again (call $new (i32.const 2)) (call $new (i32.const 3)))";
    assert_eq!(ran(both).await?, (5, 2));
    let itself = "(local.set $a (call $new (i32.const 2))) (call $again (local.get $a) (local.get $a))";
    assert_eq!(ran(itself).await?, (2, 1));
    Ok(())
}

#[tokio::test]
async fn handles_that_are_gone_or_wrong_trap_and_say_so() -> Result<()> {
    let twice =
        trapped("(local.set $a (call $new (i32.const 5))) (call $drop (local.get $a)) (call $get (local.get $a))");
    assert!(twice.await?.contains("unknown handle index"));
    let taken =
        "(local.set $a (call $new (i32.const 5))) (drop (call $take (local.get $a))) (call $get (local.get $a))";
    assert!(trapped(taken).await?.contains("unknown handle index"));
    // The host itself has given a handle away that is to nothing.
    let wrong = trapped("(call $get (call $wrong))").await?;
    assert!(wrong.contains("wasp:things/things#[method]thing.get"), "{wrong}");
    Ok(())
}
