//! Options: what a component may lack, errors of the host's own, spans, derives.

use super::embedder;
use anyhow::Result;
use std::cell::RefCell;
use wasmtime::Store;
use wasmtime::component::{Component, Linker};
use wasp_host_rt::Trappable;
use wasp_tests::engine::{engine, store, traced};

/// What a newer component would have.
mod newer {
    wasp_host_rt::generate!({
        inline: "
            package wasp:newer;
            interface more { more: func() -> u32; }
            world newer {
                export one: func() -> u32;
                /// Added later.
                export two: func() -> u32;
                export three: async func() -> u32;
                export more;
            }
        ",
        optional_exports: ["two", "three", "wasp:newer/more"],
        tracing,
    });
}

/// A component with one function, and with another where that is asked for.
fn component(second: bool) -> Result<Component> {
    let more = r#"
        (func $two (result u32) (canon lift (core func $i "two")))
        (export "two" (func $two))
        (instance $more (export "more" (func $two)))
        (export "wasp:newer/more" (instance $more))
    "#;
    let text = format!(
        r#"(component
            (core module $m
                (func (export "one") (result i32) i32.const 1)
                (func (export "two") (result i32) i32.const 2))
            (core instance $i (instantiate $m))
            (func $one (result u32) (canon lift (core func $i "one")))
            (export "one" (func $one))
            {})"#,
        if second { more } else { "" }
    );
    traced(Component::new(engine(), wat::parse_str(text)?))
}

