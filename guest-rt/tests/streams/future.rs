//! Futures, here and across the boundary.

use crate::export;
use crate::support::*;
use core::cell::RefCell;
use core::pin::Pin;
use core::task::Poll;
use std::rc::Rc;
use wasp_guest_rt::FutureWriteCancel;

#[test]
fn a_value_is_read_where_it_was_written() {
    let before = count();
    let task = export!(async {
        // The reader first, and then the writer first.
        let (writer, reader) = future::<String>(|| unreachable!());
        let mut read = reader.into_future();
        assert!(poll_here(&mut read).await.is_pending());
        writer.write("one".into()).await.unwrap();
        assert_eq!(read.await, "one");

        let (writer, reader) = future::<String>(|| unreachable!());
        let mut write = writer.write("two".into());
        assert!(poll_here(&mut write).await.is_pending());
        assert_eq!(reader.await, "two");
        write.await.unwrap();
    });
    assert!(exited(task));
    assert_eq!(count() - before, 1, "{:?}", counts());
}

#[test]
fn a_value_comes_from_elsewhere() {
    let (remote, handle) = Remote::future::<Token>();
    let (other, other_handle) = Remote::future::<Token>();
    other.write(&[8u32]);
    let task = export!(async move {
        assert_eq!(lift::<FutureReader<Token>>(handle).await.0, 7);
        assert_eq!(lift::<FutureReader<Token>>(other_handle).await.0, 8);
    });
    remote.write(&[7u32]);
    run();
    assert!(exited(task));
    drop((remote, other));
    assert!(fates().values().all(|fate| *fate == Fate::Dropped));
    nothing_is_left();
}

#[test]
fn a_large_value_has_room() {
    let (remote, handle) = Remote::future::<[u64; 9]>();
    let (writer, reader) = future::<[u64; 9]>(|| [0; 9]);
    let task = export!(async move {
        let value = lift::<FutureReader<[u64; 9]>>(handle).await;
        writer.write(value).await.unwrap();
    });
    let given = give(reader);
    remote.write(&[1u64, 2, 3, 4, 5, 6, 7, 8, 9]);
    run();
    given.read(1);
    run();
    // SAFETY: those are numbers.
    assert_eq!(unsafe { given.items::<u64>(9) }, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(exited(task));
}

#[test]
fn a_value_goes_elsewhere() {
    let task = export!(async {
        // The write is pending when the reader leaves.
        let (writer, reader) = future::<Token>(|| unreachable!());
        let mut write = writer.write(Token::new(1));
        assert!(poll_here(&mut write).await.is_pending());
        let remote = give(reader);
        native::later(move || {
            remote.read(1);
            // SAFETY: tokens are numbers.
            assert_eq!(unsafe { remote.items::<u32>(1) }, [1]);
        });
        write.await.unwrap();

        // The reader has left before.
        let (writer, reader) = future::<Token>(|| unreachable!());
        let remote = give(reader);
        remote.read(1);
        writer.write(Token::new(2)).await.unwrap();

        // And is gone.
        let (writer, reader) = future::<Token>(|| unreachable!());
        drop(give(reader));
        assert_eq!(writer.write(Token::new(3)).await.unwrap_err().value.0, 3);
        let (writer, reader) = future::<Token>(|| unreachable!());
        drop(reader);
        assert_eq!(writer.write(Token::new(4)).await.unwrap_err().value.0, 4);
    });
    run();
    assert!(exited(task));
    assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Given, Fate::Given, Fate::Dropped, Fate::Dropped]);
    nothing_is_left();
}

#[test]
fn a_writer_that_is_dropped_unwritten_writes_the_default() {
    for in_task in [false, true] {
        for reads_first in [false, true] {
            for given_first in [false, true] {
                let (writer, reader) = future::<Token>(|| Token::new(9));
                let drop_writer = move || {
                    if in_task {
                        export!(async move { drop(writer) });
                    } else {
                        native::sync_export(|| drop(writer));
                    }
                };
                let remote = if given_first {
                    let remote = give(reader);
                    if reads_first {
                        remote.read(1);
                    }
                    drop_writer();
                    remote
                } else {
                    drop_writer();
                    give(reader)
                };
                if !(given_first && reads_first) {
                    remote.read(1);
                }
                assert_eq!(remote.outcome(), Some((0, 0)), "{in_task} {reads_first} {given_first}");
                // SAFETY: tokens are numbers.
                assert_eq!(unsafe { remote.items::<u32>(1) }, [9]);
                export!(turn());
                run();
                drop(remote);
                assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Given]);
                nothing_is_left();
            }
        }
    }
}

#[test]
fn a_default_is_not_asked_for_when_nobody_reads() {
    let (writer, reader) = future::<String>(|| unreachable!());
    drop(reader);
    drop(writer);
    let (writer, reader) = future::<String>(|| unreachable!());
    drop(writer);
    drop(reader);
}

