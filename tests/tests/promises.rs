//! What generated code promises, on the engine.

use anyhow::{Context as _, Result};
use futures::channel::oneshot::{Sender, channel};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use wasmtime::component::{Component, FutureConsumer, FutureReader, Instance, Linker, Source, Val};
use wasmtime::{AsContextMut as _, Store, StoreContextMut};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{call, engine, store, traced};

/// What the guest has logged.
type Log = Arc<Mutex<Vec<String>>>;

#[tokio::test]
async fn destructors_of_results_run_before_their_export_returns() -> Result<()> {
    let (mut store, instance, log) = instantiate().await?;
    for _ in 0..2 {
        let Some(Val::Record(report)) = call(&mut store, &instance, "report", &[]).await? else { panic!() };
        assert_eq!(report[0].1, Val::String("a report".into()));
        assert_eq!(logged(&log), ["a report is dropped"]);
        let Some(Val::List(parts)) = call(&mut store, &instance, "parts", &[]).await? else { panic!() };
        let Val::Variant(name, Some(report)) = &parts[1] else { panic!() };
        let Val::Record(report) = &**report else { panic!() };
        assert_eq!((name.as_str(), &report[0].1), ("one", &Val::String("a part".into())));
        assert_eq!(logged(&log), ["a part is dropped"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_world_may_be_generated_twice_in_one_program() -> Result<()> {
    let (mut store, instance, _) = instantiate().await?;
    assert_eq!(call(&mut store, &instance, "twice", &[Val::U32(4)]).await?, Some(Val::U32(10)));
    Ok(())
}

#[tokio::test]
async fn payloads_can_be_forwarded_from_world_to_world() -> Result<()> {
    let (mut store, instance, _) = instantiate().await?;
    let forwarded = call(&mut store, &instance, "forwarded", &[]).await?;
    assert_eq!(forwarded, Some(Val::String("Ok(0)".into())));
    let forward = traced(instance.get_typed_func::<(), (FutureReader<Result<u32, String>>,)>(&mut store, "forward"))?;
    let (reader,) = traced(forward.call_async(&mut store, ()).await)?;
    let (sender, receiver) = channel();
    let value = store.run_concurrent(async |accessor| -> wasmtime::Result<Result<u32, String>> {
        accessor.with(|mut store| reader.pipe(store.as_context_mut(), Taken(Some(sender))))?;
        Ok(receiver.await?)
    });
    assert_eq!(traced(traced(value.await)?)?, Err("forwarded".into()));
    Ok(())
}

#[tokio::test]
async fn what_no_task_will_ever_run_is_refused_and_no_reader_hangs() -> Result<()> {
    let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &["--example=alone"])?;
    let module = std::fs::read(&guests.first().context("no guest was built")?.1)?;
    let component = traced(Component::new(engine(), component::encode(&module, None)?))?;
    let mut store = store(());
    let instance = traced(Linker::new(engine()).instantiate_async(&mut store, &component).await)?;
    assert_eq!(call(&mut store, &instance, "add", &[Val::U32(3), Val::U32(4)]).await?, Some(Val::U32(7)));
    let refused = call(&mut store, &instance, "numbers", &[]).await.expect_err("it traps");
    assert!(format!("{refused:?}").contains("for_spawned"), "{refused:?}");
    Ok(())
}

/// Passes on the value of a future.
struct Taken(Option<Sender<Result<u32, String>>>);

impl<D> FutureConsumer<D> for Taken {
    type Item = Result<u32, String>;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        mut source: Source<'_, Self::Item>,
        _: bool,
    ) -> Poll<wasmtime::Result<()>> {
        let mut value = None;
        source.read(store, &mut value)?;
        if let (Some(value), Some(sender)) = (value, self.0.take()) {
            _ = sender.send(value);
        }
        Poll::Ready(Ok(()))
    }
}

fn logged(log: &Log) -> Vec<String> {
    std::mem::take(&mut log.lock().expect("nobody panicked"))
}

async fn instantiate() -> Result<(Store<()>, Instance, Log)> {
    let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &["--example=promises"])?;
    let module = std::fs::read(&guests.first().context("no guest was built")?.1)?;
    let component = traced(Component::new(engine(), component::encode(&module, None)?))?;
    let mut linker = Linker::<()>::new(engine());
    let log = Log::default();
    let lines = log.clone();
    let host = linker.instance("wasp:promises/host");
    traced(host.and_then(|mut host| {
        host.func_wrap("log", move |_, (text,): (String,)| {
            lines.lock().expect("nobody panicked").push(text);
            Ok(())
        })?;
        host.func_wrap_concurrent("later", |_, (x,): (u32,)| Box::pin(async move { Ok((x + 1,)) }))
    }))?;
    let mut store = store(());
    let instance = traced(linker.instantiate_async(&mut store, &component).await)?;
    Ok((store, instance, log))
}
