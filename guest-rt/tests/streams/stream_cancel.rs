//! Giving up reads and writes, at every point: no item is lost, and none comes twice.

use crate::export;
use crate::support::*;
use core::cell::RefCell;
use core::pin::Pin;
use core::task::Poll;
use std::rc::Rc;

/// How a read is given up.
#[derive(Clone, Copy, Debug)]
enum How {
    Drop,
    Cancel,
    Forget,
    NextDropped,
    Poll,
}

const HOW: [How; 5] = [How::Drop, How::Cancel, How::Forget, How::NextDropped, How::Poll];

/// Reads everything, but gives up every read that is pending when its number has a bit in `give_up`.
async fn read_all(mut reader: StreamReader<Token>, how: How, give_up: u32, got: Rc<RefCell<Vec<u32>>>) {
    let keep = |items: Vec<Token>| got.borrow_mut().extend(items.iter().map(|token| token.0));
    for number in 0.. {
        let gives_up = number < 32 && give_up & 1 << number != 0;
        match how {
            How::NextDropped => {
                if gives_up {
                    let polled = poll_here(&mut Box::pin(reader.next())).await;
                    turn().await;
                    match polled {
                        Poll::Ready(Some(item)) => keep(vec![item]),
                        Poll::Ready(None) => return,
                        Poll::Pending => {}
                    }
                } else {
                    match reader.next().await {
                        Some(item) => keep(vec![item]),
                        None => return,
                    }
                }
            }
            How::Poll => {
                let mut buf = Vec::with_capacity(2);
                if gives_up {
                    let polled = core::future::poll_fn(|cx| Poll::Ready(reader.poll_read_into(cx, &mut buf))).await;
                    turn().await;
                    if polled == Poll::Ready(StreamResult::Dropped) {
                        return;
                    }
                } else if core::future::poll_fn(|cx| reader.poll_read_into(cx, &mut buf)).await == StreamResult::Dropped
                {
                    return;
                }
                keep(buf);
            }
            How::Drop | How::Cancel | How::Forget => {
                let mut read = reader.read(Vec::with_capacity(2));
                let (result, items) = match poll_here(&mut read).await {
                    Poll::Ready(read) => read,
                    Poll::Pending if !gives_up => read.await,
                    Poll::Pending => {
                        turn().await;
                        match how {
                            How::Cancel => {
                                let (_, items) = Pin::new(&mut read).cancel();
                                keep(items);
                            }
                            How::Forget => core::mem::forget(read),
                            _ => drop(read),
                        }
                        continue;
                    }
                };
                keep(items);
                if result == StreamResult::Dropped {
                    return;
                }
            }
        }
    }
}

/// The writer, elsewhere, writes so many items at a time.
fn write_remotely(remote: Remote, chunk: usize) {
    let items: Vec<u32> = (0..7).collect();
    let mut rest = &items[..];
    while !rest.is_empty() {
        remote.write(&rest[..chunk.min(rest.len())]);
        let mut outcome = None;
        for _ in 0..50 {
            native::step();
            outcome = remote.outcome();
            if outcome.is_some() {
                break;
            }
        }
        let (_, written) = outcome.unwrap_or_else(|| remote.cancel());
        rest = &rest[written..];
    }
    drop(remote);
    run();
}

#[test]
fn no_item_is_lost_when_reads_are_given_up() {
    let patterns = if cfg!(miri) { 3 } else { 64 };
    for how in HOW {
        for give_up in 0..patterns {
            for chunk in 1..4 {
                let (remote, handle) = Remote::stream::<Token>();
                let got = Rc::new(RefCell::new(Vec::new()));
                let task = export!({
                    let got = got.clone();
                    async move { read_all(lift(handle), how, give_up, got).await }
                });
                write_remotely(remote, chunk);
                assert!(exited(task), "{how:?} {give_up:b} {chunk}");
                assert_eq!(*got.borrow(), (0..7).collect::<Vec<_>>(), "{how:?} {give_up:b} {chunk}");
                assert!(fates().values().all(|fate| *fate == Fate::Dropped));
                nothing_is_left();
            }
        }
    }
}

#[test]
fn no_item_is_lost_when_reads_of_a_local_pair_are_given_up() {
    for how in HOW {
        for give_up in 0..if cfg!(miri) { 3 } else { 64 } {
            for chunk in 1..4 {
                let (mut writer, reader) = stream::<Token>();
                let got = Rc::new(RefCell::new(Vec::new()));
                let theirs = got.clone();
                let task = export!(async move {
                    let read = wasp_guest_rt::spawn_local(read_all(reader, how, give_up, theirs));
                    let mut rest = Token::many(0..7);
                    while !rest.is_empty() {
                        let more = rest.split_off(chunk.min(rest.len()));
                        assert!(writer.write_all(rest).await.is_empty());
                        rest = more;
                        turn().await;
                    }
                    drop(writer);
                    read.await;
                });
                run();
                assert!(exited(task), "{how:?} {give_up:b} {chunk}");
                assert_eq!(*got.borrow(), (0..7).collect::<Vec<_>>(), "{how:?} {give_up:b} {chunk}");
                assert!(fates().values().all(|fate| *fate == Fate::Dropped));
            }
        }
    }
}