#[test]
fn a_default_is_read_where_it_is_made() {
    let task = export!(async {
        let (writer, reader) = future::<String>(|| "default".into());
        drop(writer);
        assert_eq!(reader.await, "default");
        let (writer, reader) = future::<String>(|| "default".into());
        let mut read = reader.into_future();
        assert!(poll_here(&mut read).await.is_pending());
        drop(writer.write("lost".into()));
        assert_eq!(read.await, "default");
    });
    assert!(exited(task));
}

#[test]
fn a_default_that_nobody_takes_is_dropped() {
    for in_task in [false, true] {
        let (writer, reader) = future::<Token>(|| Token::new(9));
        let remote = give(reader);
        if in_task {
            export!(async move { drop(writer) });
        } else {
            native::sync_export(|| drop(writer));
        }
        drop(remote);
        export!(turn());
        run();
        assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Dropped]);
        nothing_is_left();
    }
}

#[test]
fn a_value_can_be_written_without_waiting() {
    let (writer, reader) = future::<String>(|| unreachable!());
    writer.write_and_forget("here".into());
    let task = export!(async move { assert_eq!(reader.await, "here") });
    assert!(exited(task));

    let (writer, reader) = future::<Token>(|| unreachable!());
    let remote = give(reader);
    native::sync_export(|| writer.write_and_forget(Token::new(1)));
    remote.read(1);
    export!(turn());
    run();
    drop(remote);
    assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Given]);
    nothing_is_left();
}

#[test]
fn reads_are_cancelled_in_every_state() {
    let (remote, handle) = Remote::future::<Token>();
    let task = export!(async move {
        // Before it starts.
        let mut read = lift::<FutureReader<Token>>(handle).into_future();
        let reader = Pin::new(&mut read).cancel().unwrap_err();
        // Nothing has come.
        let mut read = reader.into_future();
        assert!(poll_here(&mut read).await.is_pending());
        let reader = Pin::new(&mut read).cancel().unwrap_err();
        // The reader is as good as new: it can be passed on, and come back.
        let reader: FutureReader<Token> = lift(give(reader).lower());
        // The value has come meanwhile.
        let mut read = reader.into_future();
        assert!(poll_here(&mut read).await.is_pending());
        turn().await;
        remote.write(&[5u32]);
        assert_eq!(Pin::new(&mut read).cancel().unwrap().0, 5);
        // And afterwards there is nothing, but also no harm.
        let spent = Pin::new(&mut read).cancel().unwrap_err();
        assert!(poll_here(&mut spent.into_future()).await.is_pending());
        drop(remote);
    });
    run();
    assert!(exited(task));
    fates();
    nothing_is_left();
}

#[test]
fn local_reads_are_cancelled_in_every_state() {
    let task = export!(async {
        let (writer, reader) = future::<Token>(|| unreachable!());
        let mut read = reader.into_future();
        assert!(poll_here(&mut read).await.is_pending());
        let reader = Pin::new(&mut read).cancel().unwrap_err();
        let mut read = reader.into_future();
        assert!(poll_here(&mut read).await.is_pending());
        writer.write(Token::new(1)).await.unwrap();
        assert_eq!(Pin::new(&mut read).cancel().unwrap().0, 1);
    });
    assert!(exited(task));
    fates();
}

#[test]
fn writes_are_cancelled_in_every_state() {
    for given in [false, true] {
        let task = export!(async move {
            let (writer, reader) = future::<Token>(|| unreachable!());
            let (remote, local) = if given { (Some(give(reader)), None) } else { (None, Some(reader)) };
            // Before it starts.
            let mut write = writer.write(Token::new(1));
            let FutureWriteCancel::Cancelled(value, writer) = Pin::new(&mut write).cancel() else { panic!() };
            // Nobody reads.
            let mut write = writer.write(value);
            assert!(poll_here(&mut write).await.is_pending());
            let FutureWriteCancel::Cancelled(value, writer) = Pin::new(&mut write).cancel() else { panic!() };
            assert_eq!(value.0, 1);
            // It was read meanwhile.
            let mut write = writer.write(value);
            assert!(poll_here(&mut write).await.is_pending());
            match (&remote, local) {
                (Some(remote), _) => remote.read(1),
                (None, Some(local)) => assert_eq!(local.await.0, 1),
                (None, None) => unreachable!(),
            }
            assert!(matches!(Pin::new(&mut write).cancel(), FutureWriteCancel::AlreadySent));
            assert!(matches!(Pin::new(&mut write).cancel(), FutureWriteCancel::AlreadySent));

            // The reader was dropped meanwhile.
            let (writer, reader) = future::<Token>(|| unreachable!());
            let (remote, local) = if given { (Some(give(reader)), None) } else { (None, Some(reader)) };
            let mut write = writer.write(Token::new(2));
            assert!(poll_here(&mut write).await.is_pending());
            drop((remote, local));
            let FutureWriteCancel::Dropped(value) = Pin::new(&mut write).cancel() else { panic!() };
            assert_eq!(value.0, 2);
        });
        run();
        assert!(exited(task));
        let expected = if given { Fate::Given } else { Fate::Dropped };
        assert_eq!(fates().into_values().collect::<Vec<_>>(), [expected, Fate::Dropped]);
        nothing_is_left();
    }
}

