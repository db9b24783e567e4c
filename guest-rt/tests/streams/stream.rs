//! Streams that cross the boundary.

use crate::export;
use crate::support::*;
use core::cell::RefCell;
use std::rc::Rc;

fn builtin(name: &str) -> usize {
    counts().into_iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| count)
}

#[test]
fn bytes_are_read_into_the_callers_own_buffer() {
    let (remote, handle) = Remote::stream::<u8>();
    let task = export!(async move {
        let mut reader: StreamReader<u8> = lift(handle);
        let mut buf = Vec::with_capacity(8);
        buf.push(0);
        let address = buf.as_ptr();
        let (result, buf) = reader.read(buf).await;
        assert_eq!((result, &buf[..], buf.as_ptr()), (StreamResult::Complete(3), &[0, 1, 2, 3][..], address));
        let (result, buf) = reader.read(buf).await;
        assert_eq!((result, buf.len()), (StreamResult::Dropped, 4));
        // What has ended is not asked again.
        let (result, _) = reader.read(buf).await;
        assert_eq!(result, StreamResult::Dropped);
    });
    remote.write(&[1u8, 2, 3]);
    run();
    assert_eq!(remote.outcome(), Some((0, 3)));
    drop(remote);
    run();
    assert!(exited(task));
    assert_eq!(builtin("stream.read"), 2);
    // A reader stays in the set it is in.
    assert_eq!(builtin("waitable.join"), 1);
    nothing_is_left();
}