/// Writes everything, but gives up every write whose number has a bit in `give_up`.
async fn write_all(mut writer: StreamWriter<Token>, how: u32, give_up: u32) {
    let mut items = Token::many(0..7);
    for number in 0.. {
        if items.is_empty() {
            return;
        }
        let gives_up = number < 32 && give_up & 1 << number != 0;
        match how {
            0 => {
                let mut write = writer.write_from(&mut items);
                if gives_up {
                    _ = poll_here(&mut write).await;
                    turn().await;
                } else {
                    write.await;
                }
            }
            1 => {
                let mut write = writer.write(core::mem::take(&mut items));
                let polled = poll_here(&mut write).await;
                items = match polled {
                    Poll::Ready((_, rest)) => rest,
                    Poll::Pending if gives_up => {
                        turn().await;
                        Pin::new(&mut write).cancel().1
                    }
                    Poll::Pending => write.await.1,
                }
                .into_vec();
            }
            _ => {
                let polled = core::future::poll_fn(|cx| Poll::Ready(writer.poll_write_from(cx, &mut items))).await;
                if polled.is_pending() {
                    turn().await;
                    if gives_up {
                        items = writer.take_unwritten();
                    } else {
                        core::future::poll_fn(|cx| writer.poll_write_from(cx, &mut items)).await;
                    }
                }
            }
        }
    }
}

#[test]
fn no_item_is_lost_when_writes_are_given_up() {
    for how in 0..3 {
        for give_up in 0..if cfg!(miri) { 3 } else { 64 } {
            for chunk in 1..4 {
                let (writer, reader) = stream::<Token>();
                let remote = give(reader);
                let task = export!(write_all(writer, how, give_up));
                let mut got = Vec::new();
                for _ in 0..200 {
                    remote.read(chunk);
                    for _ in 0..9 {
                        native::step();
                    }
                    let (result, n) = remote.cancel();
                    // SAFETY: tokens are numbers.
                    got.extend(unsafe { remote.items::<u32>(n) });
                    if result == 1 {
                        break;
                    }
                }
                drop(remote);
                run();
                assert!(exited(task), "{how} {give_up:b} {chunk}");
                assert_eq!(got, (0..7).collect::<Vec<_>>(), "{how} {give_up:b} {chunk}");
                assert!(fates().values().all(|fate| *fate == Fate::Given));
                nothing_is_left();
            }
        }
    }
}

#[test]
fn no_item_is_lost_when_writes_to_a_local_pair_are_given_up() {
    for how in 0..3 {
        for give_up in 0..if cfg!(miri) { 3 } else { 64 } {
            for chunk in 1..4 {
                let (writer, mut reader) = stream::<Token>();
                let task = export!(async move {
                    drop(wasp_guest_rt::spawn_local(write_all(writer, how, give_up)));
                    let mut got = Vec::new();
                    loop {
                        turn().await;
                        let (result, items) = reader.read(Vec::with_capacity(chunk)).await;
                        got.extend(items.iter().map(|token| token.0));
                        if result == StreamResult::Dropped {
                            break;
                        }
                    }
                    assert_eq!(got, (0..7).collect::<Vec<_>>(), "{how} {give_up:b} {chunk}");
                });
                run();
                assert!(exited(task), "{how} {give_up:b} {chunk}");
                assert!(fates().values().all(|fate| *fate == Fate::Dropped));
            }
        }
    }
}

/// Everything that can be dropped, with something in flight or not, in a task or where there is none.
#[test]
fn ends_can_be_dropped_in_every_state() {
    for read in [false, true] {
        for arrives in 0..3 {
            for in_task in [false, true] {
                let (remote, handle) = Remote::stream::<Token>();
                let reader: Rc<RefCell<Option<StreamReader<Token>>>> = Rc::new(RefCell::new(Some(lift(handle))));
                let task = export!({
                    let reader = reader.clone();
                    async move {
                        let mut idle = reader.take().unwrap();
                        if read {
                            _ = core::future::poll_fn(|cx| Poll::Ready(idle.poll_next(cx))).await;
                        }
                        reader.replace(Some(idle));
                    }
                });
                // A task stays for what is pending in its set.
                assert_eq!(exited(task), !read);
                if arrives > 0 {
                    remote.write(&[1u32, 2][..arrives]);
                }
                let gone = reader.take();
                if in_task {
                    export!(async move { drop(gone) });
                } else {
                    native::sync_export(|| drop(gone));
                }
                // Whatever could not be done there, the next task does.
                export!(turn());
                run();
                drop(remote);
                assert!(fates().values().all(|fate| *fate == Fate::Dropped));
                nothing_is_left();
            }
        }
    }
}

