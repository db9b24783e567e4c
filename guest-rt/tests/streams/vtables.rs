//! Types that come with a vtable, as bindings printed by `wit-bindgen` have it: values are lowered by moving them.

use crate::export;
use crate::support::*;
use core::pin::Pin;
use wasp_guest_rt::rt::async_support::{FutureVtable, StreamVtable, future_new, stream_new};
use wasp_guest_rt::{__rt, FutureWriteCancel};

fn of_stream<T: __rt::StreamPayload<World>>() -> &'static StreamVtable<T> {
    __rt::stream_vtable::<World, T>()
}

fn of_future<T: __rt::FuturePayload<World>>() -> &'static FutureVtable<T> {
    __rt::future_vtable::<World, T>()
}

fn stream<T: __rt::StreamPayload<World>>() -> (StreamWriter<T>, StreamReader<T>) {
    // SAFETY: it is the vtable of this type.
    unsafe { stream_new(of_stream()) }
}

fn future<T: __rt::FuturePayload<World>>(default: fn() -> T) -> (FutureWriter<T>, FutureReader<T>) {
    // SAFETY: it is the vtable of this type.
    unsafe { future_new(default, of_future()) }
}

#[test]
fn items_are_moved_out_and_those_that_are_not_taken_come_back_whole() {
    let (mut writer, reader) = stream::<String>();
    let task = export!(async move {
        let remote = give(reader);
        remote.read(2);
        let texts = ["one", "two", "three", "four"].map(String::from);
        let (result, rest) = writer.write(texts.to_vec()).await;
        assert_eq!((result, rest.remaining()), (StreamResult::Complete(2), 2));
        // In the engine, and back.
        let mut write = writer.write_buf(rest);
        assert!(poll_here(&mut write).await.is_pending());
        let (result, rest) = Pin::new(&mut write).cancel();
        assert_eq!((result, rest.remaining()), (StreamResult::Cancelled, 2));
        drop(write);
        let mut write = writer.write_buf(rest);
        assert!(poll_here(&mut write).await.is_pending());
        drop(remote);
        let (result, rest) = write.await;
        assert_eq!((result, rest.into_vec()), (StreamResult::Dropped, texts[2..].to_vec()));
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn each_item_is_somewhere_once() {
    let (mut writer, reader) = stream::<Token>();
    let remote = give(reader);
    let task = export!(async move {
        let rest = writer.write_all(Token::many(0..5)).await;
        assert_eq!(rest.iter().map(|token| token.0).collect::<Vec<_>>(), [3, 4]);
    });
    remote.read(2);
    run();
    // SAFETY: a token is a number.
    assert_eq!(unsafe { remote.items::<u32>(2) }, [0, 1]);
    remote.read(1);
    run();
    drop(remote);
    run();
    assert!(exited(task));
    let fates: Vec<_> = fates().into_values().collect();
    assert_eq!(fates, [Fate::Given, Fate::Given, Fate::Given, Fate::Dropped, Fate::Dropped]);
    nothing_is_left();
}

#[test]
fn items_that_were_offered_to_the_engine_can_still_be_read_here() {
    let (mut writer, mut reader) = stream::<String>();
    let task = export!(async move {
        offer(&reader);
        let mut write = writer.write(vec!["one".into(), "two".into()]);
        assert!(poll_here(&mut write).await.is_pending());
        let (result, read) = reader.read(Vec::with_capacity(2)).await;
        assert_eq!((result, read), (StreamResult::Complete(2), vec!["one".to_string(), "two".to_string()]));
        assert_eq!(write.await.0, StreamResult::Complete(2));
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn numbers_are_written_from_where_they_are() {
    assert!(of_stream::<u32>().lift.is_none() && of_stream::<()>().lift.is_none());
    let (mut writer, reader) = stream::<u32>();
    let remote = give(reader);
    let task = export!(async move {
        assert!(writer.write_all(vec![7, 8, 9]).await.is_empty());
    });
    remote.read(3);
    run();
    // SAFETY: those are numbers.
    assert_eq!(unsafe { remote.items::<u32>(3) }, [7, 8, 9]);
    assert!(exited(task));
}

#[test]
fn streams_and_futures_from_elsewhere_are_read() {
    let (items, reader) = Remote::stream::<u32>();
    let (value, future) = Remote::future::<u32>();
    // SAFETY: the handles are of this type, and nobody else's.
    let (mut reader, future) =
        unsafe { (StreamReader::<Token>::new(reader, of_stream()), FutureReader::<Token>::new(future, of_future())) };
    let task = export!(async move {
        native::later(move || items.write(&[1u32, 2]));
        let (result, tokens) = reader.read(Vec::with_capacity(4)).await;
        assert_eq!((result, tokens), (StreamResult::Complete(2), vec![Token(1), Token(2)]));
        native::later(move || value.write(&[3u32]));
        assert_eq!(future.await.0, 3);
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn a_value_is_moved_out_and_comes_back_whole_if_it_is_not_taken() {
    let task = export!(async {
        let (writer, reader) = future::<Result<u32, String>>(|| unreachable!());
        let remote = give(reader);
        let mut write = writer.write(Err("a text".into()));
        assert!(poll_here(&mut write).await.is_pending());
        let FutureWriteCancel::Cancelled(value, writer) = Pin::new(&mut write).cancel() else { panic!() };
        assert_eq!(value, Err("a text".to_string()));
        let mut write = writer.write(value);
        assert!(poll_here(&mut write).await.is_pending());
        drop(remote);
        assert_eq!(write.await.unwrap_err().value, Err("a text".to_string()));
        // One that is taken, and one that was offered in vain.
        let (writer, reader) = future::<Token>(|| unreachable!());
        let remote = give(reader);
        native::later(move || {
            remote.read(1);
            // SAFETY: tokens are numbers.
            assert_eq!(unsafe { remote.items::<u32>(1) }, [1]);
        });
        writer.write(Token::new(1)).await.unwrap();
        let (writer, reader) = future::<Token>(|| unreachable!());
        offer(&reader);
        let mut write = writer.write(Token::new(2));
        assert!(poll_here(&mut write).await.is_pending());
        assert_eq!(reader.await.0, 2);
        write.await.unwrap();
    });
    run();
    assert!(exited(task));
    assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Given, Fate::Dropped]);
    nothing_is_left();
}

#[test]
fn a_lowered_value_has_memory_of_its_own() {
    let vtable = __rt::future_vtable::<World, Result<u32, String>>();
    let mut area = [0u64; 3];
    let area = area.as_mut_ptr().cast::<u8>();
    // SAFETY: there is room for such a value, which is lifted or freed once.
    unsafe {
        (vtable.lower)(Err("a text".into()), area);
        assert_eq!((vtable.lift)(area), Err("a text".to_string()));
        (vtable.lower)(Err("another".into()), area);
        (vtable.dealloc_lists)(area);
        (vtable.lower)(Ok(5), area);
        assert_eq!((vtable.lift)(area), Ok(5));
    }
}
