//! What streams have to do in an engine, one export for each: it returns where they do.

use futures::future::{join, poll_immediate};
use wasp::streams::partner;
use wasp_guest_rt::{StreamReader, StreamResult, spawn_local, yield_async};

wasp_guest_rt::generate!({ path: "../guests/streams/streams.wit", world: "driver" });

struct Driver;

export!(Driver);

fn words(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("word {i}")).collect()
}

/// A stream of words that another future of this task writes.
fn written(n: usize) -> StreamReader<String> {
    let (mut writer, reader) = wit_stream::new();
    spawn_local(async move {
        writer.write_all(words(n)).await;
    });
    reader
}

/// The same with numbers, which may come back: engines do not copy anything else inside a component.
fn numbers(n: u32) -> StreamReader<u32> {
    let (mut writer, reader) = wit_stream::new();
    spawn_local(async move {
        writer.write_all((0..n).collect()).await;
    });
    reader
}

impl Guest for Driver {
    async fn strings_stay() {
        let (mut writer, mut reader) = wit_stream::new();
        let write = async {
            assert!(writer.write_all(words(100)).await.is_empty());
            drop(writer);
        };
        let read = async {
            let (result, some) = reader.read(Vec::with_capacity(10)).await;
            assert_eq!((result, &some[..]), (StreamResult::Complete(10), &words(10)[..]));
            assert_eq!(reader.collect().await, words(100)[10..]);
        };
        join(write, read).await;
        let (writer, reader) = wit_future::new(|| unreachable!());
        let (written, read) = join(writer.write("value".to_string()), async { reader.await }).await;
        assert!(written.is_ok());
        assert_eq!(read, "value");
    }

    async fn strings_travel() {
        let upper = partner::upper(partner::back(written(100))).await;
        let expected: Vec<_> = words(100).iter().map(|word| word.to_uppercase()).collect();
        assert_eq!(upper.collect().await, expected);
    }

    async fn items_read_ahead_are_passed_on() {
        for chunk in [1, 7, 50] {
            for reads in 0..10 {
                let mut numbers = partner::count(50, chunk).await;
                for i in 0..reads {
                    assert_eq!(numbers.next().await, Some(i));
                }
                assert_eq!(partner::sum(numbers).await, (reads..50).sum());
            }
        }
        let mut numbers = partner::count(1, 1).await;
        assert_eq!(numbers.next().await, Some(0));
        assert_eq!(numbers.next().await, None);
        assert_eq!(partner::sum(numbers).await, 0);
    }

    async fn items_read_ahead_come_back() {
        for skipped in 0..10 {
            let rest = partner::skip(numbers(20), skipped).await;
            assert_eq!(rest.collect().await, (skipped..20).collect::<Vec<_>>());
        }
    }

    async fn reads_are_given_up() {
        for chunk in [1, 3] {
            let mut numbers = partner::count(30, chunk).await;
            let mut got = Vec::new();
            for round in 0.. {
                if round % 3 == 0 {
                    match poll_immediate(numbers.next()).await {
                        Some(Some(item)) => got.push(item),
                        Some(None) => break,
                        None => {}
                    }
                } else if round % 3 == 1 {
                    let (mut items, mut ended) = (Vec::new(), false);
                    {
                        let mut read = numbers.read(Vec::with_capacity(2));
                        if let Some((result, read)) = poll_immediate(&mut read).await {
                            (items, ended) = (read, result == StreamResult::Dropped);
                        } else if round % 2 == 0 {
                            yield_async().await;
                        }
                    }
                    got.append(&mut items);
                    if ended {
                        break;
                    }
                } else {
                    yield_async().await;
                }
            }
            assert_eq!(got, (0..30).collect::<Vec<_>>());
        }
    }

    async fn writes_are_given_up() {
        let (mut writer, reader) = wit_stream::new();
        let upper = partner::upper(reader).await;
        let write = async {
            let mut rest = words(30);
            while !rest.is_empty() {
                if poll_immediate(writer.write_from(&mut rest)).await.is_none() {
                    yield_async().await;
                    let mut write = writer.write_from(&mut rest);
                    _ = poll_immediate(&mut write).await;
                    yield_async().await;
                }
            }
            drop(writer);
        };
        let (upper, ()) = join(upper.collect(), write).await;
        let lower: Vec<_> = upper.iter().map(|word| word.to_lowercase()).collect();
        assert_eq!(lower, words(30));
    }

    async fn readers_are_dropped_in_synchronous_exports() {
        let (mut writer, reader) = wit_stream::new();
        let (future_writer, future_reader) = wit_future::new(|| unreachable!());
        partner::hold_reader(reader, future_reader).await;
        partner::let_go();
        // Its next task lets go of what was in flight.
        partner::count(0, 1).await;
        while writer.write_one("word".to_string()).await.is_none() {
            yield_async().await;
        }
        _ = future_writer.write("value".to_string()).await;
    }

    async fn writers_are_dropped_in_synchronous_exports() {
        let (reader, future_reader) = partner::hold_writer().await;
        for _ in 0..5 {
            yield_async().await;
        }
        partner::let_go();
        let value = future_reader.await;
        assert!(value == "value" || value == "default");
        partner::count(0, 1).await;
        // What it had accepted is left to the reader.
        assert_eq!(reader.collect().await, ["item"; 3]);
    }

    async fn accepted_items_are_left() {
        let mut reader = partner::accept().await;
        let (result, some) = reader.read(Vec::with_capacity(2)).await;
        assert_eq!((result, &some[..]), (StreamResult::Complete(2), &["item".to_string(), "item".to_string()][..]));
        assert_eq!(reader.collect().await, ["item"]);
        // Nobody reads these.
        drop(partner::accept().await);
    }

    async fn refused_readers_are_read_here() {
        let (outer_writer, outer_reader) = wit_future::new(|| unreachable!());
        let (mut writer, reader) = wit_stream::new();
        let mut write = writer.write(words(2));
        assert!(poll_immediate(&mut write).await.is_none());
        let (refused, ()) = join(outer_writer.write(reader), partner::refuse(outer_reader)).await;
        let mut reader = refused.unwrap_err().value;
        assert_eq!(reader.next().await.as_deref(), Some("word 0"));
        let (result, rest) = write.await;
        assert_eq!((result, rest.into_vec()), (StreamResult::Complete(1), vec!["word 1".to_string()]));
        drop(writer);
        assert_eq!(reader.next().await, None);
    }

    async fn memory_stays_flat() {
        let mut before = 0;
        for round in 0..200 {
            if round == 20 {
                before = partner::live();
            }
            let mut upper = partner::upper(written(4)).await;
            assert!(upper.next().await.is_some());
            // What is dropped early is dropped on the other side as well.
            drop(upper);
            let rest = partner::skip(numbers(8), 3).await;
            assert_eq!(rest.collect().await.len(), 5);
            for _ in 0..5 {
                yield_async().await;
            }
        }
        assert_eq!(partner::live(), before);
    }
}
