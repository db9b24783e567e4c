//! Pairs whose ends both stay in the component, and those that leave it.

use crate::export;
use crate::support::*;
use core::cell::RefCell;
use core::task::Poll;
use std::rc::Rc;

#[test]
fn strings_are_read_where_they_were_written() {
    let before = count();
    let task = export!(async {
        let (mut writer, reader) = stream::<String>();
        let reader = wasp_guest_rt::spawn_local(reader.collect());
        assert!(writer.write_all(vec!["one".into(), "two".into()]).await.is_empty());
        assert!(writer.write_one("three".into()).await.is_none());
        drop(writer);
        assert_eq!(reader.await.unwrap(), ["one", "two", "three"]);
    });
    run();
    assert!(exited(task));
    // The engine hears nothing of it.
    assert_eq!(count() - before, 1, "{:?}", counts());
}

#[test]
fn items_move_without_being_copied() {
    let task = export!(async {
        let (mut writer, mut reader) = stream::<String>();
        let text = String::from("the same allocation");
        let address = text.as_ptr();
        let mut write = writer.write(vec![text]);
        assert!(poll_here(&mut write).await.is_pending());
        let text = reader.next().await.unwrap();
        assert_eq!(text.as_ptr(), address);
        assert_eq!(write.await.0, StreamResult::Complete(1));
    });
    assert!(exited(task));
}

#[test]
fn readers_wake_writers_of_other_tasks() {
    let (mut writer, mut reader) = stream::<String>();
    let first = export!(async move {
        for i in 0..10 {
            assert!(writer.write_one(i.to_string()).await.is_none());
        }
    });
    run();
    assert!(!exited(first));
    let second = export!(async move {
        for i in 0..10 {
            assert_eq!(reader.next().await, Some(i.to_string()));
        }
        assert_eq!(reader.next().await, None);
    });
    run();
    assert!(exited(first) && exited(second));
}

#[test]
fn a_pending_write_goes_on_when_the_reader_leaves() {
    let given = Rc::new(RefCell::new(None));
    let theirs = given.clone();
    let task = export!(async move {
        let (mut writer, reader) = stream::<Token>();
        let mut write = writer.write(Token::many(0..3));
        assert!(poll_here(&mut write).await.is_pending());
        theirs.replace(Some(give(reader)));
        let (result, rest) = write.await;
        assert_eq!((result, rest.remaining()), (StreamResult::Complete(2), 1));
    });
    let remote = given.take().unwrap();
    remote.read(2);
    run();
    assert!(exited(task));
    // SAFETY: a token is a number.
    assert_eq!(unsafe { remote.items::<u32>(2) }, [0, 1]);
    drop(remote);
    assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Given, Fate::Given, Fate::Dropped]);
    nothing_is_left();
}

