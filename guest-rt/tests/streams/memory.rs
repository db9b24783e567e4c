//! What stays allocated.

use crate::counting::{allocations, stays_flat};
use crate::export;
use crate::support::*;
use core::cell::Cell;
use core::task::Poll;

/// Nor is anything left in the engine.
fn stays_flat_and_empty(round: impl FnMut()) {
    stays_flat(round);
    nothing_is_left();
}

#[test]
fn local_pairs_leave_nothing() {
    stays_flat_and_empty(|| {
        export!(async {
            let (mut writer, mut reader) = stream::<String>();
            let mut write = writer.write(vec!["one".into(), "two".into()]);
            assert!(poll_here(&mut write).await.is_pending());
            assert!(reader.next().await.is_some());
            drop(write);
            let (tx, rx) = future::<String>(String::new);
            tx.write_and_forget("value".into());
            rx.await;
        });
    });
}

#[test]
fn reading_from_elsewhere_leaves_nothing() {
    stays_flat_and_empty(|| {
        let (remote, handle) = Remote::stream::<u32>();
        let task = export!(async move {
            let mut reader: StreamReader<u32> = lift(handle);
            reader.next().await;
            let mut read = reader.read(Vec::with_capacity(8));
            _ = poll_here(&mut read).await;
            drop(read);
            reader.next().await;
        });
        remote.write(&[1u32]);
        run();
        remote.outcome();
        remote.write(&[2u32]);
        run();
        assert!(exited(task));
    });
}

#[test]
fn writing_elsewhere_leaves_nothing() {
    stays_flat_and_empty(|| {
        let (mut writer, reader) = stream::<String>();
        let remote = give(reader);
        let task = export!(async move {
            writer.write_all(vec!["one".into(), "two".into()]).await;
        });
        remote.read(1);
        run();
        drop(remote);
        run();
        assert!(exited(task));
    });
}

#[test]
fn defaults_leave_nothing() {
    stays_flat_and_empty(|| {
        let (writer, reader) = future::<String>(|| "default".into());
        let remote = give(reader);
        native::sync_export(|| drop(writer));
        remote.read(1);
        export!(turn());
        run();
    });
}

#[test]
fn futures_from_elsewhere_leave_nothing() {
    stays_flat_and_empty(|| {
        let (remote, handle) = Remote::future::<u32>();
        let task = export!(async move {
            lift::<FutureReader<u32>>(handle).await;
        });
        remote.write(&[1u32]);
        run();
        assert!(exited(task));
    });
}

#[test]
fn a_stream_that_is_warm_allocates_nothing() {
    let (remote, handle) = Remote::stream::<u32>();
    let (mut writer, reader) = stream::<Token>();
    let given = give(reader);
    let task = export!(async move {
        let mut reader: StreamReader<u32> = lift(handle);
        let (mut buf, mut tokens) = (Vec::with_capacity(4), Token::many(0..4));
        for round in 0..20 {
            let before = Cell::new(0);
            let counted = |poll: &mut dyn FnMut() -> bool| {
                let start = allocations();
                let ready = poll();
                before.set(before.get() + allocations() - start);
                ready
            };
            buf.clear();
            let mut read = reader.read(buf);
            let mut done = None;
            core::future::poll_fn(|cx| {
                let ready = counted(&mut || match core::pin::Pin::new(&mut read).poll(cx) {
                    Poll::Ready(read) => done.replace(read).is_none(),
                    Poll::Pending => false,
                });
                if ready { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            buf = done.unwrap().1;
            let mut write = writer.write(tokens);
            let mut done = None;
            core::future::poll_fn(|cx| {
                let ready = counted(&mut || match core::pin::Pin::new(&mut write).poll(cx) {
                    Poll::Ready(written) => done.replace(written).is_none(),
                    Poll::Pending => false,
                });
                if ready { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            tokens = done.unwrap().1.into_vec();
            tokens.extend(Token::many(10 * (round + 1)..10 * (round + 1) + 4));
            assert!(round < 2 || before.get() <= 1, "{round}: {}", before.get());
        }
    });
    for _ in 0..20 {
        remote.write(&[1u32, 2, 3]);
        run();
        remote.outcome();
        given.read(4);
        run();
        given.outcome();
    }
    assert!(exited(task));
    fates();
}
