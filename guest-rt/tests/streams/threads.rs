//! Natively a thread stands in for an instance. What belongs to it may be sent elsewhere, and is refused there.

use crate::support::*;
use core::future::IntoFuture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasp_guest_rt::{FutureRead, FutureWrite, JoinHandle, StreamRead, StreamWrite, spawn_local};

fn everywhere<T: Send + Sync>() {}

#[test]
fn ends_and_what_waits_for_them_may_be_sent() {
    everywhere::<(StreamReader<std::rc::Rc<u8>>, StreamWriter<std::rc::Rc<u8>>)>();
    everywhere::<(FutureReader<u8>, FutureWriter<u8>, FutureRead<u8>, FutureWrite<u8>)>();
    everywhere::<(StreamRead<'_, u8>, StreamWrite<'_, u8>, JoinHandle<u8>)>();
}

/// Elsewhere.
fn refused<T: Send>(value: T, elsewhere: impl FnOnce(&mut T) + Send) {
    std::thread::scope(|scope| {
        let refused = scope.spawn(|| {
            let mut value = value;
            let refused = catch_unwind(AssertUnwindSafe(|| elsewhere(&mut value))).is_err();
            drop(value);
            refused
        });
        assert!(refused.join().unwrap());
    });
}

#[test]
fn they_are_refused_elsewhere_and_harmless_when_dropped_there() {
    let (writer, reader) = stream::<String>();
    refused(reader, |reader| drop(poll_once(&mut reader.read(Vec::with_capacity(1)))));
    refused(writer, |writer| drop(poll_once(&mut writer.write(vec!["text".into()]))));
    let (writer, reader) = future::<String>(String::new);
    refused(reader, |reader| _ = reader.handle());
    refused(writer.write("text".into()), |write| drop(poll_once(write)));
    let (_writer, reader) = future::<String>(String::new);
    let mut read = reader.into_future();
    assert!(poll_once(&mut read).is_pending());
    refused(read, |read| drop(poll_once(read)));
    refused(spawn_local(async { "text".to_string() }), |handle| drop(poll_once(handle)));
    refused(spawn_local(async { "text".to_string() }), |handle| handle.cancel());
}