#[test]
fn items_that_come_with_the_end_are_told_before_it() {
    let (remote, handle) = Remote::stream::<u8>();
    let task = export!(async move {
        let mut reader: StreamReader<u8> = lift(handle);
        let (result, buf) = reader.read(Vec::with_capacity(4)).await;
        assert_eq!((result, &buf[..]), (StreamResult::Complete(1), &[7][..]));
        let (result, buf) = reader.read(buf).await;
        assert_eq!((result, &buf[..]), (StreamResult::Dropped, &[7][..]));
    });
    remote.write(&[7u8]);
    drop(remote);
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn a_read_of_nothing_waits_for_the_writer() {
    let (remote, handle) = Remote::stream::<u8>();
    let task = export!(async move {
        let mut reader: StreamReader<u8> = lift(handle);
        let (result, _) = reader.read(Vec::new()).await;
        assert_eq!(result, StreamResult::Complete(0));
        assert_eq!(reader.next().await, Some(5));
    });
    run();
    assert!(!exited(task));
    remote.write(&[5u8]);
    run();
    assert!(exited(task));
    // By now the reader is gone as well.
    assert_eq!(remote.outcome(), Some((1, 1)));
}

#[test]
fn single_items_are_read_in_chunks() {
    let (remote, handle) = Remote::stream::<u32>();
    let items: Vec<u32> = (0..10_000).collect();
    let task = export!(async move {
        let mut reader: StreamReader<u32> = lift(handle);
        for i in 0..10_000 {
            assert_eq!(reader.next().await, Some(i));
        }
        assert_eq!(reader.next().await, None);
    });
    let mut rest = &items[..];
    while !rest.is_empty() {
        remote.write(rest);
        run();
        let (_, written) = remote.outcome().unwrap();
        rest = &rest[written..];
    }
    drop(remote);
    run();
    assert!(exited(task));
    assert!(builtin("stream.read") < 40, "{}", builtin("stream.read"));
    nothing_is_left();
}

#[test]
fn the_first_item_is_read_alone() {
    let (remote, handle) = Remote::stream::<u8>();
    let reader: Rc<RefCell<StreamReader<u8>>> = Rc::new(RefCell::new(lift(handle)));
    let task = export!({
        let reader = reader.clone();
        #[expect(clippy::await_holding_refcell_ref, reason = "nobody else is running")]
        async move {
            assert_eq!(reader.borrow_mut().next().await, Some(1));
        }
    });
    remote.write(&[1u8, 2, 3]);
    run();
    assert!(exited(task));
    assert_eq!(remote.outcome(), Some((0, 1)));
    assert!(reader.borrow_mut().buffer().is_empty());
}

#[test]
fn values_with_a_shape_of_their_own_are_lifted_and_lowered() {
    let (remote, handle) = Remote::stream::<Token>();
    let task = export!(async move {
        let reader: StreamReader<Token> = lift(handle);
        let all = reader.collect().await;
        assert_eq!(all.iter().map(|token| token.0).collect::<Vec<_>>(), [1, 2, 3]);
    });
    remote.write(&[1u32, 2]);
    run();
    assert_eq!(remote.outcome(), Some((0, 2)));
    remote.write(&[3u32]);
    run();
    drop(remote);
    run();
    assert!(exited(task));
    assert!(fates().values().all(|fate| *fate == Fate::Dropped));
    nothing_is_left();
}

#[test]
fn strings_are_written_and_stay_ours_until_they_are_taken() {
    let (mut writer, reader) = stream::<String>();
    let task = export!(async move {
        let remote = Rc::new(RefCell::new(Some(give(reader))));
        let theirs = remote.clone();
        native::later(move || theirs.borrow().as_ref().unwrap().read(2));
        let (result, rest) = writer.write(vec!["one".into(), "two".into(), "three".into()]).await;
        assert_eq!((result, rest.remaining()), (StreamResult::Complete(2), 1));
        let theirs = remote.clone();
        native::later(move || {
            let theirs = theirs.borrow();
            let remote = theirs.as_ref().unwrap();
            assert_eq!(remote.outcome(), Some((0, 2)));
            remote.read(5);
        });
        let (result, rest) = writer.write_buf(rest).await;
        assert_eq!((result, rest.remaining()), (StreamResult::Complete(1), 0));
        {
            let theirs = remote.borrow();
            // SAFETY: a string is an address and a length.
            let [text, len] = unsafe { theirs.as_ref().unwrap().items::<[usize; 2]>(1) }[0];
            assert_ne!((text, len), (0, 0));
            assert_eq!(len, 5);
        }
        remote.take();
        let (result, rest) = writer.write(vec!["four".into()]).await;
        assert_eq!((result, rest.into_vec()), (StreamResult::Dropped, vec![String::from("four")]));
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn what_is_written_is_given_away_item_by_item() {
    let (mut writer, reader) = stream::<Token>();
    let remote = give(reader);
    let task = export!(async move {
        let rest = writer.write_all(Token::many(0..5)).await;
        assert_eq!(rest.iter().map(|token| token.0).collect::<Vec<_>>(), [3, 4]);
    });
    remote.read(2);
    run();
    assert_eq!(remote.outcome(), Some((0, 2)));
    // SAFETY: a token is a number.
    assert_eq!(unsafe { remote.items::<u32>(2) }, [0, 1]);
    remote.read(1);
    run();
    // SAFETY: as above.
    assert_eq!(unsafe { remote.items::<u32>(1) }, [2]);
    drop(remote);
    run();
    assert!(exited(task));
    let fates: Vec<_> = fates().into_values().collect();
    assert_eq!(fates, [Fate::Given, Fate::Given, Fate::Given, Fate::Dropped, Fate::Dropped]);
    nothing_is_left();
}

#[test]
fn an_item_comes_back_when_nobody_reads() {
    let (mut writer, reader) = stream::<String>();
    let task = export!(async move {
        drop(give(reader));
        assert_eq!(writer.write_one("kept".into()).await, Some("kept".into()));
    });
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn streams_travel_through_streams() {
    let (mut outer, outer_reader) = stream::<StreamReader<u8>>();
    let (mut inner, inner_reader) = stream::<u8>();
    let remote = give(outer_reader);
    let task = export!(async move {
        assert!(outer.write_one(inner_reader).await.is_none());
        assert!(inner.write_all(vec![1, 2]).await.is_empty());
    });
    remote.read(1);
    run();
    // SAFETY: a stream is a handle.
    let inner_remote = Remote::lift(unsafe { remote.items::<u32>(1) }[0]);
    inner_remote.read(2);
    run();
    assert!(exited(task));
    // SAFETY: those are bytes.
    assert_eq!(unsafe { inner_remote.items::<u8>(2) }, [1, 2]);
    drop((remote, inner_remote));
    nothing_is_left();
}

#[test]
fn a_reader_that_was_read_can_be_passed_on() {
    let (remote, handle) = Remote::stream::<u8>();
    let given = Rc::new(RefCell::new(None));
    let task = export!({
        let given = given.clone();
        async move {
            let mut reader: StreamReader<u8> = lift(handle);
            assert_eq!(reader.next().await, Some(1));
            given.replace(Some(give(reader)));
        }
    });
    remote.write(&[1u8]);
    run();
    assert!(exited(task));
    assert_eq!(remote.outcome(), Some((0, 1)));
    // There is nothing in between.
    let given = given.take().unwrap();
    given.read(1);
    remote.write(&[2u8]);
    assert_eq!((remote.outcome(), given.outcome()), (Some((0, 1)), Some((0, 1))));
    drop((remote, given));
    nothing_is_left();
}

#[test]
fn units_are_read_one_by_one_and_not_all_at_once() {
    let (remote, handle) = Remote::stream::<()>();
    let task = export!(async move {
        let mut reader: StreamReader<()> = lift(handle);
        assert_eq!(reader.next().await, Some(()));
        let (result, buf) = reader.read(Vec::with_capacity(1)).await;
        assert_eq!((result, buf.len()), (StreamResult::Complete(3), 3));
    });
    remote.write(&[(); 4]);
    run();
    assert_eq!(remote.outcome(), Some((0, 1)));
    remote.write(&[(); 3]);
    run();
    assert!(exited(task));
    assert_eq!(remote.outcome(), Some((0, 3)));
}
