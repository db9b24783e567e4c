//! What has ended stays so: pending for ever as a future, at its end as a stream. And whole vectors change hands.

use crate::adapters::runs;
use crate::support::*;
use core::pin::Pin;
use futures::StreamExt;
use futures::future::FusedFuture;
use futures::stream::FusedStream;
use wasp_guest_rt::ResultStream;

#[test]
fn reads_and_writes_that_have_ended_are_pending_for_ever() {
    runs(async {
        let (mut writer, mut reader) = stream::<u8>();
        let (mut values, mut more) = (vec![1, 2], vec![3]);
        let mut write = writer.write_from(&mut values);
        assert!(!write.is_terminated());
        assert!(poll_here(&mut write).await.is_pending());
        assert!(!write.is_terminated());
        let mut read = reader.read(Vec::with_capacity(2));
        assert!(!read.is_terminated());
        assert!(poll_here(&mut read).await.is_ready());
        assert!(read.is_terminated());
        assert!(poll_here(&mut read).await.is_pending());
        assert_eq!(Pin::new(&mut read).cancel(), (StreamResult::Cancelled, Vec::new()));
        assert!(poll_here(&mut read).await.is_pending() && read.is_terminated());
        assert!(poll_here(&mut write).await.is_ready());
        assert!(write.is_terminated() && poll_here(&mut write).await.is_pending());
        drop((read, write));

        let mut write = writer.write(core::mem::take(&mut more));
        assert!(poll_here(&mut write).await.is_pending());
        let (result, rest) = Pin::new(&mut write).cancel();
        assert_eq!((result, rest.into_vec()), (StreamResult::Cancelled, vec![3]));
        assert!(write.is_terminated() && poll_here(&mut write).await.is_pending());
        let (result, rest) = Pin::new(&mut write).cancel();
        assert_eq!((result, rest.into_vec()), (StreamResult::Cancelled, Vec::new()));
    });
}

#[test]
fn a_read_that_has_ended_leaves_what_comes_next_alone() {
    let (remote, handle) = Remote::stream::<u32>();
    remote.write(&[1u32]);
    runs(async move {
        let mut reader: StreamReader<u32> = lift(handle);
        let mut read = reader.read(Vec::with_capacity(4));
        assert!(poll_here(&mut read).await.is_ready());
        remote.outcome();
        remote.write(&[2u32]);
        assert!(poll_here(&mut read).await.is_pending());
        drop(read);
        assert_eq!(reader.next().await, Some(2));
        drop(remote);
    });
}

#[test]
fn streams_are_at_their_end_for_ever() {
    runs(async {
        let (mut writer, mut reader) = stream::<u32>();
        writer.write_all(Vec::new()).await;
        assert!(!reader.is_terminated());
        drop(writer);
        // It has not heard of it yet.
        assert!(!reader.is_terminated());
        for _ in 0..3 {
            assert_eq!(reader.next().await, None);
            assert!(reader.is_terminated());
        }
        let mut items = reader.into_stream();
        assert_eq!(StreamExt::next(&mut items).await, None);
        assert!(items.is_terminated());

        let (_, result) = future::<Result<u32, String>>(|| Ok(1));
        let mut items = ResultStream::from((items.into_inner().unwrap(), result));
        assert!(!items.is_terminated());
        assert_eq!(items.try_next().await, Ok(None));
        assert!(items.is_terminated());
        assert_eq!(items.try_next().await, Ok(None));
    });
}

#[test]
fn a_select_needs_no_fuse() {
    runs(async {
        let (mut writer, mut reader) = stream::<u32>();
        let mut write = writer.write(vec![7]);
        let (mut read, mut wrote) = (None, false);
        loop {
            futures::select! {
                item = reader.select_next_some() => read = Some(item),
                (result, _) = write => wrote = result == StreamResult::Complete(1),
            }
            if read.is_some() && wrote {
                break;
            }
        }
        assert_eq!(read, Some(7));
    });
}

#[test]
fn a_whole_vector_changes_hands_without_a_copy() {
    for reader_first in [false, true] {
        runs(async move {
            let (mut writer, mut reader) = stream::<u8>();
            let (full, empty) = (vec![1; 64 * 1024], Vec::with_capacity(64 * 1024));
            let (written, room) = (full.as_ptr(), empty.as_ptr());
            let mut read = reader.read(empty);
            let mut write = writer.write(full);
            let ((result, got), (_, rest)) = if reader_first {
                assert!(poll_here(&mut read).await.is_pending());
                let written = write.await;
                (read.await, written)
            } else {
                assert!(poll_here(&mut write).await.is_pending());
                let got = read.await;
                (got, write.await)
            };
            assert_eq!(result, StreamResult::Complete(64 * 1024));
            assert_eq!((got.as_ptr(), got.len(), got.capacity()), (written, 64 * 1024, 64 * 1024));
            let rest = rest.into_vec();
            assert_eq!((rest.as_ptr(), rest.len(), rest.capacity()), (room, 0, 64 * 1024));
        });
    }
}

#[test]
fn chunks_are_the_vectors_that_were_written() {
    runs(async {
        let (mut writer, mut reader) = stream::<u8>();
        for size in [1000, 100_000, 5000] {
            let full = vec![2; size];
            let written = full.as_ptr();
            let mut write = writer.write(full);
            assert!(poll_here(&mut write).await.is_pending());
            let chunk = reader.next_chunk().await.unwrap();
            assert_eq!((chunk.as_ptr(), chunk.len()), (written, size));
            assert_eq!(write.await.1.remaining(), 0);
        }
        // What has a destructor is not read further than was asked for.
        let (mut writer, mut reader) = stream::<Token>();
        let mut write = writer.write(Token::many(0..200));
        assert!(poll_here(&mut write).await.is_pending());
        assert_eq!(reader.next().await.unwrap().0, 0);
        assert_eq!(write.await.1.remaining(), 199);
    });
    fates();
}

#[test]
fn buffers_of_other_capacities_stay_with_their_owners() {
    runs(async {
        let (mut writer, mut reader) = stream::<u8>();
        let (full, empty) = (vec![1; 3000], Vec::with_capacity(4096));
        let (written, room) = (full.as_ptr(), empty.as_ptr());
        let mut write = writer.write(full);
        assert!(poll_here(&mut write).await.is_pending());
        let (_, got) = reader.read(empty).await;
        assert_eq!((got.as_ptr(), got.len(), got.capacity()), (room, 3000, 4096));
        let rest = write.await.1.into_vec();
        assert_eq!((rest.as_ptr(), rest.capacity()), (written, 3000));
    });
}