#[test]
fn writers_can_be_dropped_in_every_state() {
    for given in [false, true] {
        for writes in [false, true] {
            for reads in 0..3 {
                for in_task in [false, true] {
                    let (writer, reader) = stream::<Token>();
                    let (remote, local) = if given { (Some(give(reader)), None) } else { (None, Some(reader)) };
                    let writer = Rc::new(RefCell::new(Some(writer)));
                    export!({
                        let writer = writer.clone();
                        async move {
                            let mut idle = writer.take().unwrap();
                            if writes {
                                let mut items = Token::many(0..2);
                                _ = core::future::poll_fn(|cx| Poll::Ready(idle.poll_write_from(cx, &mut items))).await;
                            }
                            writer.replace(Some(idle));
                        }
                    });
                    if let Some(remote) = &remote
                        && reads > 0
                    {
                        remote.read(reads);
                    }
                    let gone = writer.take();
                    if in_task {
                        export!(async move { drop(gone) });
                    } else {
                        native::sync_export(|| drop(gone));
                    }
                    export!(turn());
                    run();
                    // What the writer held was left to the reader.
                    drop((remote, local));
                    export!(turn());
                    run();
                    let fates = fates();
                    assert!(fates.values().all(|fate| *fate != Fate::Here), "{fates:?}");
                    let taken = fates.values().filter(|fate| **fate == Fate::Given).count();
                    assert_eq!(taken, if given && writes { reads } else { 0 });
                    nothing_is_left();
                }
            }
        }
    }
}

/// The built-in that cancels waits, and so it is not called where nothing may wait.
fn without_cancelling<T>(in_export: impl FnOnce() -> T) -> T {
    let cancels = || counts().into_iter().find(|(name, _)| *name == "stream.cancel").map_or(0, |(_, count)| count);
    let before = cancels();
    let result = native::sync_export(in_export);
    assert_eq!(cancels(), before);
    result
}

#[test]
fn a_read_that_cannot_be_cancelled_goes_on_for_the_reader() {
    for drops in [false, true] {
        let (remote, handle) = Remote::stream::<Token>();
        let mut reader: StreamReader<Token> = lift(handle);
        let mut buf = Vec::with_capacity(8);
        buf.push(Token::new(90));
        let mut read = reader.read(buf);
        assert!(poll_once(&mut read).is_pending());
        without_cancelling(|| {
            if drops {
                drop(read);
            } else {
                let (result, items) = Pin::new(&mut read).cancel();
                assert_eq!((result, items.len()), (StreamResult::Cancelled, 1));
            }
        });
        remote.write(&[1u32, 2]);
        let task = export!(async move {
            assert_eq!(reader.next().await.map(|token| token.0), Some(1));
            assert_eq!(reader.read(Vec::with_capacity(8)).await.1.len(), 1);
        });
        run();
        assert!(exited(task));
        drop(remote);
        assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Dropped; 3]);
        nothing_is_left();
    }
}

#[test]
fn a_write_that_cannot_be_cancelled_goes_on_for_the_writer() {
    for how in 0..3 {
        let (mut writer, reader) = stream::<Token>();
        let remote = give(reader);
        let mut items = Token::many(0..2);
        if how < 2 {
            let mut write = writer.write(core::mem::take(&mut items));
            assert!(poll_once(&mut write).is_pending());
            without_cancelling(|| {
                if how == 0 {
                    drop(write);
                } else {
                    let (result, rest) = Pin::new(&mut write).cancel();
                    assert_eq!((result, rest.remaining()), (StreamResult::Cancelled, 0));
                }
            });
        } else {
            let mut write = writer.write_from(&mut items);
            assert!(poll_once(&mut write).is_pending());
            without_cancelling(|| drop(write));
        }
        let task = export!(async move {
            if how == 2 {
                items.extend(writer.take_unwritten());
                assert_eq!(items.len(), 2);
            }
            items.push(Token::new(2));
            assert!(writer.write_all(items).await.is_empty());
        });
        let mut got = 0;
        while got < 3 {
            remote.read(4);
            run();
            got += remote.outcome().unwrap().1;
        }
        assert!(exited(task));
        drop(remote);
        assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Given; 3]);
        nothing_is_left();
    }
}

#[test]
fn a_reader_leaves_with_a_read_that_cannot_be_cancelled() {
    let (remote, handle) = Remote::stream::<Token>();
    let mut reader: StreamReader<Token> = lift(handle);
    assert!(reader.poll_next(&mut core::task::Context::from_waker(core::task::Waker::noop())).is_pending());
    let given = without_cancelling(|| give(reader));
    export!(turn());
    for item in 1..4u32 {
        given.read(4);
        remote.write(&[item]);
        run();
        assert_eq!(remote.outcome().map(|(_, count)| count), Some(1));
        assert_eq!(given.outcome().map(|(_, count)| count), Some(1));
    }
    drop((remote, given));
    run();
    assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Given; 3]);
    nothing_is_left();
}
