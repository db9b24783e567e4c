//! All kinds of work, after which an instance must own nothing.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasp::rest::{host, partner};
use wasp_guest_rt::{block_on, scope, select, spawn_local, timeout, yield_async};

wasp_guest_rt::generate!({ path: "../guests/rest/rest.wit", world: "driver" });

struct Driver;

export!(Driver);

impl Guest for Driver {
    async fn work(kind: String) {
        match kind.as_str() {
            "call" => assert_eq!(partner::echo(3, "text".into()).await, "text"),
            "calls" => calls().await,
            "cancelled calls" => cancelled_calls().await,
            "stubborn callee" => {
                let call = pin!(partner::stubborn(200));
                assert!(timeout(call, pin!(host::later(1))).await.is_err());
            }
            "callee that drains" => drain().await,
            "readers" => readers().await,
            "writers" => writers().await,
            "futures" => futures().await,
            "spawned" => spawn_local(async { _ = host::later(20).await }).detach(),
            "spawned and cancelled" => {
                let mut handle = spawn_local(host::never());
                yield_async().await;
                handle.cancel();
                assert!(handle.await.is_none());
            }
            "scope" => {
                scope(async |scope| {
                    scope.spawn(host::later(3)).detach();
                    scope.spawn(host::never()).detach();
                    host::later(1).await;
                    scope.cancel_all();
                })
                .await
            }
            "block_on" => _ = block_on(host::later(3)),
            "futures of others" => {
                assert_eq!(host::value(3).await, 3);
                let read = pin!(host::value(1000).into_future());
                assert!(timeout(read, pin!(host::later(1))).await.is_err());
                let mut read = Box::pin(host::value(2).into_future());
                let first = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await;
                assert!(first.is_pending());
                host::later(5).await;
                assert_eq!(read.as_mut().cancel().ok(), Some(2));
            }
            "wakes" => wakes().await,
            other => panic!("there is no such work: {other}"),
        }
    }

    fn work_at_once(kind: String) {
        match kind.as_str() {
            "dropped call" => once(host::never()),
            "dropped reader" => {
                let mut bytes = host::silent();
                once(async { _ = bytes.next().await });
            }
            "dropped reader in block_on" => block_on(async {
                let mut bytes = host::silent();
                let next = pin!(bytes.next());
                let ready = pin!(std::future::ready(()));
                _ = select(next, ready).await;
            }),
            "dropped writer" => {
                let (mut writer, reader) = wit_stream::new::<u8>();
                host::sip(3, reader);
                once(async { drop(writer.write(vec![1; 10]).await) });
            }
            other => panic!("there is no such work: {other}"),
        }
    }

    async fn ping(turns: u32) -> u32 {
        host::later(turns).await
    }
}

/// Polls a future once, and drops it.
fn once(future: impl Future) {
    _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

async fn calls() {
    scope(async |scope| {
        for turns in 0..100 {
            // None is ready at once: of a call that is, the engine keeps its own record of the task (wasmtime 48).
            let call = partner::echo(turns % 7 + 1, "text".into());
            scope.spawn(async move { assert_eq!(call.await, "text") }).detach();
        }
    })
    .await;
}

async fn cancelled_calls() {
    for _ in 0..10 {
        let call = pin!(partner::echo(1000, "text".into()));
        assert!(timeout(call, pin!(host::later(1))).await.is_err());
        let never = pin!(host::never());
        assert!(timeout(never, pin!(yield_async())).await.is_err());
    }
}

/// The callee wants all that a spawned future writes before it confirms that it was cancelled.
async fn drain() {
    let (mut writer, reader) = wit_stream::new::<u8>();
    spawn_local(async move {
        for _ in 0..10 {
            writer.write_all(vec![0; 10]).await;
            host::later(1).await;
        }
    })
    .detach();
    let call = pin!(partner::drain(reader));
    assert!(timeout(call, pin!(host::later(1))).await.is_err());
}

async fn readers() {
    assert_eq!(host::bytes().collect().await.len(), 20);
    let mut bytes = host::bytes();
    assert!(bytes.next().await.is_some());
    drop(bytes);
    let mut silent = host::silent();
    let next = pin!(silent.next());
    assert!(timeout(next, pin!(host::later(1))).await.is_err());
}

async fn writers() {
    // One is read a little, one is dropped, one is local and never read.
    let (mut writer, reader) = wit_stream::new::<u8>();
    host::sip(2, reader);
    assert_eq!(writer.write_all(vec![1; 1000]).await.len(), 999);
    let (writer, reader) = wit_stream::new::<u8>();
    host::sip(1, reader);
    drop(writer);
    let (mut writer, _reader) = wit_stream::new::<u8>();
    let write = pin!(writer.write(vec![1]));
    assert!(timeout(write, pin!(host::later(1))).await.is_err());
}

async fn futures() {
    // Written, written for nobody, left to its default: each awaited, and dropped.
    for take in [host::await_later, host::drop_later] {
        let (writer, reader) = wit_future::new::<String>(|| "default".into());
        take(3, reader);
        drop(writer.write("written".into()).await);
        let (writer, reader) = wit_future::new::<String>(|| "default".into());
        take(30, reader);
        writer.write_and_forget("for nobody".into());
        let (writer, reader) = wit_future::new::<String>(|| "default".into());
        take(30, reader);
        drop(writer);
    }
}

async fn wakes() {
    let (sender, receiver) = futures::channel::oneshot::channel::<u32>();
    spawn_local(async move {
        host::later(2).await;
        sender.send(1).expect("somebody waits");
    })
    .detach();
    assert_eq!(receiver.await, Ok(1));
    let mut turns = 0;
    poll_fn(|cx| {
        turns += 1;
        cx.waker().wake_by_ref();
        if turns < 100 { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    let never = pin!(pending::<()>());
    assert!(timeout(never, pin!(host::later(1))).await.is_err());
}