#[test]
fn a_write_in_progress_can_be_dropped_anywhere() {
    for in_task in [false, true] {
        let (writer, reader) = future::<Token>(|| Token::new(9));
        let remote = give(reader);
        let write = Rc::new(RefCell::new(Some(writer.write(Token::new(1)))));
        export!({
            let write = write.clone();
            async move {
                let mut pending = write.take().unwrap();
                assert!(poll_here(&mut pending).await.is_pending());
                write.replace(Some(pending));
            }
        });
        let gone = write.take();
        if in_task {
            export!(async move { drop(gone) });
        } else {
            native::sync_export(|| drop(gone));
        }
        remote.read(1);
        // Where nothing can be cancelled, the value itself is written.
        // SAFETY: tokens are numbers.
        assert_eq!(unsafe { remote.items::<u32>(1) }, [if in_task { 9 } else { 1 }]);
        export!(turn());
        run();
        drop(remote);
        let fates = fates();
        assert_eq!(fates.values().filter(|fate| **fate == Fate::Given).count(), 1, "{fates:?}");
        assert!(!fates.values().any(|fate| *fate == Fate::Here));
        nothing_is_left();
    }
}

#[test]
fn a_read_in_progress_can_be_dropped_anywhere() {
    for in_task in [false, true] {
        for arrives in [false, true] {
            let (remote, handle) = Remote::future::<Token>();
            let read = Rc::new(RefCell::new(Some(lift::<FutureReader<Token>>(handle).into_future())));
            export!({
                let read = read.clone();
                async move {
                    let mut pending = read.take().unwrap();
                    assert!(poll_here(&mut pending).await.is_pending());
                    read.replace(Some(pending));
                }
            });
            if arrives {
                remote.write(&[1u32]);
            }
            let gone = read.take();
            if in_task {
                export!(async move { drop(gone) });
            } else {
                native::sync_export(|| drop(gone));
            }
            export!(turn());
            run();
            drop(remote);
            assert!(fates().values().all(|fate| *fate == Fate::Dropped));
            nothing_is_left();
        }
    }
}

#[test]
fn a_reader_that_was_offered_in_vain_can_still_be_read() {
    let task = export!(async {
        // Nothing is written.
        let (writer, reader) = future::<String>(|| unreachable!());
        offer(&reader);
        let mut read = reader.into_future();
        assert!(poll_here(&mut read).await.is_pending());
        nothing_is_left();
        writer.write("one".into()).await.unwrap();
        assert_eq!(read.await, "one");

        // A write is pending.
        let (writer, reader) = future::<String>(|| unreachable!());
        let mut write = writer.write("two".into());
        assert!(poll_here(&mut write).await.is_pending());
        offer(&reader);
        assert!(poll_here(&mut write).await.is_pending());
        assert_eq!(reader.await, "two");
        write.await.unwrap();

        // The default is, in the background.
        let (writer, reader) = future::<String>(|| "default".into());
        drop(writer);
        offer(&reader);
        assert_eq!(reader.await, "default");

        // It is dropped.
        let (writer, reader) = future::<String>(|| "default".into());
        offer(&reader);
        drop(reader);
        assert_eq!(writer.write("back".into()).await.unwrap_err().value, "back");
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn a_write_wakes_a_reader_in_another_task() {
    let (writer, reader) = future::<String>(|| unreachable!());
    let first = export!(async move { assert_eq!(reader.await, "late") });
    assert!(!exited(first));
    let second = export!(async move { writer.write("late".into()).await.unwrap() });
    run();
    assert!(exited(first) && exited(second));
}

#[test]
fn a_spent_future_is_harmless() {
    let (writer, reader) = future::<u32>(|| 0);
    let mut write = writer.write(1);
    assert!(poll_once(&mut write).is_pending());
    let mut read = reader.into_future();
    assert_eq!(poll_once(&mut read), Poll::Ready(1));
    assert_eq!(poll_once(&mut read), Poll::Pending);
    assert!(matches!(poll_once(&mut write), Poll::Ready(Ok(()))));
    assert!(poll_once(&mut write).is_pending());
    assert!(matches!(Pin::new(&mut write).cancel(), FutureWriteCancel::AlreadySent));
}