#[test]
fn a_reader_that_leaves_after_the_writer_has_ended() {
    let task = export!(async {
        let (writer, reader) = stream::<String>();
        drop(writer);
        let remote = give(reader);
        remote.read(1);
        assert_eq!(remote.outcome(), Some((1, 0)));
    });
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn a_reader_whose_end_was_read_leaves_as_an_ended_stream() {
    let (remote, handle) = Remote::stream::<u8>();
    let task = export!(async move {
        let mut reader: StreamReader<u8> = lift(handle);
        assert_eq!(reader.next().await, None);
        let remote = give(reader);
        remote.read(1);
        assert_eq!(remote.outcome(), Some((1, 0)));
    });
    drop(remote);
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn what_was_read_ahead_leaves_with_the_reader() {
    for reads in 1..8u32 {
        let (remote, handle) = Remote::stream::<Token>();
        let given = Rc::new(RefCell::new(None));
        let theirs = given.clone();
        let task = export!(async move {
            let mut reader: StreamReader<Token> = lift(handle);
            for i in 0..reads {
                assert_eq!(reader.next().await.unwrap().0, i);
            }
            theirs.replace(Some((reader.buffer().len() as u32, give(reader))));
        });
        let mut sent = 0;
        while given.borrow().is_none() {
            remote.write(&(sent..20).collect::<Vec<u32>>());
            run();
            sent += remote.cancel().1 as u32;
        }
        let (ahead, given) = given.take().unwrap();
        assert_eq!(sent, reads + ahead);
        // The first ones that arrive are those read ahead.
        let mut got = reads;
        while got < 20 {
            if sent < 20 {
                remote.write(&(sent..20).collect::<Vec<u32>>());
            }
            given.read(3);
            run();
            sent += remote.cancel().1 as u32;
            let (_, n) = given.cancel();
            // SAFETY: tokens are numbers.
            for item in unsafe { given.items::<u32>(n) } {
                assert_eq!(item, got);
                got += 1;
            }
        }
        drop((remote, given));
        run();
        assert!(exited(task));
        nothing_is_left();
        let fates = fates();
        assert!(
            fates.iter().all(|(id, fate)| *fate == if *id < reads { Fate::Dropped } else { Fate::Given }),
            "{fates:?}"
        );
    }
}

#[test]
fn a_reader_that_was_offered_in_vain_can_still_be_read() {
    let task = export!(async {
        let (mut writer, mut reader) = stream::<String>();
        // Nothing is pending when it is lowered.
        assert_ne!(offer(&reader), 0);
        let mut write = writer.write(vec!["one".into(), "two".into()]);
        assert!(poll_here(&mut write).await.is_pending());
        assert_eq!(reader.next().await.as_deref(), Some("one"));
        assert_eq!(write.await.0, StreamResult::Complete(1));
        nothing_is_left();
        // A write is.
        let mut write = writer.write(vec!["three".into()]);
        assert!(poll_here(&mut write).await.is_pending());
        let handle = offer(&reader);
        assert_eq!(offer(&reader), handle);
        assert!(poll_here(&mut write).await.is_pending());
        assert_eq!(reader.read(Vec::with_capacity(1)).await.1, ["three"]);
        assert_eq!(write.await.0, StreamResult::Complete(1));
        // A writer that has ended.
        drop(writer);
        offer(&reader);
        assert_eq!(reader.next().await, None);
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn a_writer_is_woken_after_its_reader_was_offered_in_vain() {
    let (mut writer, mut reader) = stream::<String>();
    let first = export!(async move {
        assert!(writer.write_one("one".into()).await.is_none());
        assert!(writer.write_one("two".into()).await.is_none());
    });
    offer(&reader);
    run();
    let second = export!(async move {
        assert_eq!(reader.next().await.as_deref(), Some("one"));
        offer(&reader);
        turn().await;
        assert_eq!(reader.next().await.as_deref(), Some("two"));
    });
    run();
    assert!(exited(first) && exited(second));
    nothing_is_left();
}

#[test]
fn a_reader_that_was_offered_and_dropped_tells_its_writer() {
    let task = export!(async {
        let (mut writer, reader) = stream::<String>();
        let mut write = writer.write(vec!["one".into()]);
        assert!(poll_here(&mut write).await.is_pending());
        offer(&reader);
        drop(reader);
        let (result, rest) = write.await;
        assert_eq!((result, rest.into_vec()), (StreamResult::Dropped, vec![String::from("one")]));
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn a_reader_that_was_offered_can_be_given_later() {
    let task = export!(async {
        let (mut writer, reader) = stream::<u8>();
        offer(&reader);
        let remote = give(reader);
        remote.read(4);
        assert_eq!(writer.write(vec![1, 2]).await.0, StreamResult::Complete(2));
        assert_eq!(remote.outcome(), Some((0, 2)));
    });
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn ends_need_no_task() {
    native::sync_export(|| {
        let (mut writer, mut reader) = stream::<String>();
        let mut write = writer.write(vec!["one".into()]);
        assert!(poll_once(&mut write).is_pending());
        let Poll::Ready((result, items)) = poll_once(&mut reader.read(Vec::with_capacity(2))) else { panic!() };
        assert_eq!((result, &items[..]), (StreamResult::Complete(1), &[String::from("one")][..]));
        let Poll::Ready((StreamResult::Complete(1), rest)) = poll_once(&mut write) else { panic!() };
        assert_eq!(rest.remaining(), 0);
        drop(write);
        let mut next = Box::pin(reader.next());
        assert!(poll_once(&mut next).is_pending());
        drop(next);
        drop(writer);
        drop(reader);
    });
}

#[test]
fn a_lifted_reader_that_is_relayed_follows_its_writer() {
    let (remote, handle) = Remote::stream::<u32>();
    let given = Rc::new(RefCell::new(None));
    let theirs = given.clone();
    let task = export!(async move {
        let mut reader: StreamReader<u32> = lift(handle);
        // A read that is given up with items in it.
        let mut read = reader.read(Vec::with_capacity(4));
        assert!(poll_here(&mut read).await.is_pending());
        native::note("waiting");
        turn().await;
        drop(read);
        let reads = reader.next().await.unwrap() + 1;
        theirs.replace(Some((reads, give(reader))));
    });
    remote.write(&[0u32, 1, 2, 3]);
    run();
    let (reads, given) = given.take().unwrap();
    assert_eq!(remote.outcome(), Some((0, 4)));
    remote.write(&[4u32, 5]);
    let mut got = reads;
    for _ in 0..10 {
        given.read(2);
        run();
        let (_, n) = given.outcome().unwrap_or_else(|| given.cancel());
        // SAFETY: those are numbers.
        for item in unsafe { given.items::<u32>(n) } {
            assert_eq!(item, got);
            got += 1;
        }
    }
    assert_eq!(got, 6);
    drop((remote, given));
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn units_need_no_world() {
    let task = export!(async {
        let (mut writer, mut reader) = wasp_guest_rt::UnitStreamOps::new();
        let mut write = writer.write(vec![(), ()]);
        assert!(poll_here(&mut write).await.is_pending());
        assert_eq!(reader.next().await, Some(()));
        assert_eq!(write.await.0, StreamResult::Complete(1));
        let remote = Remote::lift(reader.take_handle());
        remote.read(3);
        assert_eq!(writer.write(vec![(), ()]).await.0, StreamResult::Complete(2));
    });
    assert!(exited(task));
    nothing_is_left();
}