#[tokio::test]
async fn exports_that_a_component_may_lack_are_options() -> Result<()> {
    for second in [false, true] {
        let mut store = store(());
        let linker = Linker::new(engine());
        let newer = traced(newer::Newer::instantiate_async(&mut store, &component(second)?, &linker).await)?;
        assert_eq!(traced(newer.one(&mut store).await)?, 1);
        assert_eq!(traced(newer.two(&mut store).await)?, second.then_some(2));
        assert_eq!(traced(newer.three(&mut store).await)?, None);
        let more = newer.wasp_newer_more();
        assert_eq!(more.is_some(), second);
        if let Some(more) = more {
            assert_eq!(traced(more.more(&mut store).await)?, 2);
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_instance_can_be_had_without_waiting() -> Result<()> {
    let (component, linker, mut store) = (component(true)?, Linker::new(engine()), store(()));
    let newer = traced(newer::Newer::instantiate(&mut store, &component, &linker))?;
    assert_eq!(traced(newer.one(&mut store).await)?, 1);
    let pre = traced(linker.instantiate_pre(&component).and_then(newer::NewerPre::new))?;
    let newer = traced(pre.instantiate(&mut store))?;
    assert_eq!(traced(newer.two(&mut store).await)?, Some(2));
    let instance = traced(linker.instantiate(&mut store, &component))?;
    let newer = traced(newer::Newer::new(&mut store, &instance))?;
    assert_eq!(traced(newer.two(&mut store).await)?, Some(2));
    Ok(())
}

thread_local! {
    /// The spans of this thread.
    static SPANS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Remembers the spans of each thread.
///
/// It is the subscriber of the whole process. Were it that of one thread, `tracing` could ask another test's thread whether
/// anybody wants the spans of a call, and keep its answer for all.
struct Spans;

impl tracing::Subscriber for Spans {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        struct Function(String);
        impl tracing::field::Visit for Function {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "function" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut function = Function(String::new());
        attributes.record(&mut function);
        SPANS.with_borrow_mut(|spans| {
            spans.push(format!("{} {}", attributes.metadata().name(), function.0));
            tracing::span::Id::from_u64(spans.len() as u64)
        })
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn calls_are_spans_where_that_is_asked_for() -> Result<()> {
    tracing::subscriber::set_global_default(Spans)?;
    SPANS.take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut store = store(());
        let linker = Linker::new(engine());
        let newer = traced(newer::Newer::instantiate_async(&mut store, &component(true)?, &linker).await)?;
        traced(newer.one(&mut store).await)?;
        traced(newer.two(&mut store).await)?;
        // These bindings have no spans.
        let (mut store, flows) = embedder::instance().await?;
        traced(flows.echo(&mut store, "a").await)?;
        anyhow::Ok(())
    })?;
    let all = SPANS.take();
    let ours: Vec<_> = all.iter().filter(|span| span.starts_with("wit-")).cloned().collect();
    assert_eq!(ours, ["wit-export \"one\"", "wit-export \"two\""]);
    Ok(())
}

/// Hosts whose functions fail in ways that WIT does not know.
mod fallible {
    wasp_host_rt::generate!({
        inline: "
            package wasp:fallible;
            interface files {
                enum errno { not-found }
                open: func(path: string) -> result<u32, errno>;
                later: async func(path: string) -> result<u32, errno>;
            }
            world fallible {
                import files;
                import plain: func() -> u32;
            }
        ",
        trappable_imports,
        trappable_error_type: { "wasp:fallible/files.errno": crate::host::options::HostError },
    });
}

/// What the host fails with.
struct HostError(std::io::Error);

impl Trappable<fallible::wasp::fallible::files::Errno> for HostError {
    fn into_wit(self) -> wasmtime::Result<fallible::wasp::fallible::files::Errno> {
        match self.0.kind() {
            std::io::ErrorKind::NotFound => Ok(fallible::wasp::fallible::files::Errno::NotFound),
            _ => Err(self.0.into()),
        }
    }
}

struct Files;

impl Files {
    fn open(path: &str) -> Result<u32, HostError> {
        match path {
            "there" => Ok(1),
            "broken" => Err(HostError(std::io::Error::other("the disk is gone"))),
            _ => Err(HostError(std::io::ErrorKind::NotFound.into())),
        }
    }
}

impl fallible::wasp::fallible::files::Host for Files {
    fn open(&mut self, path: &str) -> Result<u32, HostError> {
        Files::open(path)
    }

    async fn later(_: wasp_host_rt::Cx<'_, Self>, path: String) -> Result<u32, HostError> {
        Files::open(&path)
    }
}

impl fallible::FallibleImports for Files {
    fn plain(&mut self) -> wasmtime::Result<u32> {
        wasmtime::bail!("not today")
    }
}

/// A component that calls one of the functions with a path, and returns whether that went well.
fn caller(path: &str) -> Result<Component> {
    let text = format!(
        r#"(component
            (import "plain" (func $plain (result u32)))
            (import "wasp:fallible/files" (instance $files
                (type $e (enum "not-found"))
                (export "errno" (type $errno (eq $e)))
                (export "open" (func (param "path" string) (result (result u32 (error $errno)))))))
            (core module $memory (memory (export "memory") 1) (data (i32.const 100) "{path}"))
            (core instance $memory (instantiate $memory))
            (core func $open (canon lower (func $files "open") (memory (core memory $memory "memory"))))
            (core func $plain (canon lower (func $plain)))
            (core module $m
                (import "" "memory" (memory 1))
                (import "" "open" (func $open (param i32 i32 i32)))
                (import "" "plain" (func $plain (result i32)))
                (func (export "run") (result i32)
                    (call $open (i32.const 100) (i32.const {}) (i32.const 0))
                    (i32.load8_u (i32.const 0)))
                (func (export "plain") (result i32) (call $plain)))
            (core instance $i (instantiate $m (with "" (instance
                (export "memory" (memory $memory "memory"))
                (export "open" (func $open))
                (export "plain" (func $plain))))))
            (func (export "run") (result u32) (canon lift (core func $i "run")))
            (func (export "call-plain") (result u32) (canon lift (core func $i "plain"))))"#,
        path.len()
    );
    traced(Component::new(engine(), wat::parse_str(text)?))
}

async fn call(path: &str, export: &str) -> Result<wasmtime::Result<(u32,)>> {
    let mut linker = Linker::new(engine());
    traced(fallible::Fallible::add_to_linker(&mut linker, |files: &mut Files| files))?;
    let mut store: Store<Files> = store(Files);
    let instance = traced(linker.instantiate_async(&mut store, &caller(path)?).await)?;
    let function = traced(instance.get_typed_func::<(), (u32,)>(&mut store, export))?;
    Ok(function.call_async(&mut store, ()).await)
}

#[tokio::test]
async fn errors_of_the_host_become_those_of_wit_or_end_the_call_with_a_name() -> Result<()> {
    assert_eq!(traced(call("there", "run").await?)?, (0,));
    assert_eq!(traced(call("elsewhere", "run").await?)?, (1,));
    let error = format!("{:?}", call("broken", "run").await?.unwrap_err());
    assert!(error.contains("wasp:fallible/files#open") && error.contains("the disk is gone"), "{error}");
    let error = format!("{:?}", call("there", "call-plain").await?.unwrap_err());
    assert!(error.contains("`plain`") && error.contains("not today"), "{error}");
    Ok(())
}
